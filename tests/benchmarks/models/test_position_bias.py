import pytest

from benchmarks.models.position_bias import position_bias_markdown, with_errors, with_gains
from benchmarks.models.table import spread


class TestWithGains:
    def test_compares_seed_by_seed_with_naive(self):
        kept = {
            "naive": {"kendall_tau": [0.4, 0.5], "ndcg_at_10": [0.7, 0.8]},
            "true": {"kendall_tau": [0.5, 0.7], "ndcg_at_10": [0.7, 0.7]},
        }
        found = with_gains(kept)["true"]
        assert found["kendall_tau_gain"]["mean"] == pytest.approx((0.1 + 0.2) / 2)
        assert found["ndcg_at_10_gain"]["mean"] == pytest.approx((0.0 - 0.1) / 2)


class TestWithErrors:
    def test_is_the_distance_from_the_metric_without_bias(self):
        kept = {
            "naive": {
                "unbiased": [0.25, 0.20],
                "logged": [0.30, 0.26],
                "estimated": [0.24, 0.21],
                "true": [0.25, 0.20],
            }
        }
        found = with_errors(kept)["naive"]
        assert found["logged_error"]["mean"] == pytest.approx((0.05 + 0.06) / 2)
        assert found["estimated_error"]["mean"] == pytest.approx((0.01 + 0.01) / 2)
        assert found["true_error"]["mean"] == 0.0


class TestPositionBiasMarkdown:
    def test_has_a_row_per_touchpoint_and_variant(self):
        one = spread([0.125])
        errors = dict.fromkeys(
            ("estimated_mean", "estimated_max", "click_rate_mean", "click_rate_max"), one
        )
        preference = dict.fromkeys(
            ("kendall_tau", "kendall_tau_gain", "ndcg_at_10", "ndcg_at_10_gain"), one
        )
        metrics = dict.fromkeys(("unbiased", "logged", "estimated", "true"), one)
        text = position_bias_markdown(
            {
                "retailers": {
                    "promoting": {
                        "settings": {"position_bias": 2.0},
                        "propensities": {"for-you": errors},
                        "preference": {"naive": preference},
                        "metrics": {"naive": metrics},
                    }
                }
            }
        )
        assert "### Promoting retailer (position_bias 2)" in text
        assert "| for-you | .125 | .125 | .125 | .125 |" in text
        assert "| not corrected | .1250 | +.1250 | .1250 | +.1250 |" in text
