import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stylerec.evaluation.metrics import (
    hit_rate_at_k,
    mrr_at_k,
    ndcg_at_k,
    ndcg_gains,
    ranks_of_targets,
)


def _ranks(*ranks):
    return np.array(ranks, dtype=np.int64)


class TestRanksOfTargets:
    def test_counts_the_better_items(self):
        scores = np.array([[0, 0, 5.0, 9.0, 7.0, 1.0]])
        assert ranks_of_targets(scores, np.array([2]), None).tolist() == [1 + 2]

    def test_padding_and_unknown_do_not_compete(self):
        scores = np.array([[99.0, 99.0, 5.0, 1.0]])
        assert ranks_of_targets(scores, np.array([2]), None).tolist() == [1]

    def test_seen_items_do_not_compete(self):
        scores = np.array([[0, 0, 5.0, 9.0, 7.0, 1.0]])
        seen = np.array([[0, 3]])
        assert ranks_of_targets(scores, np.array([2]), seen).tolist() == [1 + 1]

    def test_a_seen_target_still_competes(self):
        scores = np.array([[0, 0, 5.0, 9.0]])
        assert ranks_of_targets(scores, np.array([2]), np.array([[2]])).tolist() == [1 + 1]

    def test_ties_count_against_the_target(self):
        scores = np.full((1, 2 + 5), 3.0)
        assert ranks_of_targets(scores, np.array([4]), None).tolist() == [5]

    def test_scores_that_are_not_numbers_rank_last(self):
        scores = np.full((1, 2 + 5), np.nan)
        assert ranks_of_targets(scores, np.array([4]), None).tolist() == [5]

    def test_rows_are_independent(self):
        scores = np.array([[0, 0, 1.0, 2.0, 3.0], [0, 0, 3.0, 2.0, 1.0]])
        assert ranks_of_targets(scores, np.array([2, 2]), None).tolist() == [3, 1]

    def test_leaves_the_scores_alone(self):
        scores = np.array([[9.0, 9.0, 1.0, 2.0]])
        before = scores.copy()
        ranks_of_targets(scores, np.array([2]), np.array([[3]]))
        np.testing.assert_array_equal(scores, before)

    @pytest.mark.parametrize("target", [0, 1, 4])
    def test_raises_when_the_target_is_no_item(self, target):
        with pytest.raises(ValueError, match="item indices 2 to 3"):
            ranks_of_targets(np.zeros((1, 4)), np.array([target]), None)

    def test_takes_no_rows(self):
        assert ranks_of_targets(np.zeros((0, 4)), np.zeros(0, int), None).shape == (0,)

    @settings(deadline=None)
    @given(st.integers(0, 2**32 - 1))
    def test_equals_sorting_without_the_seen_items(self, seed):
        generator = np.random.default_rng(seed)
        scores = generator.permutation(30).astype(float)[None]
        target = int(generator.integers(2, 30))
        seen = generator.integers(0, 30, size=(1, 6))
        left = [i for i in range(2, 30) if i == target or i not in seen]
        expected = sorted(left, key=lambda i: -scores[0, i]).index(target) + 1
        assert ranks_of_targets(scores, np.array([target]), seen).tolist() == [expected]


class TestHitRateAtK:
    def test_is_the_share_of_ranks_within_k(self):
        assert hit_rate_at_k(_ranks(1, 10, 11, 400), 10) == 2 / 4

    def test_is_zero_without_customers(self):
        assert hit_rate_at_k(_ranks(), 10) == 0.0

    def test_raises_when_k_is_zero(self):
        with pytest.raises(ValueError, match="at least 1"):
            hit_rate_at_k(_ranks(1), 0)


class TestNdcgAtK:
    def test_discounts_by_the_logarithm_of_the_rank(self):
        expected = (1 / math.log2(2) + 1 / math.log2(4) + 1 / math.log2(11) + 0) / 4
        assert ndcg_at_k(_ranks(1, 3, 10, 11), 10) == pytest.approx(expected)

    def test_is_one_for_a_perfect_ranking(self):
        assert ndcg_at_k(_ranks(1, 1, 1), 10) == 1.0

    def test_is_zero_when_no_hit(self):
        assert ndcg_at_k(_ranks(11, 12), 10) == 0.0

    def test_is_the_mean_of_the_gains(self):
        ranks = _ranks(1, 2, 5, 50)
        assert ndcg_at_k(ranks, 10) == pytest.approx(ndcg_gains(ranks, 10).mean())


class TestMrrAtK:
    def test_is_the_mean_reciprocal_rank_within_k(self):
        assert mrr_at_k(_ranks(1, 4, 11), 10) == pytest.approx((1 / 1 + 1 / 4 + 0) / 3)
