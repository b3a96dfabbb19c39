import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import Targets, leave_one_out
from stylerec.models.next_item import validation
from stylerec.models.next_item.processes import Processes
from stylerec.models.next_item.validation import validation_ndcg_at_10, validation_targets

CPU = torch.device("cpu")


class FixedScores(torch.nn.Module):
    """Scores items by a fixed vector, whatever the history."""

    def __init__(self, scores):
        super().__init__()
        self.scores = torch.tensor(scores)

    def item_rows(self):
        return self.scores[:, None]

    def query(self, rows, item_index, event_type, age_days):
        return torch.ones(len(item_index), 1)


def histories_of(sequences):
    lengths = [len(sequence) for sequence in sequences]
    return Histories(
        np.concatenate(sequences).astype(np.int32),
        np.ones(sum(lengths), dtype=np.int8),
        np.zeros(sum(lengths), dtype=np.int64),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )


def chosen(histories, max_customers=100):
    return validation_targets(
        histories,
        leave_one_out(histories).validation,
        max_customers=max_customers,
        generator=torch.Generator().manual_seed(0),
    )


def ndcg_of(scores, sequences):
    histories = histories_of(sequences)
    return validation_ndcg_at_10(
        FixedScores(scores), histories, chosen(histories), max_len=4, device=CPU
    )


class TestValidationTargets:
    def test_are_the_last_but_one_of_customers_with_three(self):
        targets = chosen(histories_of([[2, 3, 4, 5], [6, 7]]))
        assert (targets.customer.tolist(), targets.place.tolist()) == ([0], [2])

    def test_leaves_out_repeats(self):
        assert len(chosen(histories_of([[2, 3, 2, 5]]))) == 0

    def test_takes_at_most_the_asked_customers(self):
        histories = histories_of([[2, 3, 4]] * 600)
        assert len(chosen(histories, max_customers=300)) == 300
        assert len(np.unique(chosen(histories, max_customers=300).customer)) == 300
        assert len(chosen(histories, max_customers=900)) == 600

    def test_begins_with_short_histories(self):
        histories = histories_of([[2, 3, 4, 5, 6], [2, 3, 4], [2, 3, 4, 5]])
        assert chosen(histories).customer.tolist() == [1, 2, 0]


class TestValidationNdcgAt10:
    def test_is_discounted_by_rank_without_seen_items(self):
        # Item 2 is seen and does not compete; 3 is ahead of the target 4.
        ndcg = ndcg_of([99.0, 99.0, 8.0, 5.0, 4.0, 1.0], [[2, 4, 5]])
        assert ndcg == pytest.approx(1 / math.log2(1 + 2))

    def test_counts_ties_against_the_target(self):
        ndcg = ndcg_of([0.0, 0.0, 1.0, 1.0, 1.0, 1.0], [[2, 4, 5]])
        assert ndcg == pytest.approx(1 / math.log2(1 + 3))

    @pytest.mark.parametrize("score", [-1.0, float("nan")])
    def test_is_zero_beyond_ten_or_for_broken_scores(self, score):
        assert ndcg_of([0.0] * 14 + [score], [[2, 14, 5]]) == 0.0

    def test_averages_over_customers(self):
        ndcg = ndcg_of([0.0, 0.0, 3.0, 2.0, 1.0, 0.5], [[5, 2, 3], [5, 3, 2]])
        assert ndcg == pytest.approx((1 / math.log2(1 + 1) + 1 / math.log2(1 + 2)) / 2)

    def test_does_not_depend_on_blocks_and_tiles(self, model, prepared, monkeypatch):
        data = PreparedData(prepared)
        targets = chosen(data.histories, max_customers=1_000)
        results = set()
        for block, elements in ((256, 500_000), (7, 500_000), (256, 43), (50, 43 * 3)):
            monkeypatch.setattr(validation, "_BLOCK", block)
            monkeypatch.setattr(validation, "_TILE_ELEMENTS", {"cpu": elements})
            ndcg = validation_ndcg_at_10(model, data.histories, targets, max_len=12, device=CPU)
            results.add(round(ndcg, 6))
        assert len(results) == 1

    def test_parts_of_several_processes_make_the_whole(self, model, prepared):
        histories = PreparedData(prepared).histories
        targets = chosen(histories, max_customers=1_000)
        targets = Targets(np.tile(targets.customer, 5), np.tile(targets.place, 5))
        heard = []

        @dataclass(frozen=True)
        class Listening(Processes):
            def summed(self, *values):
                heard.append(values)
                return list(values)

        whole = validation_ndcg_at_10(model, histories, targets, max_len=12, device=CPU)
        for rank in range(3):
            validation_ndcg_at_10(
                model,
                histories,
                targets,
                max_len=12,
                device=CPU,
                processes=Listening(rank=rank, size=3),
            )
        # Blocks 0 and 3, 1 and the rest, 2.
        assert [count for _, count in heard] == [512, 256 + len(targets) - 4 * 256, 256]
        gain = sum(gain for gain, _ in heard)
        assert gain / len(targets) == pytest.approx(whole)
