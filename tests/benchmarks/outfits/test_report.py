import pytest

from benchmarks.outfits.report import (
    LABELS,
    gain,
    headline,
    is_outside_spread,
    markdown_report,
    spreads,
)


def result(fitb: float) -> dict[str, dict[str, float]]:
    models = {name: {"auc": 0.8, "fitb": 0.5} for name in LABELS}
    return models | {"set": {"auc": 0.86, "fitb": fitb}}


RUNS = [result(0.6), result(0.62)]


SIAMESE = [
    {"paper": {"auc": 0.8, "fitb": 0.5}, "set_with_siamese": {"auc": 0.86, "fitb": fitb}}
    for fitb in (0.6, 0.62)
]


class TestGain:
    def test_is_the_mean_difference_to_the_papers_model_seed_by_seed(self):
        found = gain(SIAMESE)
        assert found["mean"] == pytest.approx((0.1 + 0.12) / 2)
        assert found["seeds"] == 2


class TestSpreads:
    def test_a_model_has_the_seeds_it_was_trained_with(self):
        found = spreads(
            [
                {"set": {"auc": 0.8, "fitb": 0.5}, "paper": {"auc": 0.6, "fitb": 0.3}},
                {"set": {"auc": 0.9, "fitb": 0.6}},
            ]
        )
        assert found["set"]["auc"]["mean"] == pytest.approx((0.8 + 0.9) / 2)
        assert [found[name]["auc"]["seeds"] for name in ("set", "paper")] == [2, 1]


class TestIsOutsideSpread:
    def test_compares_with_the_deviation(self):
        assert is_outside_spread({"mean": 0.06, "std": 0.05, "seeds": 4})
        assert not is_outside_spread({"mean": 0.04, "std": 0.05, "seeds": 4})

    def test_one_seed_says_nothing(self):
        assert not is_outside_spread({"mean": 0.5, "std": 0.0, "seeds": 1})


class TestHeadline:
    def test_parts_that_were_not_run_are_null(self):
        line = headline({})
        assert line["mango"] == {"random": None, "item_disjoint": None, "ablation": None}
        assert line["polyvore"] is None
        assert line["set_encoder_gain_fitb"] is None
        assert line["generation_p99_ms"] is None

    def test_the_ablation_has_the_siamese_models_where_they_were_trained(self):
        line = headline({"mango": {"random": RUNS}, "siamese": {"random": SIAMESE[:1]}})
        assert line["mango"]["random"]["fitb"]["seeds"] == 2
        assert {"set", "paper", "set_with_siamese"} <= set(line["mango"]["ablation"])

    def test_has_means_and_deviations(self):
        line = headline({"mango": {"random": RUNS}, "generated": [{"preferred_share": 0.8}]})
        assert line["mango"]["random"]["fitb"]["mean"] == pytest.approx(0.61)
        assert set(line["mango"]["ablation"]) >= {"set", "set_traits"}
        assert line["generated_preferred_share"]["mean"] == 0.8


class TestMarkdownReport:
    def test_compares_with_the_papers_model_where_it_was_trained(self):
        results = {"mango": {"random": RUNS}, "siamese": {"random": SIAMESE}}
        assert headline(results)["set_encoder_gain_fitb"]["mean"] == pytest.approx(0.11)
        assert "the paper's config" in markdown_report(results)

    def test_says_which_targets_are_met(self):
        text = markdown_report({"mango": {"random": RUNS}})
        assert "mango, random, FITB" in text
        assert "not met" not in text
