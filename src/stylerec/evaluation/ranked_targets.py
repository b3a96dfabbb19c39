"""Every item ranked for every target, in blocks. B customers of a block, M targets, V items."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.splits import Targets
from stylerec.evaluation.blocks import (
    BlockScorer,
    is_repeat,
    iterate_blocks,
    subset,
)
from stylerec.evaluation.metrics import Weights
from stylerec.evaluation.ranks import hide_items, ranks_of_targets, top_items

LIST_LENGTH = 20
"""Recommendations kept per target: no metric looks further."""
NUM_PROBABILITIES = 10


@dataclass(frozen=True)
class RankedTargets:
    """What one scorer made of M targets, in their order; repeats are left out.

    Two scorers asked about the same targets have rows that belong together.

    Attributes:
        targets: The held-out interactions that were ranked.
        item: Item index of each target, int64 `[M]`.
        history_length: Interactions before it, int64 `[M]`.
        rank: Of the target among all items not seen before, int64 `[M]`, 1 = best.
        top: The best items, best first, int32 `[M, 20]`, 0 where there are fewer.
        probability: Softmax over all items not seen before of the scores of the first ten, float32
            `[M, 10]`, not a number where there is none; None if not asked for.
        weights: How much each target counts, `[M]`, or None.
        num_items: V.
        num_repeats: Targets left out because their item was in their customer's history, where it
            is filtered: no model could find it.
    """

    targets: Targets
    item: NDArray[np.int64]
    history_length: NDArray[np.int64]
    rank: NDArray[np.int64]
    top: NDArray[np.int32]
    probability: NDArray[np.float32] | None
    weights: Weights
    num_items: int
    num_repeats: int

    def __len__(self) -> int:
        return len(self.rank)

    def weighted(self, weights: Weights) -> "RankedTargets":
        """Returns the same ranking with other weights per target, `[M]`."""
        return replace(self, weights=_checked(weights, len(self)))


def rank_targets(
    scorer: BlockScorer,
    histories: Histories,
    targets: Targets,
    *,
    block: int = 256,
    max_customers: int | None = None,
    weights: Weights = None,
    has_probabilities: bool = False,
) -> RankedTargets:
    """Ranks every item not seen before for each target; see `RankedTargets`.

    Memory grows with `block * V`, and by about 150 bytes per target.

    Args:
        scorer: Scores all items.
        histories: All customers' interactions.
        targets: What to predict, each from everything its customer did before.
        block: Customers scored at a time.
        max_customers: Ranks a fixed random subset of that size; None for all.
        weights: How much each of `targets` counts; None for all alike.
        has_probabilities: Also takes the softmax over all items; only meaningful where scores are
            logits.

    Raises:
        ValueError: Weights that are negative, not finite, all zero or not one per target.
    """
    given = _checked(weights, len(targets))
    chosen = subset(targets, max_customers)
    is_new = ~is_repeat(histories, targets[chosen])
    chosen, num_repeats = chosen[is_new], int((~is_new).sum())
    ranked = targets[chosen]
    rank = np.zeros(len(ranked), dtype=np.int64)
    top = np.zeros((len(ranked), LIST_LENGTH), dtype=np.int32)
    probability = (
        np.full((len(ranked), NUM_PROBABILITIES), np.nan, dtype=np.float32)
        if has_probabilities
        else None
    )
    num_items = 0
    for rows, part in iterate_blocks(histories, ranked, block):
        scores = _own(scorer(part))
        num_items = scores.shape[1]
        hide_items(scores, part.row(), part.item_index)
        rank[rows] = ranks_of_targets(scores, part.targets)
        top[rows] = top_items(scores, LIST_LENGTH)
        if probability is not None:
            probability[rows] = _probabilities(scores, top[rows, :NUM_PROBABILITIES])
    return RankedTargets(
        targets=ranked,
        item=histories.item_index[ranked.place].astype(np.int64),
        history_length=ranked.place - np.asarray(histories.offsets)[ranked.customer],
        rank=rank,
        top=top,
        probability=probability,
        weights=None if given is None else given[chosen],
        num_items=num_items,
        num_repeats=num_repeats,
    )


def _own(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """Returns the scores, copied if writing into them could change the scorer's own arrays."""
    if np.issubdtype(scores.dtype, np.floating) and scores.flags.owndata and scores.flags.writeable:
        return scores
    return np.array(scores, dtype=np.float32)


def _probabilities(scores: NDArray[np.floating], items: NDArray[np.int32]) -> NDArray[np.floating]:
    """Returns the softmax over all items at some of them; overwrites the scores."""
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    shares = np.take_along_axis(scores, items, axis=1) / scores.sum(axis=1, keepdims=True)
    return np.where(items > 0, shares, np.nan)


def _checked(weights: Weights, num_targets: int) -> Weights:
    if weights is None:
        return None
    given = np.asarray(weights, dtype=np.float64)
    is_right = given.shape == (num_targets,) and np.isfinite(given).all() and (given >= 0).all()
    if not is_right or (num_targets and not given.any()):
        raise ValueError(
            f"weights: expected {num_targets} finite numbers of at least 0, not all of them 0, got "
            f"{given.shape} with {int((~(given >= 0)).sum())} below 0 or not a number"
        )
    return given
