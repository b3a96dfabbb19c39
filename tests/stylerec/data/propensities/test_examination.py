import numpy as np
import pytest

from stylerec.data.propensities.examination import fit_examination


class TestFitExamination:
    def test_finds_the_factors_of_exact_counts(self):
        examination, relevance = np.array([1.0, 0.5, 0.25]), np.array([0.8, 0.4])
        # Good strata are shown high, bad ones low: the plain click rates mislead.
        shown = np.array([[8_000, 1_000], [4_000, 4_000], [1_000, 8_000]])
        clicked = (shown * np.outer(examination, relevance)).astype(int)
        assert fit_examination(shown, clicked) == pytest.approx(examination, abs=1e-4)
        rate = clicked.sum(axis=1) / shown.sum(axis=1)
        assert rate[2] / rate[0] < 0.15

    def test_is_relative_to_the_first_and_may_exceed_it(self):
        shown = np.full((2, 1), 1_000)
        clicked = np.array([[100], [200]])
        assert fit_examination(shown, clicked) == pytest.approx([1.0, 200 / 100], abs=1e-4)

    def test_one_stratum_gives_the_ratio_of_click_rates(self):
        shown, clicked = np.array([[1_000], [500], [100]]), np.array([[300], [90], [3]])
        assert fit_examination(shown, clicked) == pytest.approx(
            [1.0, (90 / 500) / (300 / 1_000), (3 / 100) / (300 / 1_000)], abs=1e-4
        )

    def test_certain_clicks_stay_finite(self):
        shown = np.array([[50, 50], [50, 50]])
        assert fit_examination(shown, shown) == pytest.approx([1.0, 1.0])
