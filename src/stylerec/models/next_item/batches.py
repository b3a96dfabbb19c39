"""Training and validation batches from the memory-mapped histories.

B windows or customers, L history, N interactions to predict.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylerec.data.histories import Histories
from stylerec.data.splits import Split
from stylerec.features.assemble import assemble_history
from stylerec.schema.tensors import (
    FIRST_ITEM_INDEX,
    HISTORY_AGE_DAYS,
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_INDEX,
    PADDING_INDEX,
)

_POOL_BATCHES = 16
"""Batches' worth of shuffled windows that are sorted by length, to pad little."""


Weigh = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Returns how much each target counts, from its place in the flat arrays of `Histories`."""


@dataclass(frozen=True)
class History:
    """The three history tensors, int64, int64 and float32 `[B, L]`, left padded."""

    item_index: Tensor
    event_type: Tensor
    age_days: Tensor

    def to(self, device: torch.device) -> "History":
        """Returns the tensors on a device."""
        return History(
            self.item_index.to(device), self.event_type.to(device), self.age_days.to(device)
        )


@dataclass(frozen=True)
class Windows:
    """Runs of consecutive training interactions; S windows.

    Attributes:
        start: First interaction's place in the flat histories, int64 `[S]`.
        length: Interactions, 1 to max_len + 1, int64 `[S]`; the last one is only predicted.
        is_beginning: Whether the run starts with the customer's first interaction, bool `[S]`.
            Then this one is predicted too, from the empty history.
    """

    start: NDArray[np.int64]
    length: NDArray[np.int64]
    is_beginning: NDArray[np.bool_]

    @property
    def num_targets(self) -> NDArray[np.int64]:
        """Interactions to predict per window, int64 `[S]`."""
        return self.length - 1 + self.is_beginning


@dataclass(frozen=True)
class TrainingBatch:
    """Histories with the item that follows each position.

    Attributes:
        history: `[B, L]`.
        target: Item after each position, int64 `[B, L]`; 0 where there is nothing to learn.
        weight: What each target counts in the loss, float32 `[B, L]`; 0 where there is none.
    """

    history: History
    target: Tensor
    weight: Tensor


def training_windows(histories: Histories, split: Split, *, max_len: int) -> Windows:
    """Returns windows that together predict every training interaction exactly once.

    A history longer than `max_len` is cut from its newest end; the last item of an older window
    is the first input of the next one.
    """
    trained = np.asarray(split.train_lengths, dtype=np.int64)
    num_windows = np.where(trained > 0, np.maximum(1, -(-(trained - 1) // max_len)), 0)
    customer = np.repeat(np.arange(len(trained)), num_windows)
    first = np.repeat(np.cumsum(num_windows) - num_windows, num_windows)
    end = trained[customer] - (np.arange(len(customer)) - first) * max_len
    begin = np.maximum(0, end - max_len - 1)
    offsets = np.asarray(histories.offsets)
    return Windows(offsets[customer] + begin, end - begin, begin == 0)


def epoch_plan(
    windows: Windows, *, batch_targets: int, generator: torch.Generator
) -> list[NDArray[np.int64]]:
    """Returns the windows of each batch: every window once, about `batch_targets` predictions each.

    Windows are shuffled, sorted by length within pools of some batches, cut, and the batches of a
    pool shuffled again.
    """
    order = torch.randperm(len(windows.start), generator=generator).numpy()
    num_targets = windows.num_targets
    pool_of = np.cumsum(num_targets[order]) // (batch_targets * _POOL_BATCHES)
    plan: list[NDArray[np.int64]] = []
    for pool in np.split(order, np.flatnonzero(np.diff(pool_of)) + 1):
        by_length = pool[np.argsort(windows.length[pool], kind="stable")]
        batch_of = (np.cumsum(num_targets[by_length]) - 1) // batch_targets
        parts = np.split(by_length, np.flatnonzero(np.diff(batch_of)) + 1)
        plan += [parts[part] for part in torch.randperm(len(parts), generator=generator).tolist()]
    return plan


def training_batch(
    histories: Histories,
    windows: Windows,
    part: NDArray[np.int64],
    *,
    weigh: Weigh | None = None,
) -> TrainingBatch:
    """Returns some windows as one batch; without `weigh` all targets count 1."""
    length = windows.length[part]
    # One column more than the longest run, so that each run has padding before its first item.
    whole = history_before(histories, windows.start[part], length, max_len=int(length.max()) + 1)
    history = History(whole.item_index[:, :-1], whole.event_type[:, :-1], whole.age_days[:, :-1])
    target = whole.item_index[:, 1:]
    is_real = history.item_index != PADDING_INDEX
    is_beginning = torch.from_numpy(windows.is_beginning[part]).unsqueeze(1)
    is_target = (target >= FIRST_ITEM_INDEX) & (is_real | is_beginning)
    weight = is_target.float()
    if weigh is not None:
        weight[is_target] = torch.from_numpy(
            weigh(_target_places(windows.start[part], length)[is_target.numpy()])
        )
    return TrainingBatch(history, torch.where(is_target, target, 0), weight)


def _target_places(start: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns where each column of `TrainingBatch.target` lies in the histories, `[B, L]`.

    Only where there is a target; padding has a place before its run.
    """
    return (start + length)[:, None] + np.arange(-int(length.max()), 0)


def history_before(
    histories: Histories, start: NDArray[np.int64], length: NDArray[np.int64], *, max_len: int
) -> History:
    """Returns assembled histories of runs of interactions, asked at each run's newest one.

    Args:
        histories: All customers' interactions.
        start: First interaction of each run in the flat arrays, `[B]`.
        length: Interactions per run, at least 1, `[B]`.
        max_len: L.
    """
    source = flat_places(start, length)
    arrays = assemble_history(
        item_index=histories.item_index[source],
        event_type=histories.event_type[source],
        timestamp_s=histories.timestamp_s[source],
        lengths=length,
        as_of_s=histories.timestamp_s[start + length - 1],
        max_len=max_len,
    )
    return History(
        torch.from_numpy(arrays[HISTORY_ITEM_INDEX]),
        torch.from_numpy(arrays[HISTORY_EVENT_TYPE]),
        torch.from_numpy(arrays[HISTORY_AGE_DAYS]),
    )


def flat_places(start: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the places of all interactions of some runs, one run after another."""
    begin = np.cumsum(length) - length
    return np.repeat(start - begin, length) + np.arange(int(length.sum()))
