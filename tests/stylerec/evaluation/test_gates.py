import pytest
from pydantic import ValidationError

from stylerec.errors import GateError
from stylerec.evaluation.gates import GateConfig, check_gates, enforce
from stylerec.evaluation.results import Evaluation

STRICT = GateConfig(num_standard_errors=0.0)


@pytest.fixture
def evaluation(metrics):
    def build(ranking, amf=0.04, **parts):
        return Evaluation(
            models={"ranking": metrics(ranking)}, baselines={"amf": metrics(amf)}, **parts
        )

    return build


def _verdicts(candidate, config=STRICT, current=None):
    return {
        gate.name: gate.is_passed for gate in check_gates(candidate, config=config, current=current)
    }


class TestCheckGates:
    def test_passes_at_exactly_the_baseline(self, evaluation):
        assert all(_verdicts(evaluation(0.04)).values())

    def test_fails_below_the_baseline(self, evaluation):
        assert _verdicts(evaluation(0.0399)) == {
            "ranking, evaluated customers": True,
            "ranking vs amf, ndcg_at_10": False,
        }

    def test_asks_for_the_configured_uplift(self, evaluation):
        config = GateConfig(num_standard_errors=0.0, min_relative_uplift=0.1)
        assert not _verdicts(evaluation(0.04 * 1.09), config)["ranking vs amf, ndcg_at_10"]
        assert _verdicts(evaluation(0.04 * 1.11), config)["ranking vs amf, ndcg_at_10"]

    def test_noise_of_both_figures_widens_the_bound(self, metrics):
        candidate = Evaluation(
            models={"ranking": metrics(0.036, standard_error=0.003)},
            baselines={"amf": metrics(0.04, standard_error=0.004)},
        )
        (gate,) = (
            g
            for g in check_gates(candidate, config=GateConfig(), current=None)
            if g.name.startswith("ranking vs")
        )
        # 3-4-5 triangle: 0.04 - 1 x 0.005.
        assert gate.threshold == pytest.approx(0.04 - 0.005)
        assert gate.is_passed

    def test_allows_a_small_regression_against_the_current_release(self, evaluation):
        current = evaluation(0.1)
        name = "ranking vs current release, ndcg_at_10"
        assert _verdicts(evaluation(0.1 * 0.96), current=current)[name]
        assert not _verdicts(evaluation(0.1 * 0.94), current=current)[name]

    def test_a_model_new_to_the_release_meets_the_baseline_only(self, evaluation, metrics):
        candidate = evaluation(0.05)
        candidate = candidate.model_copy(
            update={"models": {**candidate.models, "next_item": metrics(0.05)}}
        )
        names = _verdicts(candidate, current=evaluation(0.05))
        assert "next_item vs amf, ndcg_at_10" in names
        assert "next_item vs current release, ndcg_at_10" not in names

    def test_a_figure_over_no_customers_does_not_pass(self, metrics):
        candidate = Evaluation(
            models={"ranking": metrics(0.0, num_customers=0)}, baselines={"amf": metrics(0.0)}
        )
        assert not _verdicts(candidate)["ranking, evaluated customers"]

    def test_outfits_must_beat_chance_and_keep_up(self, evaluation, outfit_metrics):
        current = evaluation(0.05, outfit=outfit_metrics(0.8))
        weak = _verdicts(evaluation(0.05, outfit=outfit_metrics(0.5)), current=current)
        assert not weak["outfit vs chance, auc"]
        assert not weak["outfit vs current release, auc"]
        assert all(
            _verdicts(evaluation(0.05, outfit=outfit_metrics(0.79)), current=current).values()
        )

    def test_an_omitted_branch_is_compared_with_nothing(self):
        assert check_gates(Evaluation(), config=STRICT, current=None) == []

    def test_raises_without_a_baseline(self, metrics):
        candidate = Evaluation(
            models={"ranking": metrics(0.05)}, baselines={"popular": metrics(0.01)}
        )
        with pytest.raises(GateError, match="expected the amf baseline, got popular"):
            check_gates(candidate, config=STRICT, current=None)


class TestEnforce:
    def test_does_nothing_when_all_passed(self, evaluation):
        enforce(check_gates(evaluation(0.05), config=STRICT, current=None))

    def test_raises_with_every_number_that_failed(self, evaluation):
        results = check_gates(evaluation(0.03), config=STRICT, current=evaluation(0.1))
        with pytest.raises(GateError) as caught:
            enforce(results)
        message = str(caught.value)
        assert "ranking vs amf, ndcg_at_10 at least 0.0400" in message
        assert "ranking vs current release, ndcg_at_10 at least 0.0950" in message
        assert message.count("0.0300") == 2


class TestGateConfig:
    @pytest.mark.parametrize(
        "wrong", [{"max_relative_regression": -0.1}, {"min_outfit_auc": 2}, {"typo": 1}]
    )
    def test_refuses_what_cannot_work(self, wrong):
        with pytest.raises(ValidationError):
            GateConfig(**wrong)
