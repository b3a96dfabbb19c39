import json

import pytest
from pydantic import ValidationError

from stylerec.evaluation.results import Evaluation, GateResult


class TestEvaluation:
    def test_reloads_equal(self, metrics, outfit_metrics, tmp_path):
        evaluation = Evaluation(
            models={"ranking": metrics(0.04)},
            baselines={"amf": metrics(0.03)},
            outfit=outfit_metrics(0.8),
            omitted={"next_item": "too few customers"},
            gates=(GateResult(name="g", value=1.0, threshold=0.5, is_passed=True, detail="half"),),
        )
        evaluation.save(tmp_path / "evaluation.json")
        assert Evaluation.load(tmp_path / "evaluation.json") == evaluation

    def test_a_full_evaluation_reloads_equal(self, full_metrics, tmp_path):
        evaluation = Evaluation(
            models={"ranking": full_metrics},
            baseline_settings={"ease": "100.0"},
            position_corrected={"ranking": full_metrics},
        )
        evaluation.save(tmp_path / "evaluation.json")
        again = Evaluation.load(tmp_path / "evaluation.json")
        assert again == evaluation
        assert again.models["ranking"].coverage_at_10 == full_metrics.at[10].coverage

    def test_that_of_an_older_release_still_reads(self):
        old = {
            "hit_rate_at_10": 0.08,
            "ndcg_at_10": 0.04,
            "mrr_at_10": 0.03,
            "ndcg_at_10_standard_error": 0.001,
            "num_customers": 1_000,
            "num_repeat_targets": 3,
            "candidate_set": "full",
        }
        document = {
            "split": "test",
            "models": {"ranking": old},
            "baselines": {"amf": old, "popular": old},
            "outfit": None,
            "omitted": {"outfit": "no model was exported"},
            "gates": [],
        }
        evaluation = Evaluation.model_validate_json(json.dumps(document))
        metrics = evaluation.models["ranking"]
        assert metrics.ndcg_at_10 == 0.04
        assert metrics.coverage_at_10 is None
        assert metrics.novelty_at_10 is None
        assert metrics.popularity_bias_at_10 is None

    def test_headline_has_one_figure_per_model(self, metrics, outfit_metrics):
        evaluation = Evaluation(
            models={"ranking": metrics(0.04)},
            baselines={"amf": metrics(0.03)},
            outfit=outfit_metrics(0.8),
        )
        assert evaluation.headline() == {
            "ranking_ndcg_at_10": 0.04,
            "amf_ndcg_at_10": 0.03,
            "outfit_auc": 0.8,
        }

    def test_says_that_the_candidate_set_is_full(self, metrics):
        assert metrics(0.04).model_dump()["candidate_set"] == "full"

    def test_refuses_an_unknown_field(self):
        with pytest.raises(ValidationError, match="typo"):
            Evaluation(typo=1)
