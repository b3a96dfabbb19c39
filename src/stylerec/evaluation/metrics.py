"""Ranking metrics from the rank of each customer's target. B customers, V items."""

import numpy as np
from numpy.typing import NDArray

from stylerec.schema.tensors import FIRST_ITEM_INDEX


def ranks_of_targets(
    scores: NDArray[np.floating], targets: NDArray[np.integer], seen: NDArray[np.integer] | None
) -> NDArray[np.int64]:
    """Returns the rank of each row's target among all items, int64 `[B]`, 1 = best.

    Padding, unknown and seen items do not compete. Ties count against the target, and so does a
    score that is not a number, so a constant or broken model cannot look good.

    Args:
        scores: Scores of all items, `[B, V]`, in index order.
        targets: Item index of each row's target, `[B]`.
        seen: Item indices to leave out, `[B, S]`, padded with 0; None for none. The target itself
            always competes.

    Raises:
        ValueError: A target is padding, unknown or outside the catalogue.
    """
    if len(targets) and not (targets.min() >= FIRST_ITEM_INDEX and targets.max() < scores.shape[1]):
        raise ValueError(
            f"targets: expected item indices {FIRST_ITEM_INDEX} to {scores.shape[1] - 1}, got "
            f"{targets.min()} to {targets.max()}"
        )
    rows = np.arange(len(targets))
    own = scores[rows, targets][:, None]
    # "Not below" rather than "at least": comparisons with NaN are false.
    is_ahead = ~(scores < own)
    is_ahead[:, :FIRST_ITEM_INDEX] = False
    if seen is not None:
        is_ahead[rows[:, None], seen] = False
    is_ahead[rows, targets] = False
    return np.asarray(1 + is_ahead.sum(axis=1), dtype=np.int64)


def hit_rate_at_k(ranks: NDArray[np.int64], k: int) -> float:
    """Returns the share of targets ranked `k` or better; with one target this is also recall."""
    return _mean((ranks <= k).astype(np.float64), k)


def ndcg_at_k(ranks: NDArray[np.int64], k: int) -> float:
    """Returns the mean of `1 / log2(rank + 1)` over targets ranked `k` or better, 0 for the rest.

    Järvelin and Kekäläinen (2002) with one relevant item, whose ideal gain is 1.
    """
    return _mean(ndcg_gains(ranks, k), k)


def ndcg_gains(ranks: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Returns each target's own NDCG at k, float64 `[B]`: the values `ndcg_at_k` averages."""
    return np.where(ranks <= k, 1.0 / np.log2(ranks + 1.0), 0.0)


def mrr_at_k(ranks: NDArray[np.int64], k: int) -> float:
    """Returns the mean of `1 / rank` over targets ranked `k` or better, 0 for the rest."""
    return _mean(np.where(ranks <= k, 1.0 / ranks, 0.0), k)


def _mean(values: NDArray[np.float64], k: int) -> float:
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    return float(values.mean()) if len(values) else 0.0
