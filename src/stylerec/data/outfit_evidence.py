"""How often items are worn together, as sparse counts.

V rows of the vocabulary, B outfits, K attribute values.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import eigsh

from stylerec.data.outfits import Outfit

Counts: TypeAlias = sparse.csr_array


def is_worn(outfits: Sequence[Outfit], *, num_items: int) -> NDArray[np.bool_]:
    """Returns which items are in an outfit, bool `[V]`."""
    worn_V = np.zeros(num_items, dtype=np.bool_)
    worn_V[np.concatenate([np.zeros(0, np.int64), *outfits])] = True
    return worn_V


def membership(outfits: Sequence[Outfit], *, num_items: int) -> Counts:
    """Returns which outfit holds which item, float32 `[B, V]` of ones and zeros."""
    sizes = [len(outfit) for outfit in outfits]
    columns = np.concatenate([np.zeros(0, np.int64), *outfits])
    rows = np.repeat(np.arange(len(outfits)), sizes)
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_array((ones, (rows, columns)), shape=(len(outfits), num_items))


def worn_together(outfits: Sequence[Outfit], *, num_items: int) -> Counts:
    """Returns in how many outfits two items meet, float32 `[V, V]`, symmetric, diagonal 0."""
    holds = membership(outfits, num_items=num_items)
    counts = sparse.csr_array(holds.T @ holds)
    counts.setdiag(0.0)
    counts.eliminate_zeros()
    return counts


def value_pairs(
    outfits: Sequence[Outfit], has_value: Counts, *, num_items: int
) -> NDArray[np.float64]:
    """Returns how often values meet on two different items of an outfit, float64 `[K, K]`.

    Args:
        outfits: Distinct item indices each.
        has_value: Which item has which value, `[V, K]` of ones and zeros.
        num_items: V.
    """
    together = worn_together(outfits, num_items=num_items)
    pairs: NDArray[np.float64] = (has_value.T @ (together @ has_value)).toarray()
    return pairs.astype(np.float64)


def values_at(
    matrix: Counts, row_P: NDArray[np.int64], column_P: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Returns the matrix at pairs of places, `[P]`; no places give no values."""
    if not len(row_P):
        return np.zeros(0)
    return np.asarray(matrix[row_P, column_P], dtype=np.float64).ravel()


def one_hot(code_V: NDArray[np.int64]) -> Counts:
    """Returns a row per item with a one at its code, float32 `[V, K]`; code 0 has no column set."""
    rows = np.flatnonzero(code_V > 0)
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_array((ones, (rows, code_V[rows])), shape=(len(code_V), code_V.max() + 1))


def spectral_style(
    together_VV: Counts, *, dim: int, num_steps: int = 3, seed: int = 0
) -> NDArray[np.float32]:
    """Returns item vectors whose products approximate short paths between items, `[V, D]`.

    With S the counts scaled by the roots of both items' totals and its largest eigenvalues L and
    vectors U, the vectors are U (L + L^2 + ... + L^steps)^(1/2): their products are the best of
    rank D for the sum of all paths of up to `num_steps` outfits. Items in no outfit are zero.

    Args:
        together_VV: In how many outfits two items meet, `[V, V]`.
        dim: D, below V.
        num_steps: Longest path.
        seed: Of the solver's start.
    """
    total_V = np.asarray(together_VV.sum(axis=1)).ravel()
    scale_V = np.where(total_V > 0, 1.0 / np.sqrt(np.maximum(total_V, 1.0)), 0.0)
    scaling = sparse.diags_array(scale_V)
    start = np.random.default_rng(seed).random(len(total_V))
    values, vectors = eigsh(Counts(scaling @ together_VV @ scaling), k=dim, which="LA", v0=start)
    paths = np.maximum(sum(values**step for step in range(1, num_steps + 1)), 0.0)
    style: NDArray[np.float32] = (vectors * np.sqrt(paths)).astype(np.float32)
    style[total_V == 0] = 0.0
    return style
