"""NDCG@10 on the validation items, ranking over the whole catalogue. B customers, V items."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylerec.data.histories import Histories
from stylerec.data.splits import NUM_HELD_OUT, Split
from stylerec.models.next_item.batches import History, flat_places, history_before
from stylerec.models.next_item.model import NextItemModel
from stylerec.schema.tensors import FIRST_ITEM_INDEX

TOP_K = 10
_BLOCK = 256


@dataclass(frozen=True)
class ValidationBlock:
    """Some customers before their validation item.

    Attributes:
        history: `[B, L]`.
        target: Validation item, int64 `[B]`.
        seen_row: Row of each (customer, earlier item) pair, int64 `[P]`.
        seen_item: Item of each such pair, int64 `[P]`.
    """

    history: History
    target: Tensor
    seen_row: Tensor
    seen_item: Tensor


def validation_blocks(
    histories: Histories,
    split: Split,
    *,
    max_len: int,
    max_customers: int,
    generator: torch.Generator,
) -> list[ValidationBlock]:
    """Returns up to `max_customers` random evaluated customers, in blocks.

    Customers whose validation item is in their earlier history are left out, as in the evaluation
    step: where seen items are filtered it cannot be recommended.
    """
    order = split.evaluated[torch.randperm(len(split.evaluated), generator=generator).numpy()]
    blocks: list[ValidationBlock] = []
    wanted = max_customers
    for first in range(0, len(order), _BLOCK):
        customers = _with_new_target(histories, order[first : first + _BLOCK])[:wanted]
        wanted -= len(customers)
        if len(customers):
            blocks.append(_block(histories, customers, max_len=max_len))
        if not wanted:
            break
    return blocks


def validation_ndcg_at_10(
    model: NextItemModel, blocks: list[ValidationBlock], *, device: torch.device
) -> float:
    """Returns the mean NDCG@10 of the validation items: full ranking, seen items filtered.

    With one relevant item NDCG is `1 / log2(1 + rank)` up to rank 10, else 0. Ties count against
    the target, and so do scores that are not numbers.
    """
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        table_VD = model.items.table()
        ranks = torch.cat([_ranks(model, table_VD, block, device=device) for block in blocks])
    model.train(was_training)
    gain = torch.where(ranks <= TOP_K, 1.0 / torch.log2(1.0 + ranks), 0.0)
    return float(gain.mean())


def _ranks(
    model: NextItemModel, table_VD: Tensor, block: ValidationBlock, *, device: torch.device
) -> Tensor:
    history = block.history.to(device)
    state_BLD = model.encode(table_VD, history.item_index, history.event_type, history.age_days)
    scores_BV = state_BLD[:, -1] @ table_VD.T
    target_score_B1 = scores_BV.gather(1, block.target.to(device).unsqueeze(1))
    is_ahead_BV = ~(scores_BV < target_score_B1)
    is_ahead_BV[:, :FIRST_ITEM_INDEX] = False
    is_ahead_BV[block.seen_row.to(device), block.seen_item.to(device)] = False
    return is_ahead_BV.sum(dim=1).cpu()


def _with_new_target(histories: Histories, customers: NDArray[np.int64]) -> NDArray[np.int64]:
    start = np.asarray(histories.offsets)[customers]
    length = np.asarray(histories.lengths)[customers] - NUM_HELD_OUT
    target = histories.item_index[start + length]
    is_repeat = histories.item_index[flat_places(start, length)] == np.repeat(target, length)
    row = np.repeat(np.arange(len(customers)), length)
    num_repeats = np.bincount(row, weights=is_repeat, minlength=len(customers))
    return np.asarray(customers[num_repeats == 0])


def _block(histories: Histories, customers: NDArray[np.int64], *, max_len: int) -> ValidationBlock:
    start = np.asarray(histories.offsets)[customers]
    length = np.asarray(histories.lengths)[customers] - NUM_HELD_OUT
    seen = histories.item_index[flat_places(start, length)]
    return ValidationBlock(
        history=history_before(histories, start, length, max_len=max_len),
        target=torch.from_numpy(histories.item_index[start + length].astype(np.int64)),
        seen_row=torch.from_numpy(np.repeat(np.arange(len(customers)), length)),
        seen_item=torch.from_numpy(seen.astype(np.int64)),
    )
