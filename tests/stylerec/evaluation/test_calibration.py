import numpy as np
import pytest

from stylerec.evaluation.calibration import NUM_BINS, calibration


class TestCalibration:
    def test_bins_hold_equally_many_by_probability(self):
        probability = np.linspace(0.01, 0.2, 20).reshape(2, 10)
        found = calibration(probability, np.zeros((2, 10), bool))
        assert [b.num_recommendations for b in found.bins] == [2] * NUM_BINS
        assert found.bins[0].predicted == pytest.approx((0.01 + 0.02) / 2)
        assert found.bins[-1].predicted == pytest.approx((0.19 + 0.20) / 2)

    def test_the_error_is_the_mean_distance(self):
        # Ten recommendations, one per bin: the largest probability is the hit.
        probability = np.array([[0.1] * 9 + [0.4]])
        is_hit = np.array([[False] * 9 + [True]])
        found = calibration(probability, is_hit)
        assert found.expected_calibration_error == pytest.approx((9 * 0.1 + 0.6) / 10)
        assert found.predicted_hit_rate == pytest.approx(9 * 0.1 + 0.4)
        assert found.observed_hit_rate == 1.0

    def test_is_zero_when_shares_are_as_predicted(self):
        # Ten customers with one recommendation of 0.5 in each bin's pair.
        probability = np.full((10, 2), 0.5)
        is_hit = np.tile([True, False], (10, 1))
        assert calibration(probability, is_hit).expected_calibration_error == 0.0

    def test_places_without_an_item_do_not_count(self):
        probability = np.array([[0.5, np.nan], [0.5, np.nan]])
        found = calibration(probability, np.array([[True, False], [False, False]]))
        assert sum(b.num_recommendations for b in found.bins) == 2
        assert found.observed_hit_rate == 1 / 2

    @pytest.mark.parametrize("probability", [np.zeros((0, 10)), np.full((3, 10), np.nan)])
    def test_is_none_without_recommendations(self, probability):
        assert calibration(probability, np.zeros(probability.shape, bool)) is None
