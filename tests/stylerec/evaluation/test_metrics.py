import math

import numpy as np
import pytest

from stylerec.evaluation.metrics import (
    coverage_at_k,
    decile_shares,
    hit_rate_at_k,
    hits,
    mrr_at_k,
    ndcg_at_k,
    ndcg_gains,
    novelty_at_k,
    popularity_bias_at_k,
    popularity_deciles,
    recommendation_counts,
    standard_error,
    weighted_mean,
)

# Two customers' lists over the items 2 to 6; the second has one recommendation only.
TOP = np.array([[2, 3, 4], [3, 0, 0]])
# Training interactions of padding, unknown and the items 2 to 6.
COUNTS = np.array([0, 0, 8, 4, 1, 0, 3])


def _ranks(*ranks):
    return np.array(ranks, dtype=np.int64)


class TestHitRateAtK:
    def test_is_the_share_of_ranks_within_k(self):
        assert hit_rate_at_k(_ranks(1, 10, 11, 400), 10) == 2 / 4

    def test_is_zero_without_customers(self):
        assert hit_rate_at_k(_ranks(), 10) == 0.0

    def test_raises_when_k_is_zero(self):
        with pytest.raises(ValueError, match="at least 1"):
            hit_rate_at_k(_ranks(1), 0)

    @pytest.mark.parametrize(("k", "expected"), [(1, 1 / 4), (2, 2 / 4), (20, 3 / 4)])
    def test_takes_any_k(self, k, expected):
        assert hit_rate_at_k(_ranks(1, 2, 20, 21), k) == expected

    def test_weights_count_targets_more_or_less(self):
        assert hit_rate_at_k(_ranks(1, 11), 10, np.array([3.0, 1.0])) == 3 / (3 + 1)


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

    def test_weights_count_targets_more_or_less(self):
        expected = (1.0 * 1 + 3.0 / math.log2(4)) / (1 + 3)
        assert ndcg_at_k(_ranks(1, 3), 10, np.array([1.0, 3.0])) == pytest.approx(expected)


class TestMrrAtK:
    def test_is_the_mean_reciprocal_rank_within_k(self):
        assert mrr_at_k(_ranks(1, 4, 11), 10) == pytest.approx((1 / 1 + 1 / 4 + 0) / 3)


class TestWeightedMean:
    def test_only_the_ratios_of_the_weights_matter(self):
        values = np.array([1.0, 2.0, 4.0])
        weights = np.array([1.0, 0.0, 2.0])
        assert weighted_mean(values, weights) == (1 * 1 + 2 * 4) / 3
        assert weighted_mean(values, 7 * weights) == pytest.approx((1 * 1 + 2 * 4) / 3)

    def test_is_zero_where_nothing_weighs(self):
        assert weighted_mean(np.ones(2), np.zeros(2)) == 0.0
        assert standard_error(np.array([1.0, 2.0]), np.zeros(2)) == 0.0


class TestStandardError:
    def test_is_the_deviation_over_the_root_of_the_number(self):
        # Deviations from the mean 2 are 1, 1 and 2: s^2 = (1 + 1 + 4) / (3 - 1).
        assert standard_error(np.array([1.0, 1.0, 4.0])) == pytest.approx(
            math.sqrt((1 + 1 + 4) / 2) / math.sqrt(3)
        )

    def test_of_weighted_values(self):
        # The mean is (3 * 1 + 1 * 5) / 4 = 2; w (x - mean) is -3 and 3.
        found = standard_error(np.array([1.0, 5.0]), np.array([3.0, 1.0]))
        assert found == pytest.approx(math.sqrt(2 / 1 * (9 + 9)) / (3 + 1))

    def test_equal_weights_are_no_weights(self):
        values = hits(_ranks(1, 20, 3, 4), 10)
        assert standard_error(values, np.full(4, 2.5)) == pytest.approx(standard_error(values))

    @pytest.mark.parametrize("values", [[], [0.5]])
    def test_is_zero_where_there_is_no_spread_to_see(self, values):
        assert standard_error(np.array(values)) == 0.0


