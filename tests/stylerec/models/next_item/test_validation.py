import math

import numpy as np
import pytest
import torch

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import leave_one_out
from stylerec.models.next_item.validation import validation_blocks, validation_ndcg_at_10

CPU = torch.device("cpu")


class FixedTable(torch.nn.Module):
    def __init__(self, scores):
        super().__init__()
        self.scores = torch.tensor(scores)

    def table(self):
        return self.scores[:, None]


class FixedScores(torch.nn.Module):
    """Scores items by a fixed vector, whatever the history."""

    def __init__(self, scores):
        super().__init__()
        self.items = FixedTable(scores)

    def encode(self, table, item_index, event_type, age_days):
        return torch.ones(*item_index.shape, 1)


def blocks_of(sequences, max_customers=100):
    lengths = [len(sequence) for sequence in sequences]
    histories = Histories(
        np.concatenate(sequences).astype(np.int32),
        np.ones(sum(lengths), dtype=np.int8),
        np.zeros(sum(lengths), dtype=np.int64),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )
    return validation_blocks(
        histories,
        leave_one_out(histories),
        max_len=4,
        max_customers=max_customers,
        generator=torch.Generator().manual_seed(0),
    )


class TestValidationBlocks:
    def test_holds_the_last_but_one_and_what_came_before(self):
        (block,) = blocks_of([[2, 3, 4, 5], [6, 7]])
        assert block.history.item_index.tolist() == [[0, 0, 2, 3]]
        assert block.target.tolist() == [4]
        assert (block.seen_row.tolist(), block.seen_item.tolist()) == ([0, 0], [2, 3])

    def test_leaves_out_repeats(self):
        assert blocks_of([[2, 3, 2, 5]]) == []

    def test_takes_at_most_the_asked_customers(self, prepared):
        histories = PreparedData(prepared).histories
        blocks = blocks_of([[2, 3, 4]] * 600, max_customers=300)
        assert [len(block.target) for block in blocks] == [256, 300 - 256]
        assert histories.num_customers == 240


class TestValidationNdcgAt10:
    def test_is_discounted_by_rank_without_seen_items(self):
        # Item 2 is seen and does not compete; 3 is ahead of the target 4.
        model = FixedScores([99.0, 99.0, 8.0, 5.0, 4.0, 1.0])
        ndcg = validation_ndcg_at_10(model, blocks_of([[2, 4, 5]]), device=CPU)
        assert ndcg == pytest.approx(1 / math.log2(1 + 2))

    def test_counts_ties_against_the_target(self):
        model = FixedScores([0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
        ndcg = validation_ndcg_at_10(model, blocks_of([[2, 4, 5]]), device=CPU)
        assert ndcg == pytest.approx(1 / math.log2(1 + 3))

    @pytest.mark.parametrize("score", [-1.0, float("nan")])
    def test_is_zero_beyond_ten_or_for_broken_scores(self, score):
        model = FixedScores([0.0] * 14 + [score])
        assert validation_ndcg_at_10(model, blocks_of([[2, 14, 5]]), device=CPU) == 0.0

    def test_averages_over_customers(self):
        model = FixedScores([0.0, 0.0, 3.0, 2.0, 1.0, 0.5])
        blocks = blocks_of([[5, 2, 3], [5, 3, 2]])
        expected = (1 / math.log2(1 + 1) + 1 / math.log2(1 + 2)) / 2
        assert validation_ndcg_at_10(model, blocks, device=CPU) == pytest.approx(expected)
