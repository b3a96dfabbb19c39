"""Validation during training: NDCG@10 over all items. B customers, V catalogue, D embedding."""

import numpy as np
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.splits import NUM_HELD_OUT, Split
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


def choose_validation_customers(
    histories: Histories, split: Split, max_customers: int, *, seed: int
) -> NDArray[np.int64]:
    """Returns at most `max_customers` random evaluated customers, ascending, `[n]`.

    Those whose validation target is in their history are left out: seen items are filtered from
    the ranking, so such a target could not be found.
    """
    offsets = np.asarray(histories.offsets)
    chosen: list[np.int64] = []
    for customer in np.random.default_rng((seed, 2)).permutation(split.evaluated):
        target = offsets[customer + 1] - NUM_HELD_OUT
        seen = histories.item_index[offsets[customer] : target]
        if histories.item_index[target] not in seen:
            chosen.append(customer)
        if len(chosen) == max_customers:
            break
    return np.sort(np.array(chosen, dtype=np.int64))


def validation_ndcg_at_10(
    graph: ScoringGraph, histories: Histories, customers: NDArray[np.int64], *, max_len: int
) -> float:
    """Returns mean NDCG@10 of the validation targets among all items not seen before.

    Ties count against the target.

    Args:
        graph: The model with its item tables.
        histories: All customers' interactions.
        customers: Evaluated customers of the split whose validation target is new to them.
        max_len: L.
    """
    gains = [
        _gains(graph, histories, customers[start : start + _BLOCK], max_len=max_len)
        for start in range(0, len(customers), _BLOCK)
    ]
    return float(np.concatenate(gains).mean())


def _gains(
    graph: ScoringGraph, histories: Histories, customers: NDArray[np.int64], *, max_len: int
) -> NDArray[np.float64]:
    offsets = np.asarray(histories.offsets)
    position = offsets[customers + 1] - NUM_HELD_OUT
    batch = assemble_examples(
        histories, customer=customers, target_position=position, max_len=max_len
    )
    query_BD = graph.encode(
        batch.history[HISTORY_ITEM_INDEX],
        batch.history[HISTORY_EVENT_TYPE],
        batch.history[HISTORY_AGE_DAYS],
    ).numpy()
    scores_BV = query_BD @ graph.item_embedding_VD.numpy().T
    rows = np.arange(len(customers))
    own_B1 = scores_BV[rows, batch.target][:, None]
    is_ahead_BV = ~(scores_BV < own_B1)
    is_ahead_BV[rows, batch.target] = False
    is_ahead_BV[:, :FIRST_ITEM_INDEX] = False
    for row, customer in enumerate(customers):
        is_ahead_BV[row, histories.item_index[offsets[customer] : position[row]]] = False
    rank_B = 1 + is_ahead_BV.sum(axis=1)
    return np.where(rank_B <= CUTOFF, 1.0 / np.log2(rank_B + 1.0), 0.0)
