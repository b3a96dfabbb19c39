"""Whether a model's scores, read as probabilities, say how often it is right."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

NUM_BINS = 10


class CalibrationBin(BaseModel):
    """Recommendations of about the same predicted probability."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_recommendations: int = Field(ge=1)
    predicted: float
    """Mean predicted probability."""
    observed: float
    """Share that was the customer's target."""


class Calibration(BaseModel):
    """Reliability of the top ten recommendations.

    A recommendation's predicted probability is the softmax of the scores of all items that the
    customer has not seen. The model's temperature is part of its scores. Bins hold equally many
    recommendations, by predicted probability.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    expected_calibration_error: float = Field(ge=0.0)
    """Mean over recommendations of their bin's |predicted - observed| (Guo et al. 2017)."""
    predicted_hit_rate: float
    """Mean over customers of the ten probabilities' sum: the hit rate@10 the model expects."""
    observed_hit_rate: float
    bins: tuple[CalibrationBin, ...]


def calibration(probability: NDArray[np.floating], is_hit: NDArray[np.bool_]) -> Calibration | None:
    """Returns how well predicted probabilities match what happened, None without any.

    Args:
        probability: Of each recommendation, `[M, K]`; not a number where there is none.
        is_hit: Whether it was the target, `[M, K]`.
    """
    is_given = np.isfinite(probability)
    predicted = probability[is_given].astype(np.float64)
    observed = is_hit[is_given]
    if not len(predicted):
        return None
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, NUM_BINS) if len(part)]
    bins = tuple(
        CalibrationBin(
            num_recommendations=len(part),
            predicted=float(predicted[part].mean()),
            observed=float(observed[part].mean()),
        )
        for part in parts
    )
    error = sum(b.num_recommendations * abs(b.predicted - b.observed) for b in bins)
    return Calibration(
        expected_calibration_error=error / len(predicted),
        predicted_hit_rate=float(predicted.sum() / len(probability)),
        observed_hit_rate=float(observed.sum() / len(probability)),
        bins=bins,
    )
