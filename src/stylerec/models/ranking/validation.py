"""Validation during training: NDCG@10 over all items. B customers, V catalogue, D embedding."""

import numpy as np
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.splits import Targets
from stylerec.models.ranking.batches import assemble_examples
from stylerec.models.ranking.model import ScoringGraph
from stylerec.schema.tensors import (
    FIRST_ITEM_INDEX,
    HISTORY_AGE_DAYS,
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_INDEX,
)

CUTOFF = 10
_BLOCK = 256
_LOOKED_AT_PER_BLOCK = 16_384
"""Targets whose histories are searched together for the target itself."""


def choose_targets(
    histories: Histories, targets: Targets, max_customers: int, *, seed: int
) -> Targets:
    """Returns at most `max_customers` random ones of the targets, in their order.

    Those whose item is in their customer's history are left out: seen items are filtered from the
    ranking, so such a target could not be found.
    """
    shuffled = np.random.default_rng((seed, 2)).permutation(len(targets))
    chosen = np.zeros(0, dtype=np.int64)
    for first in range(0, len(shuffled), _LOOKED_AT_PER_BLOCK):
        rows = shuffled[first : first + _LOOKED_AT_PER_BLOCK]
        chosen = np.concatenate([chosen, rows[_is_new(histories, targets[rows])]])
        if len(chosen) >= max_customers:
            break
    return targets[np.sort(chosen[:max_customers])]


def validation_ndcg_at_10(
    graph: ScoringGraph, histories: Histories, targets: Targets, *, max_len: int
) -> float:
    """Returns mean NDCG@10 of the validation targets among all items not seen before.

    Ties count against the target.

    Args:
        graph: The model with its item tables.
        histories: All customers' interactions.
        targets: Validation targets that are new to their customers.
        max_len: L.
    """
    item_DV = np.ascontiguousarray(graph.item_embedding_VD.numpy().T)
    # Customers with histories of one length together: a block is as long as its longest history.
    length = targets.place - np.asarray(histories.offsets)[targets.customer]
    by_length = targets[np.argsort(np.minimum(length, max_len), kind="stable")]
    gains = [
        _gains(graph, histories, by_length[start : start + _BLOCK], item_DV, max_len=max_len)
        for start in range(0, len(by_length), _BLOCK)
    ]
    return float(np.concatenate(gains).mean())


def _gains(
    graph: ScoringGraph,
    histories: Histories,
    targets: Targets,
    item_DV: NDArray[np.float32],
    *,
    max_len: int,
) -> NDArray[np.float64]:
    owner, seen = _seen(histories, targets)
    longest = int(np.bincount(owner).max(initial=1))
    batch = assemble_examples(
        histories,
        customer=targets.customer,
        target_position=targets.place,
        max_len=min(max_len, longest),
    )
    query_BD = graph.encode(
        batch.history[HISTORY_ITEM_INDEX],
        batch.history[HISTORY_EVENT_TYPE],
        batch.history[HISTORY_AGE_DAYS],
    ).numpy()
    scores_BV = query_BD @ item_DV
    rows = np.arange(len(targets))
    is_ahead_BV = ~(scores_BV < scores_BV[rows, batch.target][:, None])
    is_ahead_BV[rows, batch.target] = False
    is_ahead_BV[:, :FIRST_ITEM_INDEX] = False
    is_ahead_BV[owner, seen] = False
    rank_B = 1 + is_ahead_BV.sum(axis=1)
    return np.where(rank_B <= CUTOFF, 1.0 / np.log2(rank_B + 1.0), 0.0)


def _is_new(histories: Histories, targets: Targets) -> NDArray[np.bool_]:
    """Returns which targets' items are not in their customers' histories."""
    owner, seen = _seen(histories, targets)
    is_repeat = seen == histories.item_index[targets.place][owner]
    is_new: NDArray[np.bool_] = np.bincount(owner[is_repeat], minlength=len(targets)) == 0
    return is_new


def _seen(histories: Histories, targets: Targets) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Returns every interaction before the targets: which target's it is, and its item."""
    first = np.asarray(histories.offsets)[targets.customer]
    length = targets.place - first
    owner = np.repeat(np.arange(len(targets)), length)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length)
    return owner, histories.item_index[first[owner] + place]
