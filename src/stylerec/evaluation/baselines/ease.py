"""EASE: a linear model over items with a closed form. B customers of a block, V items, K met."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from stylerec.errors import ConfigError
from stylerec.evaluation.baselines.known import Known, history_matrix
from stylerec.evaluation.blocks import Block, BlockScorer

MAX_ITEMS = 20_000
"""Items met beyond which it is refused: 1.6 GB of weights, and minutes per inverse."""

_COLUMNS_PER_COPY = 1_024


def ease_scorer(known: Known, *, regularisation: float, max_items: int = MAX_ITEMS) -> BlockScorer:
    """Returns a scorer by "embarrassingly shallow autoencoders" (Steck 2019).

    The weights are the closed form of the least-squares problem with a zero diagonal; a customer's
    scores are the sums of the weights' rows of what they met. Items nobody met score 0.

    Args:
        known: Who met what.
        regularisation: The paper's lambda; chosen on validation where it matters.
        max_items: Largest K. Memory is `4 K^2` bytes besides the pairs of items met together.

    Raises:
        ConfigError: Customers met more than `max_items` items, or lambda is too small for the
            precision of the arithmetic.
    """
    met = np.flatnonzero(known.matrix.sum(axis=0))
    if len(met) > max_items:
        raise ConfigError(
            "evaluation.baselines.ease",
            expected=f"at most {max_items:,} items that customers met",
            got=f"{len(met):,}, whose weights take {4e-9 * len(met) ** 2:.1f} GB",
            fix="leave EASE out, or raise max_items where there is memory for it",
        )
    weights = ease_weights(known.matrix[:, met], regularisation=regularisation)

    def score(part: Block) -> NDArray[np.float32]:
        history = history_matrix(part, num_items=known.num_items)[:, met]
        history.data[:] = 1.0
        scores = np.zeros((len(part.lengths), known.num_items), dtype=np.float32)
        scores[:, met] = history @ weights
        return scores

    return score


def ease_weights(
    matrix: sparse.csr_array[np.float32], *, regularisation: float
) -> NDArray[np.float32]:
    """Returns Steck's (2019) equation 8, float32 `[K, K]`: `B_ij = -P_ij / P_jj`, `B_jj = 0`.

    `P = (X^T X + lambda I)^-1` by a Cholesky factorisation in place. Single precision is enough:
    the factorised matrix has no eigenvalue below lambda.

    Args:
        matrix: X, float32 0/1 `[N, K]`.
        regularisation: lambda, above 0.

    Raises:
        ConfigError: lambda is too small for single precision.
    """
    inverse = (matrix.T @ matrix).toarray(order="F").astype(np.float32, copy=False)
    inverse[np.diag_indices_from(inverse)] += regularisation
    inverse, has_failed = lapack.spotrf(inverse, lower=1, overwrite_a=1, clean=0)
    if not has_failed:
        inverse, has_failed = lapack.spotri(inverse, lower=1, overwrite_c=1)
    if has_failed:
        raise ConfigError(
            "evaluation.baselines.ease.regularisation",
            expected="a value that leaves the item-item matrix positive definite",
            got=f"{regularisation:g}",
            fix="try a larger one",
        )
    _mirror_lower(inverse)
    # A symmetric matrix is its own transpose, and rows that lie together multiply without a copy.
    weights: NDArray[np.float32] = inverse.T
    weights /= -np.diagonal(weights).copy()
    np.fill_diagonal(weights, 0.0)
    return weights


def _mirror_lower(square: NDArray[np.float32]) -> None:
    """Copies the lower triangle onto the upper one, which LAPACK leaves as it was."""
    for start in range(0, len(square), _COLUMNS_PER_COPY):
        stop = start + _COLUMNS_PER_COPY
        square[start:stop, stop:] = square[stop:, start:stop].T
        corner = square[start:stop, start:stop]
        corner[...] = np.tril(corner) + np.tril(corner, -1).T