class TestCoverageAtK:
    def test_is_the_share_of_items_that_anybody_is_shown(self):
        # 2 and 3 of the five items at 1, 2, 3 and 4 at 3.
        assert coverage_at_k(TOP, 1, num_items=7) == 2 / 5
        assert coverage_at_k(TOP, 3, num_items=7) == 3 / 5

    def test_is_zero_without_customers(self):
        assert coverage_at_k(np.zeros((0, 3), int), 3, num_items=7) == 0.0

    def test_raises_when_k_exceeds_the_lists(self):
        with pytest.raises(ValueError, match="at most 3, the length of the lists, got 4"):
            coverage_at_k(TOP, 4, num_items=7)


class TestNoveltyAtK:
    def test_is_the_mean_information_of_a_recommendation(self):
        # Shares with one added to each of five items: 16 interactions and 5 more.
        information = {item: -math.log2((COUNTS[item] + 1) / (16 + 5)) for item in (2, 3, 4)}
        expected = (information[2] + 2 * information[3] + information[4]) / 4
        assert novelty_at_k(TOP, 3, counts=COUNTS) == pytest.approx(expected)

    def test_a_cold_item_is_the_most_novel(self):
        cold = novelty_at_k(np.array([[5]]), 1, counts=COUNTS)
        assert cold == pytest.approx(math.log2(21 / 1))

    def test_is_zero_without_recommendations(self):
        assert novelty_at_k(np.zeros((2, 3), int), 3, counts=COUNTS) == 0.0


class TestPopularityBiasAtK:
    def test_is_the_ratio_of_mean_popularities(self):
        own = np.array([2.0, 1.0])
        # First customer: items with 8, 4 and 1; second: one item with 4.
        recommended = ((8 + 4 + 1) / 3 + 4 / 1) / 2
        found = popularity_bias_at_k(TOP, 3, counts=COUNTS, history_popularity=own)
        assert found == pytest.approx(recommended / ((2 + 1) / 2))

    def test_is_one_when_customers_get_what_they_choose(self):
        own = np.array([8.0, 4.0])
        assert popularity_bias_at_k(TOP, 1, counts=COUNTS, history_popularity=own) == 1.0

    def test_is_zero_where_nothing_is_popular(self):
        zero = np.zeros_like(COUNTS)
        found = popularity_bias_at_k(TOP, 1, counts=zero, history_popularity=np.zeros(2))
        assert found == 0.0


class TestRecommendationCounts:
    def test_counts_customers_per_item(self):
        assert recommendation_counts(TOP, 2, num_items=7).tolist() == [0, 0, 1, 2, 0, 0, 0]


class TestPopularityDeciles:
    def test_tenths_hold_equally_many_items(self):
        counts = np.concatenate([[99, 99], np.arange(20)])
        deciles = popularity_deciles(counts)
        assert deciles[:2].tolist() == [-1, -1]
        # The two most popular are the last two.
        assert deciles[2:].tolist() == [9 - n // 2 for n in range(20)]

    def test_of_equals_the_lower_index_is_first(self):
        assert popularity_deciles(np.zeros(12, int))[2:].tolist() == list(range(10))

    def test_takes_a_catalogue_without_items(self):
        assert popularity_deciles(np.zeros(2, int)).tolist() == [-1, -1]


class TestDecileShares:
    def test_are_shares_of_the_whole(self):
        deciles = np.array([-1, -1, 0, 0, 9])
        shares = decile_shares(np.array([50, 50, 1, 2, 5]), deciles)
        assert shares == (3 / 8, *[0.0] * 8, 5 / 8)

    def test_are_zero_of_nothing(self):
        assert decile_shares(np.zeros(3, int), np.array([-1, -1, 0])) == (0.0,) * 10
