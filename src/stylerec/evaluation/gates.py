"""Gates: the comparisons a candidate must pass before it becomes a release."""

import math
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict, Field

from stylerec.errors import GateError, shortened
from stylerec.evaluation.outfits import OutfitMetrics
from stylerec.evaluation.results import Evaluation, GateResult, RankingMetrics

AMF = "amf"


class GateConfig(BaseModel):
    """How much better than the baseline, and how little worse than the release, is enough.

    Ranking models are compared by NDCG@10. A difference smaller than `num_standard_errors` of the
    two figures together is taken for noise, so that a small evaluation does not fail by chance.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_relative_uplift: float = Field(default=0.0, ge=-1.0, le=10.0)
    """Over the AMF baseline; 0 means not worse than it."""
    max_relative_regression: float = Field(default=0.05, ge=0.0, le=1.0)
    """Against the current release's figure for the same model."""
    num_standard_errors: float = Field(default=1.0, ge=0.0, le=5.0)
    """Tolerance for noise; 0 compares the bare figures."""
    min_customers: int = Field(default=1, ge=0)
    """Evaluated customers below which a ranking figure means nothing."""
    min_outfit_auc: float = Field(default=0.55, ge=0.0, le=1.0)
    """Compatibility AUC; a scorer that knows nothing reaches 0.5."""
    max_outfit_auc_regression: float = Field(default=0.02, ge=0.0, le=1.0)
    """Against the current release, in AUC points."""


def check_gates(
    candidate: Evaluation, *, config: GateConfig, current: Evaluation | None
) -> list[GateResult]:
    """Returns every comparison that applies to the candidate, passed or not.

    A model that the current release lacks is compared with the baseline only; a branch that the
    candidate left out is compared with nothing, as its reason is part of the evaluation.

    Args:
        candidate: Evaluation of the models about to be released.
        config: Thresholds.
        current: Evaluation of the release in service, None before the first.

    Raises:
        GateError: There is a ranking model but no AMF baseline to compare it with.
    """
    results = list(_ranking_gates(candidate, config, current))
    if candidate.outfit is not None:
        results += _outfit_gates(candidate.outfit, config, current)
    return results


def enforce(results: Iterable[GateResult]) -> None:
    """Does nothing when every gate passed.

    Raises:
        GateError: Lists each failed gate with its figure and threshold.
    """
    failed = [result for result in results if not result.is_passed]
    if not failed:
        return
    raise GateError(
        "gates",
        expected="; ".join(f"{gate.name} at least {gate.threshold:.4f}" for gate in failed),
        got="; ".join(f"{gate.value:.4f} ({gate.detail})" for gate in failed),
        fix="train longer or on more data, or lower the gate's bound in the pipeline's config",
    )


def _ranking_gates(
    candidate: Evaluation, config: GateConfig, current: Evaluation | None
) -> Iterator[GateResult]:
    if candidate.models and AMF not in candidate.baselines:
        raise GateError(
            "evaluation.baselines",
            expected=f"the {AMF} baseline",
            got=shortened(candidate.baselines) or "none",
            fix="train RankingConfig.amf() and evaluate its export as a baseline",
        )
    for name, metrics in candidate.models.items():
        yield GateResult(
            name=f"{name}, evaluated customers",
            value=metrics.num_customers,
            threshold=config.min_customers,
            is_passed=metrics.num_customers >= config.min_customers,
            detail="customers with three interactions and a target not seen before",
        )
        yield _ndcg_gate(
            f"{name} vs {AMF}",
            metrics,
            candidate.baselines[AMF],
            1.0 + config.min_relative_uplift,
            config,
        )
        if current is not None and name in current.models:
            yield _ndcg_gate(
                f"{name} vs current release",
                metrics,
                current.models[name],
                1.0 - config.max_relative_regression,
                config,
            )


def _ndcg_gate(
    name: str,
    metrics: RankingMetrics,
    reference: RankingMetrics,
    factor: float,
    config: GateConfig,
) -> GateResult:
    noise = config.num_standard_errors * math.hypot(
        metrics.ndcg_at_10_standard_error, reference.ndcg_at_10_standard_error
    )
    threshold = factor * reference.ndcg_at_10 - noise
    return GateResult(
        name=f"{name}, ndcg_at_10",
        value=metrics.ndcg_at_10,
        threshold=threshold,
        is_passed=metrics.ndcg_at_10 >= threshold,
        detail=f"{factor:g} x {reference.ndcg_at_10:.4f} - {noise:.4f} for noise",
    )


def _outfit_gates(
    outfit: OutfitMetrics, config: GateConfig, current: Evaluation | None
) -> Iterator[GateResult]:
    yield GateResult(
        name="outfit vs chance, auc",
        value=outfit.auc,
        threshold=config.min_outfit_auc,
        is_passed=outfit.auc >= config.min_outfit_auc,
        detail="a scorer that knows nothing reaches 0.5",
    )
    if current is not None and current.outfit is not None:
        threshold = current.outfit.auc - config.max_outfit_auc_regression
        yield GateResult(
            name="outfit vs current release, auc",
            value=outfit.auc,
            threshold=threshold,
            is_passed=outfit.auc >= threshold,
            detail=f"{current.outfit.auc:.4f} - {config.max_outfit_auc_regression:g}",
        )
