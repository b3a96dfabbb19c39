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
