import pytest

from benchmarks.outfits.report import LABELS, gain, headline, is_outside_spread, markdown_report


def result(fitb: float) -> dict[str, dict[str, float]]:
    models = {name: {"auc": 0.8, "fitb": 0.5} for name in LABELS}
    return models | {"set": {"auc": 0.86, "fitb": fitb}}


RUNS = [result(0.6), result(0.62)]


class TestGain:
    def test_is_the_mean_difference_seed_by_seed(self):
        found = gain(RUNS, "set", "spectral_pairs")
        assert found["mean"] == pytest.approx((0.1 + 0.12) / 2)
        assert found["seeds"] == 2


class TestIsOutsideSpread:
    def test_compares_with_two_standard_errors(self):
        assert is_outside_spread({"mean": 0.11, "std": 0.05, "seeds": 4})
        assert not is_outside_spread({"mean": 0.04, "std": 0.05, "seeds": 4})


class TestHeadline:
    def test_parts_that_were_not_run_are_null(self):
        line = headline({})
        assert line["mango"] == {"random": None, "item_disjoint": None, "ablation": None}
        assert line["polyvore"] is None
        assert line["generation_p99_ms"] is None

    def test_has_means_and_deviations(self):
        line = headline({"mango": {"random": RUNS}, "generated": [{"preferred_share": 0.8}]})
        assert line["mango"]["random"]["fitb"]["mean"] == pytest.approx(0.61)
        assert set(line["mango"]["ablation"]) >= {"set", "set_traits"}
        assert line["generated_preferred_share"]["mean"] == 0.8


class TestMarkdownReport:
    def test_says_which_targets_are_met(self):
        text = markdown_report({"mango": {"random": RUNS}})
        assert "mango, random, FITB" in text
        assert "not met" not in text
