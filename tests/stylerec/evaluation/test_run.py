import json
import math

import numpy as np
import pandas as pd
import pytest

from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData
from stylerec.evaluation.gates import GateConfig
from stylerec.evaluation.run import evaluate_models

NUM_ITEMS = 10


@pytest.fixture
def folder(tmp_path):
    """Prepares customers who walk through the items in order."""
    tables = tmp_path / "tables"
    tables.mkdir()
    walks = [
        (f"c{start}", f"i{(start + step) % NUM_ITEMS}") for start in range(10) for step in range(4)
    ]
    pd.DataFrame(walks, columns=["customer_id", "item_id"]).to_parquet(
        tables / "interactions.parquet"
    )
    pd.DataFrame({"item_id": [f"i{n}" for n in range(NUM_ITEMS)]}).to_parquet(
        tables / "items.parquet"
    )
    output = tmp_path / "prepared"
    prepare(tables, output, PrepareConfig(), progress=lambda line: None)
    return output


@pytest.fixture
def models(exported, tmp_path):
    """A model whose nearest item is the next one, and a baseline that knows nothing."""
    angle = (np.arange(2 + NUM_ITEMS) - 2) / NUM_ITEMS * 2 * np.pi
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    return {
        "ranking": exported(circle, name="ranking"),
        "amf": exported(np.ones_like(circle), name="amf"),
        "outfit": tmp_path / "nothing",
    }


@pytest.fixture
def run(folder, models):
    """Evaluates the models with the given options."""
    return lambda **options: evaluate_models(folder, models, progress=lambda line: None, **options)


class TestEvaluateModels:
    def test_measures_models_and_baselines(self, run):
        evaluation = run()
        assert set(evaluation.models) == {"ranking"}
        assert set(evaluation.baselines) >= {"popular", "item_knn_last", "item_knn_history", "amf"}
        # A walk's own items are filtered, so the nearest item left is the next one.
        assert evaluation.models["ranking"].mrr_at_10 == 1.0
        # Seven items are left; ties of a constant model put the target last.
        assert evaluation.baselines["amf"].mrr_at_10 == pytest.approx(1 / 7)
        assert evaluation.models["ranking"].num_customers == 10

    def test_says_what_is_left_out_and_why(self, run):
        omitted = run().omitted
        assert omitted["next_item"] == "no model was exported"
        assert omitted["outfit"] == "there is no outfit of two or more known items"

    def test_adds_the_gates_verdicts(self, run):
        gates = run(gates=GateConfig()).gates
        assert [gate.is_passed for gate in gates] == [True, True]
        assert run().gates == ()

    def test_writes_the_report_with_the_curves_beside_the_models(self, run, models, tmp_path):
        record = {
            "best_epoch": 1,
            "epochs": [{"epoch": 1, "loss": 1.0, "validation_ndcg_at_10": 0.2, "seconds": 1.0}],
        }
        (models["ranking"] / "training.json").write_text(json.dumps(record))
        run(report=tmp_path / "report.html")
        text = (tmp_path / "report.html").read_text()
        curves = text[text.index("<h2>Learning curves") :]
        assert "<h3>Ranking" in curves
        assert "<h3>AMF" not in curves

    def test_evaluates_a_subset_when_asked(self, run):
        assert run(max_customers=4).models["ranking"].num_customers == 4

    def test_measures_what_is_beyond_accuracy(self, run):
        metrics = run().models["ranking"]
        # Ten customers walk four items each on a circle of ten: everything is recommended.
        assert metrics.coverage_at_10 == 1.0
        assert metrics.popularity_bias_at_10 == pytest.approx(1.0)
        assert metrics.slices["history_short"].num_customers == 10
        assert metrics.slices["history_short"].is_too_small
        assert metrics.calibration is not None

    def test_compares_models_on_the_same_customers(self, run):
        found = {(d.model, d.reference, d.metric): d for d in run().differences}
        against_amf = found["ranking", "amf", "ndcg_at_10"]
        # Every customer's target ranks 1 by the model and 7 by the baseline.
        assert against_amf.difference == pytest.approx(1.0 - 1.0 / math.log2(7 + 1))
        assert against_amf.interval.low == against_amf.interval.high
        references = {reference for _, reference, _ in found}
        assert len(references) == 2
        assert references - {"amf"} <= set(run().baselines)

    def test_a_baseline_says_what_was_chosen_for_it(self, run):
        evaluation = run()
        assert "item_knn_last" in evaluation.baseline_settings
        assert "popular" not in evaluation.baseline_settings
        assert evaluation.omitted["recent_popular"] == "the interactions have no times"

    def test_corrects_for_position_where_propensities_are_known(self, run, folder):
        assert run().position_corrected == {}
        propensity = np.ones(len(PreparedData(folder).histories.item_index), np.float32)
        np.save(folder / "propensity.npy", propensity)
        evaluation = run()
        assert set(evaluation.position_corrected) == {"ranking", "amf"}
        corrected = evaluation.position_corrected["amf"]
        assert corrected.is_weighted
        assert corrected.mrr_at_10 == pytest.approx(evaluation.baselines["amf"].mrr_at_10)
