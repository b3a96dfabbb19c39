"""Held-out targets with their customers' histories, some at a time. B customers, V items."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.splits import Targets

_SUBSET_SEED = 0
_BLOCKS_PER_WINDOW = 64
"""Blocks within which targets are sorted by length: long enough to pad little, short enough to
read the memory-mapped histories nearly in order."""
_TARGETS_PER_CHECK = 65_536


@dataclass(frozen=True)
class Block:
    """Some customers' histories before their targets, one after another, oldest first.

    Attributes:
        item_index: int64 `[sum(lengths)]`.
        event_type: int64 `[sum(lengths)]`.
        timestamp_s: int64 `[sum(lengths)]`.
        lengths: int64 `[B]`, interactions before the target.
        targets: int64 `[B]`, item index of the target.
        as_of_s: int64 `[B]`, unix time of the target.
    """

    item_index: NDArray[np.int64]
    event_type: NDArray[np.int64]
    timestamp_s: NDArray[np.int64]
    lengths: NDArray[np.int64]
    targets: NDArray[np.int64]
    as_of_s: NDArray[np.int64]

    def row(self) -> NDArray[np.int64]:
        """Returns the place in the block of each interaction's customer, `[sum(lengths)]`."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)


BlockScorer = Callable[[Block], NDArray[np.floating]]
"""Returns the scores of all items for a block's customers, `[B, V]`.

The harness overwrites the array unless it is read-only or a view of another."""


def subset(targets: Targets, max_customers: int | None) -> NDArray[np.int64]:
    """Returns the rows of at most that many random targets, ascending, the same every time."""
    if max_customers is None or max_customers >= len(targets):
        return np.arange(len(targets))
    generator = np.random.default_rng(_SUBSET_SEED)
    return np.sort(generator.choice(len(targets), max_customers, replace=False))


def is_repeat(histories: Histories, targets: Targets) -> NDArray[np.bool_]:
    """Returns which targets are items that their customer's history holds already, `[M]`."""
    parts = [np.zeros(0, dtype=np.bool_)]
    for start in range(0, len(targets), _TARGETS_PER_CHECK):
        some = targets[start : start + _TARGETS_PER_CHECK]
        rows, lengths = history_rows(histories, some)
        target = np.repeat(histories.item_index[some.place], lengths)
        owner = np.repeat(np.arange(len(some)), lengths)
        is_same = histories.item_index[rows] == target
        parts.append(np.bincount(owner[is_same], minlength=len(some)) > 0)
    return np.concatenate(parts)


def history_rows(
    histories: Histories, targets: Targets
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the rows of everything before each target, one after another, and how many each."""
    first = np.asarray(histories.offsets)[targets.customer]
    lengths = np.asarray(targets.place - first, dtype=np.int64)
    begin = np.cumsum(lengths) - lengths
    return np.repeat(first - begin, lengths) + np.arange(int(lengths.sum())), lengths


def iterate_blocks(
    histories: Histories, targets: Targets, block: int
) -> Iterator[tuple[NDArray[np.int64], Block]]:
    """Yields which targets are in a block, and the block, those of like length together.

    Models pad a block to its longest history, so that sorting saves most of their work. Every
    target is in exactly one block.
    """
    lengths = targets.place - np.asarray(histories.offsets)[targets.customer]
    window = np.arange(len(targets)) // (block * _BLOCKS_PER_WINDOW)
    order = np.lexsort((lengths, window))
    for start in range(0, len(order), block):
        rows = order[start : start + block]
        yield rows, _block(histories, targets[rows])


def _block(histories: Histories, targets: Targets) -> Block:
    rows, lengths = history_rows(histories, targets)
    return Block(
        item_index=histories.item_index[rows].astype(np.int64),
        event_type=histories.event_type[rows].astype(np.int64),
        timestamp_s=histories.timestamp_s[rows].astype(np.int64),
        lengths=lengths,
        targets=histories.item_index[targets.place].astype(np.int64),
        as_of_s=histories.timestamp_s[targets.place].astype(np.int64),
    )
