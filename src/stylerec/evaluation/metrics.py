"""Ranking metrics at any k: accuracy from the targets' ranks, the rest from the top lists.

M targets, V items, K length of a top list.
"""

import numpy as np
from numpy.typing import NDArray

from stylerec.schema.tensors import FIRST_ITEM_INDEX, PADDING_INDEX

Weights = NDArray[np.floating] | None
"""How much each target counts, `[M]`; None for all alike. Only their ratios matter."""


def hits(ranks: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Returns 1 where a target ranks `k` or better, else 0, float64 `[M]`."""
    return (ranks <= _checked(k)).astype(np.float64)


def ndcg_gains(ranks: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Returns each target's own NDCG at k: `1 / log2(rank + 1)`, 0 beyond k, float64 `[M]`.

    Järvelin and Kekäläinen (2002) with one relevant item, whose ideal gain is 1.
    """
    return np.where(ranks <= _checked(k), 1.0 / np.log2(ranks + 1.0), 0.0)


def reciprocal_ranks(ranks: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Returns `1 / rank` of each target, 0 beyond k, float64 `[M]`."""
    return np.where(ranks <= _checked(k), 1.0 / ranks, 0.0)


def hit_rate_at_k(ranks: NDArray[np.int64], k: int, weights: Weights = None) -> float:
    """Returns the share of targets ranked `k` or better; with one target this is also recall."""
    return weighted_mean(hits(ranks, k), weights)


def ndcg_at_k(ranks: NDArray[np.int64], k: int, weights: Weights = None) -> float:
    """Returns the mean of `ndcg_gains`."""
    return weighted_mean(ndcg_gains(ranks, k), weights)


def mrr_at_k(ranks: NDArray[np.int64], k: int, weights: Weights = None) -> float:
    """Returns the mean of `reciprocal_ranks`."""
    return weighted_mean(reciprocal_ranks(ranks, k), weights)


def weighted_mean(values: NDArray[np.float64], weights: Weights = None) -> float:
    """Returns `sum(w x) / sum(w)`, 0 without values or where none of them weighs anything.

    With the inverse of the chance that a target's position was examined as its weight this is the
    self-normalised estimate of the mean without position bias (Swaminathan and Joachims 2015).
    """
    if not len(values) or (weights is not None and not weights.any()):
        return 0.0
    return float(np.average(values, weights=weights))


def standard_error(values: NDArray[np.float64], weights: Weights = None) -> float:
    """Returns the standard error of `weighted_mean`, 0 for fewer than two values.

    `sqrt(n / (n - 1) sum(w^2 (x - mean)^2)) / sum(w)`: without weights the usual `s / sqrt(n)`.
    """
    num = len(values)
    weight = np.ones(num) if weights is None else np.asarray(weights, dtype=np.float64)
    if num < 2 or not weight.any():
        return 0.0
    off = weight * (values - weighted_mean(values, weights))
    return float(np.sqrt(num / (num - 1) * (off @ off)) / weight.sum())


def coverage_at_k(top: NDArray[np.integer], k: int, *, num_items: int) -> float:
    """Returns the share of the catalogue that is in at least one customer's top k.

    Args:
        top: Item indices, best first, `[M, K]`, 0 where there is none; so below.
        k: At most K.
        num_items: V, padding and unknown included.
    """
    is_shown = recommendation_counts(top, k, num_items=num_items) > 0
    size = num_items - FIRST_ITEM_INDEX
    return float(is_shown.sum() / size) if size > 0 else 0.0


def novelty_at_k(top: NDArray[np.integer], k: int, *, counts: NDArray[np.int64]) -> float:
    """Returns the mean self-information of recommended items, `-log2 p(item)`, in bits.

    Vargas and Castells (2011). `p = (n + 1) / (sum(n) + number of items)`: the item's share of the
    training interactions, one added to each so that a cold item's is finite.

    Args:
        top: As in `coverage_at_k`.
        k: At most K.
        counts: n, training interactions of each item, `[V]`.
    """
    shown = recommendation_counts(top, k, num_items=len(counts))
    if not shown.any():
        return 0.0
    share = (counts + 1.0) / (counts.sum() + len(counts) - FIRST_ITEM_INDEX)
    return float(-(shown @ np.log2(share)) / shown.sum())


def popularity_bias_at_k(
    top: NDArray[np.integer],
    k: int,
    *,
    counts: NDArray[np.int64],
    history_popularity: NDArray[np.float64],
) -> float:
    """Returns how much more popular recommendations are than what their customers choose.

    Mean training interactions of a recommended item over the mean of an item of the histories,
    each a mean of the customers' own means (Abdollahpouri et al. 2019, the ratio of their GAP_r
    and GAP_p). 1 is no bias; 0 where nothing was popular.

    Args:
        top: As in `coverage_at_k`.
        k: At most K.
        counts: Training interactions of each item, `[V]`.
        history_popularity: Mean count of the items in each customer's history, `[M]`.
    """
    some = top[:, : _checked(k)]
    is_item = some != PADDING_INDEX
    totals = np.where(is_item, counts[some], 0).sum(axis=1)
    recommended = weighted_mean(totals / np.maximum(is_item.sum(axis=1), 1))
    own = weighted_mean(history_popularity)
    return recommended / own if own > 0 else 0.0


def popularity_deciles(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns each item's tenth of the catalogue by popularity, int64 `[V]`, 0 = most popular.

    Tenths have equally many items; of equally popular items the lower index comes first. Padding
    and unknown, which are no items, get -1.
    """
    ranked = FIRST_ITEM_INDEX + np.argsort(-counts[FIRST_ITEM_INDEX:], kind="stable")
    deciles = np.full(len(counts), -1, dtype=np.int64)
    deciles[ranked] = np.arange(len(ranked)) * 10 // max(len(ranked), 1)
    return deciles


def decile_shares(
    item_counts: NDArray[np.integer], deciles: NDArray[np.int64]
) -> tuple[float, ...]:
    """Returns which share of something about items falls on each tenth, ten numbers.

    Args:
        item_counts: How often each item was recommended, or bought, `[V]`.
        deciles: As returned by `popularity_deciles`, `[V]`.
    """
    is_item = deciles >= 0
    totals = np.bincount(deciles[is_item], weights=item_counts[is_item], minlength=10)
    return tuple(float(share) for share in totals / max(totals.sum(), 1.0))


def recommendation_counts(top: NDArray[np.integer], k: int, *, num_items: int) -> NDArray[np.int64]:
    """Returns how many customers have each item in their top k, int64 `[V]`; none for padding.

    Raises:
        ValueError: The lists are shorter than k.
    """
    if _checked(k) > top.shape[1]:
        raise ValueError(f"k: expected at most {top.shape[1]}, the length of the lists, got {k}")
    counts = np.bincount(top[:, :k].ravel(), minlength=num_items)
    counts[:FIRST_ITEM_INDEX] = 0
    return counts


def _checked(k: int) -> int:
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    return k
