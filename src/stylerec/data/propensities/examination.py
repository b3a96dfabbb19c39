"""The position-based click model, fitted to counts.

K groups of positions, S strata of relevance.
"""

import numpy as np
from numpy.typing import NDArray

_MAX_STEPS = 20_000
_TOLERANCE = 1e-8
_SMALLEST = 1e-12


def fit_examination(
    shown: NDArray[np.integer], clicked: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Returns how likely each group of positions is examined, relative to the first, `[K]`.

    Position-based model: `P(click | k, s) = examination[k] * relevance[s]` (Wang et al., "Position
    bias estimation for unbiased learning to rank in personal search", WSDM 2018, equations 1 and
    2), fitted by the expectation maximisation of section 4.1 there. Only products are identified,
    so that the first group is set to 1; a later one may exceed it. Deliberate difference: their
    relevance is a regression on features; here it is constant within a stratum, so that the
    maximisation is a ratio of counts and needs no row of the log.

    Args:
        shown: Impressions per group and stratum, `[K, S]`; every row and column has some.
        clicked: Clicks among them, `[K, S]`; every row has some.
    """
    not_clicked = shown - clicked
    examination = np.full(shown.shape[0], 0.5)
    relevance = np.full(shown.shape[1], 0.5)
    for _ in range(_MAX_STEPS):
        before = examination
        unclicked = not_clicked / np.maximum(1.0 - examination[:, None] * relevance, _SMALLEST)
        # Expected impressions that were examined, and that were relevant, given the click or not.
        examined = clicked + unclicked * examination[:, None] * (1.0 - relevance)
        relevant = clicked + unclicked * relevance * (1.0 - examination[:, None])
        examination = examined.sum(axis=1) / shown.sum(axis=1)
        relevance = relevant.sum(axis=0) / shown.sum(axis=0)
        if np.abs(examination - before).max() < _TOLERANCE:
            break
    return np.asarray(examination / examination[0])
