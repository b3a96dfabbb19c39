"""From impressions to the examination propensity of each touchpoint and position."""

import numpy as np
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.propensities.examination import fit_examination
from stylerec.data.propensities.impressions import Impressions
from stylerec.data.propensities.ranking_policy import expected_rank
from stylerec.data.propensities.table import Propensities

MIN_CLICKS = 200
"""A touchpoint with fewer clicks is left out."""
_MIN_CLICKS_PER_POSITION = 20
"""Neighbouring positions share a propensity until they have so many clicks together."""
_CLICKS_PER_STRATUM = 50
_MAX_STRATA = 20


def estimate_propensities(
    impressions: Impressions, histories: Histories, content: NDArray[np.float32]
) -> Propensities:
    """Returns the propensities of the touchpoints with enough clicks.

    Impressions of a touchpoint are cut into strata of equal size by `expected_rank`, and the
    position-based model is fitted to the clicks per position and stratum (`fit_examination`).

    What it assumes: whether a position is looked at depends on nothing but touchpoint and position;
    every touchpoint's first position is looked at equally often; and within a stratum relevance no
    longer goes with the position. The last holds only as far as `expected_rank` knows what the shop
    ranked by: what it misses makes the propensities fall too steeply.

    Args:
        impressions: Of all touchpoints.
        histories: Of the customers that `impressions.customer` counts.
        content: Unit content vectors of all items, `[V, E]`.
    """
    found: dict[str, tuple[float, ...]] = {}
    left_out: dict[str, str] = {}
    expected = expected_rank(impressions, histories, content) if len(impressions) else np.zeros(0)
    for code, name in enumerate(impressions.touchpoint_names):
        is_here = impressions.touchpoint == code
        position, is_clicked = impressions.position[is_here], impressions.is_clicked[is_here]
        group = position_groups(position, is_clicked)
        reason = _shortcoming(num_clicks=int(is_clicked.sum()), num_groups=int(group.max()) + 1)
        if reason:
            left_out[name] = reason
            continue
        strata = _strata(expected[is_here], num_clicks=int(is_clicked.sum()))
        examination = _fit(group[position], strata, is_clicked)
        found[name] = tuple(float(value) for value in np.round(examination[group], 6))
    return Propensities(touchpoints=found, left_out=left_out)


def position_groups(
    position: NDArray[np.int64], is_clicked: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Returns the group of each position from 0, int64 `[last position + 1]`.

    From the top, a group closes when it has enough clicks; what is left at the end joins the last
    one that has. Positions before the first one shown belong to the first group.
    """
    clicks = np.bincount(position, weights=is_clicked)
    group = np.zeros(len(clicks), dtype=np.int64)
    number, sum_here = 0, 0.0
    for place, count in enumerate(clicks):
        group[place] = number
        sum_here += count
        if sum_here >= _MIN_CLICKS_PER_POSITION:
            number, sum_here = number + 1, 0.0
    return np.minimum(group, max(number - 1, 0))


def _shortcoming(*, num_clicks: int, num_groups: int) -> str:
    if num_clicks < MIN_CLICKS:
        return f"{num_clicks} clicks on impressions of known items, needs {MIN_CLICKS}"
    if num_groups < 2:
        return "clicks at one position only"
    return ""


def _strata(expected: NDArray[np.float64], *, num_clicks: int) -> NDArray[np.int64]:
    """Returns each impression's stratum, from 0 without gaps."""
    number = max(1, min(_MAX_STRATA, num_clicks // _CLICKS_PER_STRATUM))
    edges = np.quantile(expected, np.arange(1, number) / number)
    # Equal expectations leave strata empty.
    _, strata = np.unique(np.searchsorted(edges, expected), return_inverse=True)
    return np.asarray(strata, dtype=np.int64)


def _fit(
    group: NDArray[np.int64], strata: NDArray[np.int64], is_clicked: NDArray[np.bool_]
) -> NDArray[np.float64]:
    shape = int(group.max()) + 1, int(strata.max()) + 1
    cell = group * shape[1] + strata
    shown = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    clicked = np.bincount(cell[is_clicked], minlength=shape[0] * shape[1]).reshape(shape)
    return fit_examination(shown, clicked)
