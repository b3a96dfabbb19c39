"""NDCG@10 on the validation items, ranking over the whole catalogue. B customers, V items."""

import numpy as np
import torch
from torch import Tensor

from stylerec.data.histories import Histories
from stylerec.data.splits import Targets
from stylerec.models.next_item.batches import flat_places, history_before
from stylerec.models.next_item.model import NextItemModel
from stylerec.models.next_item.processes import ALONE, Processes
from stylerec.schema.tensors import FIRST_ITEM_INDEX

TOP_K = 10
_BLOCK = 256
_TILE_ELEMENTS = {"cpu": 500_000, "cuda": 64_000_000}
"""Scores held at a time: on a CPU as many as its second-level cache holds."""


def validation_targets(
    histories: Histories, targets: Targets, *, max_customers: int, generator: torch.Generator
) -> Targets:
    """Returns up to `max_customers` random ones of the targets, those with short histories first.

    Customers whose validation item is in their earlier history are left out, as in the evaluation
    step: where seen items are filtered it cannot be recommended.
    """
    shuffled = targets[torch.randperm(len(targets), generator=generator).numpy()]
    chosen = [shuffled[:0]]
    wanted = max_customers
    for first in range(0, len(shuffled), _BLOCK):
        chosen.append(_with_new_item(histories, shuffled[first : first + _BLOCK])[:wanted])
        wanted -= len(chosen[-1])
        if not wanted:
            break
    customer = np.concatenate([some.customer for some in chosen])
    place = np.concatenate([some.place for some in chosen])
    # Blocks of customers whose histories are equally long pad little.
    by_length = np.argsort(place - np.asarray(histories.offsets)[customer], kind="stable")
    return Targets(customer, place)[by_length]


def validation_ndcg_at_10(
    model: NextItemModel,
    histories: Histories,
    targets: Targets,
    *,
    max_len: int,
    device: torch.device,
    processes: Processes = ALONE,
) -> float:
    """Returns the mean NDCG@10 of the targets: full ranking, seen items filtered.

    With one relevant item NDCG is `1 / log2(1 + rank)` up to rank 10, else 0. Ties count against
    the target, and so do scores that are not numbers.

    Args:
        model: Put into evaluation mode meanwhile.
        histories: All customers' interactions.
        targets: At least one, see `validation_targets`.
        max_len: L.
        device: Where the model lives.
        processes: Each ranks its part of the targets.
    """
    was_training = model.training
    model.eval()
    gain, count = 0.0, 0
    with torch.inference_mode():
        row_VX = model.item_rows()
        for first in range(_BLOCK * processes.rank, len(targets), _BLOCK * processes.size):
            block = targets[first : first + _BLOCK]
            ranks = _ranks(model, row_VX, histories, block, max_len=max_len, device=device)
            gains = torch.where(ranks <= TOP_K, 1.0 / torch.log2(1.0 + ranks), 0.0)
            gain += float(gains.double().sum())
            count += len(block)
    model.train(was_training)
    total_gain, total_count = processes.summed(gain, count)
    return total_gain / total_count


def _ranks(
    model: NextItemModel,
    row_VX: Tensor,
    histories: Histories,
    targets: Targets,
    *,
    max_len: int,
    device: torch.device,
) -> Tensor:
    start = np.asarray(histories.offsets)[targets.customer]
    length = targets.place - start
    seen = histories.item_index[flat_places(start, length)].astype(np.int64)
    longest = min(max_len, int(length.max()))
    history = history_before(histories, start, length, max_len=longest).to(device)
    query_BX = model.query(row_VX, history.item_index, history.event_type, history.age_days)
    target = torch.from_numpy(histories.item_index[targets.place].astype(np.int64)).to(device)
    seen_row = torch.from_numpy(np.repeat(np.arange(len(targets)), length)).to(device)
    seen_item = torch.from_numpy(seen).to(device)
    rows = max(1, _TILE_ELEMENTS[device.type] // len(row_VX))
    ranks = []
    for first in range(0, len(query_BX), rows):
        scores_TV = query_BX[first : first + rows] @ row_VX.T
        own_T1 = scores_TV.gather(1, target[first : first + rows].unsqueeze(1))
        scores_TV[:, :FIRST_ITEM_INDEX] = -torch.inf
        is_here = (seen_row >= first) & (seen_row < first + rows)
        scores_TV[seen_row[is_here] - first, seen_item[is_here]] = -torch.inf
        # What is not a number is not below either, and so counts as ahead.
        num_below_T = (scores_TV < own_T1).sum(dim=1, dtype=torch.int32)
        ranks.append(len(row_VX) - num_below_T)
    return torch.cat(ranks)


def _with_new_item(histories: Histories, targets: Targets) -> Targets:
    start = np.asarray(histories.offsets)[targets.customer]
    length = targets.place - start
    target = histories.item_index[targets.place]
    is_repeat = histories.item_index[flat_places(start, length)] == np.repeat(target, length)
    row = np.repeat(np.arange(len(targets)), length)
    num_repeats = np.bincount(row, weights=is_repeat, minlength=len(targets))
    return targets[num_repeats == 0]
