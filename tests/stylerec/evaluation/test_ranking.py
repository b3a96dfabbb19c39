import math

import numpy as np
import pytest

from stylerec.errors import ReleaseError
from stylerec.evaluation.ranking import Block, evaluate_ranking, evaluate_scorer


def _constant(scores):
    return lambda block: np.tile(np.asarray(scores, float), (len(block.lengths), 1))


class TestBlock:
    def test_seen_is_the_whole_history_left_padded(self):
        block = Block(
            item_index=np.array([5, 6, 7, 8]),
            event_type=np.ones(4, int),
            timestamp_s=np.zeros(4, int),
            lengths=np.array([1, 3]),
            targets=np.array([2, 2]),
            as_of_s=np.zeros(2, int),
        )
        assert block.seen().tolist() == [[0, 0, 5], [6, 7, 8]]


class TestEvaluateScorer:
    def test_metrics_are_those_of_the_ranks(self, histories):
        data = histories([2, 3, 4], [2, 3, 5])
        # Test targets 4 and 5; 2 and 3 are seen, so they rank 1 and 2.
        metrics = evaluate_scorer(_constant([9, 9, 9, 9, 2, 1]), data, split="test")
        assert metrics.hit_rate_at_10 == 1.0
        assert metrics.mrr_at_10 == pytest.approx((1 / 1 + 1 / 2) / 2)
        gains = [1 / math.log2(2), 1 / math.log2(3)]
        assert metrics.ndcg_at_10 == pytest.approx(sum(gains) / 2)
        # Two values a and b: standard error |a - b| / 2.
        assert metrics.ndcg_at_10_standard_error == pytest.approx((gains[0] - gains[1]) / 2)
        assert (metrics.num_customers, metrics.candidate_set) == (2, "full")

    def test_the_splits_predict_their_own_target_from_what_is_before(self, histories):
        asked = []

        def scorer(block):
            asked.append((block.item_index.tolist(), block.targets.tolist()))
            return np.zeros((len(block.lengths), 10))

        data = histories([2, 3, 4, 5])
        evaluate_scorer(scorer, data, split="validation")
        evaluate_scorer(scorer, data, split="test")
        assert asked == [([2, 3], [4]), ([2, 3, 4], [5])]

    def test_the_model_is_asked_at_the_time_of_the_target(self, histories):
        asked = []

        def scorer(block):
            asked.extend(block.as_of_s.tolist())
            return np.zeros((len(block.lengths), 10))

        evaluate_scorer(scorer, histories([2, 3, 4], times=[100, 200, 300]), split="test")
        assert asked == [300]

    def test_customers_with_a_seen_target_are_counted_apart(self, histories):
        data = histories([2, 3, 2], [2, 3, 4])
        metrics = evaluate_scorer(_constant([0, 0, 9, 9, 9]), data, split="test")
        assert (metrics.num_customers, metrics.num_repeat_targets) == (1, 1)
        assert metrics.hit_rate_at_10 == 1.0

    def test_short_histories_are_not_evaluated(self, histories):
        metrics = evaluate_scorer(_constant([0] * 5), histories([2, 3], [4]), split="test")
        assert metrics.num_customers == 0
        assert metrics.ndcg_at_10 == 0.0

    @pytest.mark.parametrize("block", [1, 3, 100])
    def test_the_block_size_changes_nothing(self, histories, block):
        generator = np.random.default_rng(0)
        data = histories(*(generator.permutation(np.arange(2, 40))[: 3 + n % 5] for n in range(20)))
        table = generator.random((40, 40))

        def scorer(part):
            return table[part.item_index[np.cumsum(part.lengths) - 1]]

        assert evaluate_scorer(scorer, data, split="test", block=block) == evaluate_scorer(
            scorer, data, split="test"
        )

    def test_a_subset_is_the_same_every_time(self, histories):
        seen = []

        def scorer(part):
            seen.append(part.item_index.tolist())
            return np.zeros((len(part.lengths), 60))

        data = histories(*([n + 2, n + 3, n + 4] for n in range(50)))
        for _ in range(2):
            metrics = evaluate_scorer(scorer, data, split="test", max_customers=7)
            assert metrics.num_customers == 7
        assert seen[0] == seen[1]


class TestEvaluateRanking:
    def test_ranks_by_the_query_times_every_item(self, exported, prepared):
        # On a circle the nearest items are the neighbours: after 4 comes 5 or 3.
        angle = np.arange(12) / 12 * 2 * np.pi
        embedding = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
        data = prepared([2, 3, 4, 5], [9, 8, 2, 5], num_items=12)
        metrics = evaluate_ranking(exported(embedding), data, split="test")
        # First customer: 3 is seen, so 5 ranks 1. Second: around 2 are 3, then 4 (0 and 1 are no
        # items, 8 and 9 are seen), then 5 and 11 at equal distance, the tie against the target.
        assert metrics.mrr_at_10 == pytest.approx((1 / 1 + 1 / 4) / 2, abs=1e-6)

    def test_refuses_an_export_of_another_catalogue(self, exported, prepared):
        folder = exported(np.ones((12, 2), np.float32))
        with pytest.raises(ReleaseError, match="expected 20 rows, one per catalogue item, got 12"):
            evaluate_ranking(folder, prepared([2, 3, 4], num_items=20), split="test")

    def test_refuses_an_incomplete_export(self, exported, prepared):
        folder = exported(np.ones((12, 2), np.float32))
        (folder / "export.json").unlink()
        with pytest.raises(ReleaseError, match=r"no export\.json"):
            evaluate_ranking(folder, prepared([2, 3, 4], num_items=12), split="test")
