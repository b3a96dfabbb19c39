"""How much each interaction counts as a training target: by its event type and its position."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.errors import ConfigError
from stylerec.schema.events import EVENT_CODES, NUM_EVENT_CODES

_COUNTED_PER_BLOCK = 10_000_000


class EventWeights(BaseModel):
    """How much a target of each event type counts in the loss; only their ratios matter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    view: float = Field(default=1.0, ge=0.0, allow_inf_nan=False)
    save: float = Field(default=1.0, ge=0.0, allow_inf_nan=False)
    add_to_bag: float = Field(default=1.0, ge=0.0, allow_inf_nan=False)
    purchase: float = Field(default=1.0, ge=0.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _check_some_event_counts(self) -> Self:
        if not self.by_code().any():
            raise ValueError("event_weights: expected one above 0, got none; raise one")
        return self

    def by_code(self) -> NDArray[np.float32]:
        """Returns the weight of each code of `schema.events`, float32; 0 for padding."""
        weights = np.zeros(NUM_EVENT_CODES, dtype=np.float32)
        for name, code in EVENT_CODES.items():
            weights[code] = getattr(self, name)
        return weights


class TargetWeights:
    """Weighs targets by their places in the flat arrays of `Histories`.

    A target of event type t, shown at a position that is examined with probability p, counts
    `event_weights[t] / max(p, min_propensity)`: what was clicked low on a page stands for what was
    not even seen there (Joachims et al., "Unbiased learning-to-rank with biased feedback", WSDM
    2017, equation 4; the bound against a large variance is from section 4 there).

    Args:
        histories: All customers' interactions.
        event_weights: By event type.
        propensity: One per interaction; None does not weigh by position.
        min_propensity: Smallest propensity that is believed, above 0.
    """

    def __init__(
        self,
        histories: Histories,
        *,
        event_weights: EventWeights,
        propensity: NDArray[np.float32] | None,
        min_propensity: float,
    ) -> None:
        self._event_type, self._by_code = histories.event_type, event_weights.by_code()
        self._propensity, self._min_propensity = propensity, min_propensity

    def __call__(self, place: NDArray[np.int64]) -> NDArray[np.float32]:
        """Returns the weights of the targets at some places, float32 `[n]`."""
        weight: NDArray[np.float32] = self._by_code[self._event_type[place]]
        if self._propensity is not None:
            believed = np.maximum(self._propensity[place], np.float32(self._min_propensity))
            weight /= believed
        return weight


def target_weights(
    data: PreparedData,
    *,
    model: str,
    event_weights: EventWeights,
    use_propensity: bool,
    min_propensity: float,
) -> TargetWeights | None:
    """Returns the configured weights of a data set's targets; None where all count the same.

    Args:
        data: Prepared data.
        model: Whose configuration it is, for the errors.
        event_weights: By event type.
        use_propensity: Whether position bias is corrected.
        min_propensity: See `TargetWeights`.

    Raises:
        ConfigError: Position bias should be corrected but the data has no propensities, or no
            event type of the data counts.
    """
    propensity = data.propensity if use_propensity else None
    if use_propensity and propensity is None:
        raise ConfigError(
            f"{model}.use_propensity",
            expected="prepared data with propensities",
            got=data.summary.omitted.get("position_bias", "none"),
            fix="add an impressions table and prepare it, or switch this off",
        )
    _check_some_target_counts(data.histories, event_weights, model=model)
    if propensity is None and len(set(event_weights.model_dump().values())) == 1:
        return None
    return TargetWeights(
        data.histories,
        event_weights=event_weights,
        propensity=propensity,
        min_propensity=min_propensity,
    )


def _check_some_target_counts(
    histories: Histories, event_weights: EventWeights, *, model: str
) -> None:
    by_code, codes = event_weights.by_code(), histories.event_type
    for first in range(0, len(codes), _COUNTED_PER_BLOCK):
        if by_code[codes[first : first + _COUNTED_PER_BLOCK]].any():
            return
    if len(codes):
        raise ConfigError(
            f"{model}.event_weights",
            expected="a weight above 0 for an event type of the data",
            got="0 for all that it has",
            fix="raise the weight of one of them",
        )
