"""How well scores agree with what customers want. n customers, C candidates, M pages."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

FloatArray = NDArray[np.floating]


def kendall_tau(scores: FloatArray, attraction: FloatArray) -> float:
    """Returns Kendall's tau-b of scores and attraction, mean over customers; both `[n, C]`."""
    taus = [kendalltau(s, a).statistic for s, a in zip(scores, attraction, strict=True)]
    # A customer whose scores are all equal has been given no order.
    return float(np.nan_to_num(taus).mean())


def preference_ndcg(scores: FloatArray, attraction: FloatArray, k: int = 10) -> float:
    """Returns NDCG at k with the attraction as gain, mean over customers; both `[n, C]`."""
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    gained = (np.take_along_axis(attraction, order, axis=1) * discount).sum(axis=1)
    best = (-np.sort(-attraction, axis=1)[:, :k] * discount).sum(axis=1)
    return float((gained / best).mean())


@dataclass(frozen=True)
class MetricOnLog:
    """One metric on the same pages, three ways.

    Attributes:
        unbiased: As if every position were looked at.
        naive: Over the clicks as they are.
        corrected: Over the clicks, each weighted by the inverse of its propensity.
    """

    unbiased: float
    naive: float
    corrected: float


def metric_on_log(
    gain: FloatArray,
    *,
    is_attractive: NDArray[np.bool_],
    is_clicked: NDArray[np.bool_],
    propensity: FloatArray,
) -> MetricOnLog:
    """Returns the mean gain of what was or would be clicked.

    Args:
        gain: Of each shown item, `[m]`.
        is_attractive: Would be clicked if it were looked at, `[m]`.
        is_clicked: `[m]`.
        propensity: Of its position, above 0, `[m]`.
    """
    return MetricOnLog(
        unbiased=float(gain[is_attractive].mean()),
        naive=float(gain[is_clicked].mean()),
        corrected=float(np.average(gain[is_clicked], weights=1.0 / propensity[is_clicked])),
    )
