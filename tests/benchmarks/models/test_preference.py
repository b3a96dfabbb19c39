import numpy as np
import pytest

from benchmarks.models.preference import corrected_mean, kendall_tau, preference_ndcg


class TestKendallTau:
    def test_is_the_mean_over_customers(self):
        attraction = np.array([[0.1, 0.2, 0.3], [0.1, 0.2, 0.3]])
        # The second customer's scores are the wrong way round in one of three pairs.
        scores = np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 2.0]])
        assert kendall_tau(scores, attraction) == pytest.approx((1 + (2 - 1) / 3) / 2)

    def test_equal_scores_are_no_order(self):
        assert kendall_tau(np.zeros((1, 3)), np.array([[0.1, 0.2, 0.3]])) == 0.0


class TestPreferenceNdcg:
    def test_is_1_for_the_right_order(self):
        attraction = np.array([[0.1, 0.9, 0.5]])
        assert preference_ndcg(attraction * 7, attraction, 2) == pytest.approx(1.0)

    def test_discounts_what_comes_late(self):
        attraction = np.array([[0.8, 0.4, 0.0]])
        scores = np.array([[1.0, 2.0, 0.0]])
        gained, best = 0.4 + 0.8 / np.log2(3), 0.8 + 0.4 / np.log2(3)
        assert preference_ndcg(scores, attraction, 2) == pytest.approx(gained / best)


class TestCorrectedMean:
    def test_weighs_by_the_inverse_of_the_bounded_propensity(self):
        found = corrected_mean(np.array([1.0, 0.0, 0.5]), np.array([1.0, 0.5, 0.001]))
        assert found == pytest.approx((1.0 * 1 + 0.0 * 2 + 0.5 * 10) / (1 + 2 + 10))
