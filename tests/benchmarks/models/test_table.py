import pytest

from benchmarks.models.table import (
    markdown,
    model_figures,
    ranking_table,
    spread,
    target_table,
    uplift,
)


def result(ndcg, hit_rate):
    return {"test": {"ndcg_at_10": ndcg, "hit_rate_at_10": hit_rate}}


class TestSpread:
    def test_is_the_mean_and_the_sample_deviation(self):
        found = spread([1.0, 3.0])
        assert found == {"mean": (1 + 3) / 2, "std": pytest.approx(2**0.5), "seeds": 2}

    def test_one_seed_has_no_deviation(self):
        assert spread([0.25]) == {"mean": 0.25, "std": 0.0, "seeds": 1}


class TestModelFigures:
    def test_recall_is_the_hit_rate(self):
        figures = model_figures([result(0.1, 0.2), result(0.3, 0.4)])
        assert figures["ndcg_at_10"]["mean"] == pytest.approx((0.1 + 0.3) / 2)
        assert figures["recall_at_10"]["mean"] == pytest.approx((0.2 + 0.4) / 2)


class TestUplift:
    def test_is_relative_to_the_baseline(self):
        gain = uplift(model_figures([result(0.06, 0.12)]), model_figures([result(0.05, 0.08)]))
        assert gain == pytest.approx({"ndcg_at_10": 6 / 5 - 1, "recall_at_10": 12 / 8 - 1})


class TestMarkdown:
    def test_ranks_models_baselines_and_published_figures_together(self):
        table = ranking_table(
            {"next_item": model_figures([result(0.06, 0.1), result(0.08, 0.1)])},
            {"popular": {"ndcg_at_10": 0.006, "hit_rate_at_10": 0.013}},
            dataset="beauty",
        )
        lines = table.splitlines()
        assert lines[2] == "| next_item, ids only | .0700 ± .0141 | .1000 ± .0000 | 2 |"
        assert lines[-1] == "| popular | .0060 | .0130 |  |"
        assert any("published" in line for line in lines)

    def test_targets_say_reached_or_missed(self):
        rows = [("a", "1", "2", False), ("b", "3", "2", True), ("c", "3", "", None)]
        assert target_table(rows).splitlines()[2:] == [
            "| a | 1 | 2 | **missed** |",
            "| b | 3 | 2 | reached |",
            "| c | 3 |  |  |",
        ]

    def test_has_a_rule_under_the_header(self):
        assert markdown(["x", "y"], [["1", "2"]]) == "| x | y |\n| --- | --- |\n| 1 | 2 |"
