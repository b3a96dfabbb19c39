import re

import pytest

from stylerec.data.prepared import DatasetSummary
from stylerec.evaluation.gates import GateConfig, check_gates
from stylerec.evaluation.report import write_report
from stylerec.evaluation.results import Evaluation

SUMMARY = DatasetSummary(
    num_customers=1_234,
    num_items=56,
    num_interactions=78_901,
    num_outfits=0,
    has_timestamps=True,
    has_event_types=True,
    has_outfits=False,
    has_images=False,
    has_prices=True,
    markets=(),
    latest_timestamp_s=0,
    dropped={"interactions_with_unknown_items": 42},
    omitted={"outfit": "there is no <outfit>"},
)
TRAINING = {
    "ranking": {
        "best_epoch": 2,
        "epochs": [
            {"epoch": n, "loss": 3.0 / n, "validation_ndcg_at_10": 0.01 * n, "seconds": 1.5}
            for n in (1, 2)
        ],
    }
}


@pytest.fixture
def page(tmp_path):
    def write(evaluation, training=TRAINING):
        path = tmp_path / "report.html"
        write_report(evaluation, SUMMARY, training, path)
        return path.read_text(encoding="utf-8")

    return write


@pytest.fixture
def evaluation(metrics, outfit_metrics):
    def build(ranking=0.05):
        bare = Evaluation(
            models={"ranking": metrics(ranking)},
            baselines={"amf": metrics(0.04)},
            outfit=outfit_metrics(0.8123),
        )
        gates = check_gates(bare, config=GateConfig(), current=None)
        return bare.model_copy(update={"gates": tuple(gates)})

    return build


class TestWriteReport:
    def test_shows_every_figure(self, page, evaluation):
        text = page(evaluation())
        for figure in ("1,234", "78,901", "0.0500", "0.0400", "0.8123", "42", "full candidate set"):
            assert figure in text

    def test_loads_nothing_from_elsewhere(self, page, evaluation):
        text = page(evaluation())
        assert not re.findall(r'(?:src|href)\s*=\s*"(?!#)[^"]*"', text)
        assert "<script" not in text
        assert "@import" not in text
        assert text.count("<svg") == 2

    def test_every_trained_model_has_its_curves(self, page, evaluation):
        text = page(evaluation(), {**TRAINING, "amf": TRAINING["ranking"]})
        assert text.count("2 epochs in 3 s. The weights of epoch 2 were kept") == 2
        assert text.count("<svg") == 3

    def test_a_full_evaluation_has_every_chart(self, page, full_metrics):
        full = Evaluation(models={"ranking": full_metrics}, baselines={"amf": full_metrics})
        # Comparison, slices, popularity, calibration and the curves of one model.
        assert page(full).count("<svg") == 5
        assert not re.findall(r'(?:src|href)\s*=\s*"(?!#)[^"]*"', page(full))

    def test_names_the_verdict(self, page, evaluation):
        assert "all 3 gates passed" in page(evaluation())
        assert "1 of 3 gates failed" in page(evaluation(0.01))
        assert "gates not checked" in page(Evaluation())

    def test_says_what_was_left_out_and_why(self, page, evaluation):
        text = page(evaluation())
        assert "there is no &lt;outfit&gt;" in text
        assert "Interactions with unknown items" in text

    def test_the_same_figures_give_the_same_page(self, page, evaluation):
        assert page(evaluation()) == page(evaluation())

    def test_sections_without_figures_are_absent(self, page):
        text = page(Evaluation(), training={})
        for title in ("Ranking", "Outfits", "Gates", "Learning curves"):
            assert f"<h2>{title}" not in text
