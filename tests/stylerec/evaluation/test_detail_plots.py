import warnings
from xml.etree import ElementTree

import pytest

from stylerec.evaluation.calibration import Calibration, CalibrationBin
from stylerec.evaluation.detail_plots import calibration_chart, popularity_chart, slice_chart
from stylerec.evaluation.results import PopularityShares
from stylerec.evaluation.slices import SliceMetrics


@pytest.fixture(autouse=True)
def _no_layout_warnings():
    """A chart that does not fit its figure is only warned about."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def _slice(ndcg, num_customers=100):
    return SliceMetrics(
        num_customers=num_customers,
        hit_rate_at_10=0.1,
        hit_rate_at_10_standard_error=0.01,
        ndcg_at_10=ndcg,
        ndcg_at_10_standard_error=0.01,
        is_too_small=num_customers < 30,
    )


def _calibration(*bins):
    return Calibration(
        expected_calibration_error=0.01,
        predicted_hit_rate=0.1,
        observed_hit_rate=0.1,
        bins=tuple(
            CalibrationBin(num_recommendations=10, predicted=predicted, observed=observed)
            for predicted, observed in bins
        ),
    )


GROUPS = {"History": [("short", "short, n = 100")], "Markets": [("m", "GB $1_2"), ("n", "DE")]}
SHARES = PopularityShares(recommended=(0.91, *[0.01] * 9), chosen=(0.1,) * 10)


class TestSliceChart:
    def test_is_svg_with_every_group_slice_and_model(self):
        found = {"short": _slice(0.1), "m": _slice(0.2), "n": _slice(0.3)}
        svg = slice_chart({"Ranking": found}, {"AMF": found}, groups=GROUPS)
        ElementTree.fromstring(svg)
        for text in (
            "Ranking",
            "AMF",
            "History",
            "Markets",
            "short, n = 100",
            "GB $1_2",
            "NDCG@10",
        ):
            assert text in svg

    def test_a_slice_that_is_too_small_is_not_drawn(self):
        groups = {"History": [("short", "short"), ("long", "long")]}

        def chart(ndcg, num_customers):
            found = {"short": _slice(0.1), "long": _slice(ndcg, num_customers)}
            return slice_chart({"Ranking": found}, {}, groups=groups)

        assert chart(0.2, 30) != chart(0.4, 30)
        assert chart(0.2, 29) == chart(0.4, 29)

    def test_draws_figures_of_zero(self):
        groups = {"History": [("short", "short")]}
        ElementTree.fromstring(slice_chart({"A": {"short": _slice(0.0)}}, {}, groups=groups))


class TestCalibrationChart:
    def test_is_svg_with_one_panel_per_model(self):
        found = _calibration((0.001, 0.002), (0.1, 0.05))
        svg = calibration_chart({"Ranking": found, "Next item": found})
        ElementTree.fromstring(svg)
        for text in ("Ranking", "Next item", "predicted probability", "share that was the target"):
            assert text in svg

    def test_draws_bins_without_a_hit(self):
        ElementTree.fromstring(calibration_chart({"A": _calibration((0.001, 0.0), (0.1, 0.2))}))

    def test_draws_a_model_that_never_hits(self):
        ElementTree.fromstring(calibration_chart({"A": _calibration((0.0, 0.0))}))


class TestPopularityChart:
    def test_is_svg_with_the_models_and_the_customers(self):
        svg = popularity_chart({"Ranking": SHARES}, {"AMF": SHARES})
        ElementTree.fromstring(svg)
        for text in ("Ranking", "AMF", "customers' own histories", "tenth of the catalogue"):
            assert text in svg

    def test_draws_a_reference_alone(self):
        ElementTree.fromstring(popularity_chart({}, {"AMF": SHARES}))

    def test_is_the_same_every_time(self):
        charts = [popularity_chart({"A": SHARES}, {}) for _ in range(2)]
        assert charts[0] == charts[1]
