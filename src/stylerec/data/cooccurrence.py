"""Item vectors from which items occur near each other in histories: a start for embeddings.

N customers, V items, D dimensions.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import eigsh

from stylerec.data.histories import Histories
from stylerec.data.splits import Split
from stylerec.schema.tensors import FIRST_ITEM_INDEX

CONTEXT_EXPONENT = 0.75
"""Smooths the context distribution: rare contexts would otherwise get the largest values."""
MAX_COUNTED_INTERACTIONS = 5_000_000
"""Of a longer log, whole histories of random customers are counted: memory stays bounded."""

_CUSTOMERS_PER_BLOCK = 50_000
_SPARSE_SOLVER_FROM = 4
"""Items per dimension from which the sparse solver is used; below it the dense one is faster."""


def spectral_embedding(
    histories: Histories,
    split: Split,
    *,
    num_items: int,
    dim: int,
    window: int = 7,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Returns item vectors whose products approximate how much oftener items meet than by chance.

    Counts pairs of items at most `window` interactions apart in the training part, each with
    weight 1 / distance, takes positive pointwise mutual information with a smoothed context
    distribution (Levy, Goldberg and Dagan 2015, section 3.1), and factorises it as they do (p = 1/2
    in their equation 8). Levy and Goldberg (2014) show that training with negative sampling
    factorises the same matrix. Unlike theirs the matrix is made symmetric, and the vectors are
    `U sqrt(L)` of its largest eigenvalues L instead of singular values: in a product of two such
    vectors, items that meet attract each other, and not only items with neighbours in common.

    Args:
        histories: All customers' interactions.
        split: Which of them train; no other is read.
        num_items: V.
        dim: D; dimensions beyond the rank of the matrix are zero.
        window: Largest distance that counts.
        seed: Of the solver's start, and of the customers counted in a long log.

    Returns:
        float32 `[V, D]`, scaled to a root mean square of 1 over items that occur; zero for items
        that never do.
    """
    counts = cooccurrence(histories, split, num_items=num_items, window=window, seed=seed)
    information = _positive_mutual_information(counts)
    vectors = np.zeros((num_items, dim), dtype=np.float32)
    if not information.nnz:
        return vectors
    values, directions = _largest_eigenvalues(information, dim, seed)
    vectors[:, : len(values)] = directions * np.sqrt(np.maximum(values, 0.0))
    vectors[counts.sum(axis=1) == 0] = 0.0
    occurs = vectors.any(axis=1)
    vectors /= max(float(np.sqrt(np.square(vectors[occurs]).mean())), 1e-12)
    return vectors


def _largest_eigenvalues(
    matrix: sparse.csr_array[np.float32], number: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns a symmetric matrix's largest eigenvalues, largest first, and their vectors."""
    size = matrix.shape[0]
    if size < _SPARSE_SOLVER_FROM * number:
        values, directions = np.linalg.eigh(matrix.toarray())
        values, directions = values[-number:], directions[:, -number:]
    else:
        start = np.random.default_rng(seed).random(size, dtype=np.float32)
        values, directions = eigsh(matrix, k=number, which="LA", v0=start)
    return values[::-1], directions[:, ::-1]


def cooccurrence(
    histories: Histories, split: Split, *, num_items: int, window: int, seed: int
) -> sparse.csr_array[np.float32]:
    """Returns the symmetric sum of 1 / distance over pairs of known items, float32 `[V, V]`."""
    customers = _counted_customers(np.asarray(split.train_lengths), seed)
    total = sparse.csr_array((num_items, num_items), dtype=np.float32)
    for first in range(0, len(customers), _CUSTOMERS_PER_BLOCK):
        some = customers[first : first + _CUSTOMERS_PER_BLOCK]
        total = total + _block_counts(histories, split, some, num_items=num_items, window=window)
    return sparse.csr_array(total + total.T)


def _counted_customers(lengths: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    if lengths.sum() <= MAX_COUNTED_INTERACTIONS:
        return np.arange(len(lengths))
    order = np.random.default_rng(seed).permutation(len(lengths))
    num_counted = int(np.searchsorted(np.cumsum(lengths[order]), MAX_COUNTED_INTERACTIONS))
    return np.sort(order[:num_counted])


def _block_counts(
    histories: Histories,
    split: Split,
    customers: NDArray[np.int64],
    *,
    num_items: int,
    window: int,
) -> sparse.csr_array[np.float32]:
    length = np.asarray(split.train_lengths)[customers]
    begin = np.cumsum(length) - length
    owner = np.repeat(np.arange(len(customers)), length)
    start = np.asarray(histories.offsets)[customers]
    item = histories.item_index[np.repeat(start - begin, length) + np.arange(len(owner))]
    rows, columns, weights = [], [], []
    for distance in range(1, window + 1):
        earlier, later = item[:-distance], item[distance:]
        is_pair = owner[:-distance] == owner[distance:]
        is_pair &= (earlier >= FIRST_ITEM_INDEX) & (later >= FIRST_ITEM_INDEX)
        rows.append(earlier[is_pair])
        columns.append(later[is_pair])
        weights.append(np.full(int(is_pair.sum()), 1.0 / distance, dtype=np.float32))
    places = (np.concatenate(rows), np.concatenate(columns))
    shape = (num_items, num_items)
    # Building a compressed matrix sums the repeats.
    return sparse.csr_array((np.concatenate(weights), places), shape=shape)


def _positive_mutual_information(
    counts: sparse.csr_array[np.float32],
) -> sparse.csr_array[np.float32]:
    """Returns `max(0, log(n_ij sum_c n_c^a / (n_i n_j^a)))`, made symmetric; n are sums."""
    pairs = counts.tocoo()
    total = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    context = total**CONTEXT_EXPONENT
    row, column = pairs.coords
    ratio = pairs.data * context.sum() / (total[row] * context[column])
    values = np.log(np.maximum(ratio, 1.0)).astype(np.float32)
    information = sparse.csr_array((values, (row, column)), shape=counts.shape)
    # The smoothed contexts make the two directions differ.
    symmetric = sparse.csr_array((information + information.T) * np.float32(0.5))
    symmetric.eliminate_zeros()
    return symmetric
