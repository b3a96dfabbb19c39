"""Bootstrap intervals of metrics over customers, and of the difference of two models.

M targets, C columns of values, G groups of equal targets, R replicates.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from stylerec.evaluation.metrics import Weights, hits, ndcg_gains, reciprocal_ranks, weighted_mean

NUM_REPLICATES = 2_000
CONFIDENCE = 0.95

_CELLS_PER_BLOCK = 4_000_000
_GAINS = {
    "hit_rate_at_10": hits,
    "ndcg_at_10": ndcg_gains,
    "mrr_at_10": reciprocal_ranks,
}


class Interval(BaseModel):
    """Percentile bootstrap interval (Efron and Tibshirani 1993) at 95 %."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float


class PairedDifference(BaseModel):
    """How much better one model is than another on the same targets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    reference: str
    metric: str
    difference: float
    """The model's figure minus the reference's."""
    interval: Interval
    """Of the difference; both models meet the same customers in each replicate."""
    uplift: float | None
    """The difference as a share of the reference's figure; None where that is 0."""
    uplift_interval: Interval | None
    """None where the reference is 0 in a replicate."""


def metric_intervals(
    ranks: NDArray[np.int64], weights: Weights = None, *, seed: int = 0
) -> dict[str, Interval]:
    """Returns intervals of hit rate, NDCG and MRR at 10; none without targets."""
    if not len(ranks):
        return {}
    values = np.stack([gain(ranks, 10) for gain in _GAINS.values()], axis=1)
    replicates = replicate_means(values, weights, seed=seed)
    return {name: _interval(replicates[:, column]) for column, name in enumerate(_GAINS)}


def paired_differences(
    ranks: dict[str, NDArray[np.int64]],
    weights: Weights = None,
    *,
    model: str,
    reference: str,
    seed: int = 0,
) -> list[PairedDifference]:
    """Returns how two models differ in hit rate and NDCG at 10; nothing without targets.

    Args:
        ranks: By name the ranks of the same targets in the same order, each `[M]`.
        weights: As in `weighted_mean`.
        model: Name of the model.
        reference: Name of what it is compared with.
        seed: Of the replicates.

    Raises:
        ValueError: The two ranked different numbers of targets.
    """
    mine, other = ranks[model], ranks[reference]
    if len(mine) != len(other):
        raise ValueError(
            f"ranks: expected the same targets of {model} and {reference}, got {len(mine)} and "
            f"{len(other)}"
        )
    found = []
    for metric in ("ndcg_at_10", "hit_rate_at_10") if len(mine) else ():
        values = np.stack([_GAINS[metric](ranked, 10) for ranked in (mine, other)], axis=1)
        replicates = replicate_means(values, weights, seed=seed)
        base = weighted_mean(values[:, 1], weights)
        difference = weighted_mean(values[:, 0], weights) - base
        is_above_zero = bool((replicates[:, 1] > 0).all())
        found.append(
            PairedDifference(
                model=model,
                reference=reference,
                metric=metric,
                difference=difference,
                interval=_interval(replicates[:, 0] - replicates[:, 1]),
                uplift=difference / base if base > 0 else None,
                uplift_interval=_interval(replicates[:, 0] / replicates[:, 1] - 1.0)
                if is_above_zero
                else None,
            )
        )
    return found


def replicate_means(
    values: NDArray[np.float64],
    weights: Weights = None,
    *,
    num_replicates: int = NUM_REPLICATES,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Returns the weighted means of resampled targets, float64 `[R, C]`.

    Drawing M of M targets with replacement is drawing the sizes of the groups of equal targets from
    a multinomial distribution. Gains at 10 have eleven values, so a million customers cost what a
    thousand do.

    Args:
        values: One row per target, `[M, C]`, M at least 1.
        weights: As in `weighted_mean`.
        num_replicates: R.
        seed: The same seed gives the same replicates.
    """
    num_targets = len(values)
    weight = np.ones(num_targets) if weights is None else np.asarray(weights, dtype=np.float64)
    first, counts = _groups([*values.T, weight])
    weighted = np.column_stack([values[first] * weight[first, None], weight[first]])
    generator = np.random.default_rng(seed)
    per_block = max(1, _CELLS_PER_BLOCK // len(first))
    means = []
    for start in range(0, num_replicates, per_block):
        size = min(per_block, num_replicates - start)
        sums = generator.multinomial(num_targets, counts / num_targets, size=size) @ weighted
        means.append(sums[:, :-1] / np.maximum(sums[:, -1:], np.finfo(float).tiny))
    return np.concatenate(means)


def _groups(columns: list[NDArray[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns one row of each group of rows that are equal in all columns, and their sizes."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        values, inverse = np.unique(column, return_inverse=True)
        # Made dense again each time, so that the product cannot overflow.
        _, code = np.unique(code * len(values) + inverse, return_inverse=True)
    _, first, counts = np.unique(code, return_index=True, return_counts=True)
    return first, counts


def _interval(replicates: NDArray[np.float64]) -> Interval:
    outside = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(replicates, [outside, 1.0 - outside])
    return Interval(low=float(low), high=float(high))
