"""Training examples: (history, target) pairs drawn from the memory-mapped histories."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.splits import Split
from stylerec.features.assemble import assemble_history

CUSTOMERS_PER_CHUNK = 65_536
"""Customers whose examples are drawn and shuffled together: bounds memory at any log size."""

_COUNTED_PER_BLOCK = 10_000_000

Arrays = dict[str, NDArray[np.int64] | NDArray[np.float32]]


@dataclass(frozen=True)
class Batch:
    """B examples.

    Attributes:
        history: The three history tensors of `assemble_history`, `[B, L]`.
        target: int64 `[B]`, item index of what followed each history.
    """

    history: Arrays
    target: NDArray[np.int64]


def assemble_examples(
    histories: Histories,
    *,
    customer: NDArray[np.int64],
    target_position: NDArray[np.int64],
    max_len: int,
) -> Batch:
    """Returns the target at each position and the history right before it, as of its timestamp.

    Args:
        histories: All customers' interactions.
        customer: Owner of each target, `[B]`.
        target_position: Row of each target in the flat arrays of `histories`, `[B]`.
        max_len: L.
    """
    first = np.maximum(np.asarray(histories.offsets)[customer], target_position - max_len)
    lengths = target_position - first
    rows = np.repeat(first - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
    history = assemble_history(
        item_index=histories.item_index[rows],
        event_type=histories.event_type[rows],
        timestamp_s=histories.timestamp_s[rows],
        lengths=lengths,
        as_of_s=histories.timestamp_s[target_position],
        max_len=max_len,
    )
    return Batch(history, histories.item_index[target_position].astype(np.int64))


def examples_per_epoch(split: Split, examples_per_customer: int) -> int:
    """Returns how many examples one epoch draws."""
    return int(np.clip(split.train_lengths - 1, 0, examples_per_customer).sum())


def draw_targets(
    train_lengths: NDArray[np.int64], examples_per_customer: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the owner's row and the place in its history of each target drawn.

    A customer with n training interactions has n - 1 possible targets (the first has no history).
    They are cut into as many equal stretches as examples are drawn, one target from each, so that
    an epoch covers old and new interactions alike, and all of them where there are few.
    """
    possible = np.maximum(train_lengths - 1, 0)
    drawn = np.minimum(possible, examples_per_customer)
    owner = np.repeat(np.arange(len(drawn)), drawn)
    stretch = np.arange(len(owner)) - np.repeat(np.cumsum(drawn) - drawn, drawn)
    share = (stretch + rng.random(len(owner))) / drawn[owner]
    return owner, 1 + np.minimum((share * possible[owner]).astype(np.int64), possible[owner] - 1)


def iterate_epoch(
    histories: Histories,
    split: Split,
    *,
    examples_per_customer: int,
    batch_size: int,
    max_len: int,
    rng: np.random.Generator,
) -> Iterator[Batch]:
    """Yields one epoch's batches in random order; the last one of a chunk may be smaller."""
    offsets = np.asarray(histories.offsets)
    order = rng.permutation(histories.num_customers)
    for start in range(0, len(order), CUSTOMERS_PER_CHUNK):
        chunk = order[start : start + CUSTOMERS_PER_CHUNK]
        owner, place = draw_targets(split.train_lengths[chunk], examples_per_customer, rng)
        shuffled = rng.permutation(len(owner))
        customer = chunk[owner[shuffled]]
        position = offsets[customer] + place[shuffled]
        for first in range(0, len(customer), batch_size):
            some = slice(first, first + batch_size)
            yield assemble_examples(
                histories,
                customer=customer[some],
                target_position=position[some],
                max_len=max_len,
            )


def count_training_interactions(
    histories: Histories, split: Split, *, num_items: int
) -> NDArray[np.int64]:
    """Returns how often each item occurs in the training part, `[V]`."""
    counts = np.zeros(num_items, dtype=np.int64)
    for start in range(0, len(histories.item_index), _COUNTED_PER_BLOCK):
        block = histories.item_index[start : start + _COUNTED_PER_BLOCK]
        counts += np.bincount(block, minlength=num_items)
    held_out = np.asarray(histories.lengths) - split.train_lengths
    ends = np.asarray(histories.offsets)[1:]
    places = np.arange(held_out.sum()) - np.repeat(np.cumsum(held_out) - held_out, held_out)
    rows = np.repeat(ends - held_out, held_out) + places
    return counts - np.bincount(histories.item_index[rows], minlength=num_items)
