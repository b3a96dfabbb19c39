import pytest

from benchmarks.models.report import headline, markdown_report
from benchmarks.models.table import model_figures

MACHINE = {
    "date": "2026-01-01",
    "processor": "a processor",
    "has_amx": False,
    "cores": 2,
    "memory_gib": 24.0,
    "python": "3.11.7",
    "torch": "2",
    "tensorflow-cpu": None,
    "onnxruntime": "1",
    "numpy": "2",
}


def figures(ndcg, recall):
    results = [{"test": {"ndcg_at_10": ndcg, "hit_rate_at_10": recall}}] * 2
    return model_figures(results) | {"peak_rss_mib": 900}


@pytest.fixture
def results():
    return {
        "dataset": "beauty",
        "data": "3 customers",
        "command": "make bench-models",
        "machine": MACHINE,
        "quality": {
            "next_item": figures(0.06, 0.10),
            "next_item_content": figures(0.07, 0.12),
            "ranking": figures(0.05, 0.08),
            "amf": figures(0.04, 0.08),
        },
        "baselines": {"ease": {"ndcg_at_10": 0.0446, "hit_rate_at_10": 0.0775}},
        "cold_start": {
            "recall_at_10": 0.05,
            "ratio_to_content_knn": 0.05 / 0.08,
            "models": {"next_item": {"hit_rate_at_10": 0.05, "ndcg_at_10": 0.02}},
            "content_knn": {"content_knn_last": {"hit_rate_at_10": 0.08, "ndcg_at_10": 0.04}},
            "boosts": {
                "next_item": [{"boost": 1.25, "cold_recall_at_10": 0.05, "known_recall_at_10": 0.1}]
            },
        },
    }


class TestHeadline:
    def test_has_the_figures_of_every_part(self, results):
        line = headline(results)
        assert line["next_item"]["ndcg_at_10"] == {"mean": 0.06, "std": 0.0, "seeds": 2}
        assert line["ease"] == {"ndcg_at_10": 0.0446, "recall_at_10": 0.0775}
        assert line["uplift_over_amf"]["ndcg_at_10"] == pytest.approx(6 / 4 - 1)
        assert line["uplift_over_amf"]["recall_at_10"] == pytest.approx(10 / 8 - 1)
        assert line["cold_start"]["ratio_to_content_knn"] == pytest.approx(5 / 8)
        assert line["peak_rss_mib"] == 900

    def test_a_part_that_was_not_measured_is_none(self, results):
        del results["quality"], results["cold_start"]
        line = headline(results)
        assert line["next_item"] is line["uplift_over_amf"] is line["cold_start"] is None
        assert line["training_time_ratio_to_peer"] is None


class TestMarkdownReport:
    def test_says_which_targets_were_missed(self, results):
        report = markdown_report(results)
        (cold,) = [line for line in report.splitlines() if "over the better content KNN" in line]
        assert cold.endswith("| **missed** |")
        (amf,) = [line for line in report.splitlines() if "over AMF" in line]
        assert "+50% NDCG@10, +25% R@10" in amf
        assert amf.endswith("| reached |")

    def test_shows_what_a_boost_of_new_items_costs_the_others(self, results):
        assert "| next item | 1.25 | .0500 | .1000 |" in markdown_report(results)

    def test_ranking_must_beat_the_measured_ease_too(self, results):
        results["baselines"]["ease"]["ndcg_at_10"] = 0.055
        (row,) = [line for line in markdown_report(results).splitlines() if "EASE" in line]
        assert row.endswith("| **missed** |")

    def test_leaves_out_what_was_not_measured(self, results):
        assert "Training speed" not in markdown_report(results)
