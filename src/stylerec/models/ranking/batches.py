"""Training examples: (history, target) pairs drawn from the memory-mapped histories."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.splits import Split
from stylerec.features.assemble import assemble_history

CUSTOMERS_PER_CHUNK = 65_536
"""Customers whose examples are drawn and shuffled together: bounds memory at any log size."""

Arrays = dict[str, NDArray[Any]]
Weigh = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Returns how much each target counts, from its row in the flat arrays of `Histories`."""


@dataclass(frozen=True)
class Batch:
    """B examples.

    Attributes:
        history: The three history tensors of `assemble_history`, `[B, L]`.
        target: int64 `[B]`, item index of what followed each history.
        weight: float32 `[B]`, at least 0, how much each example counts in the loss.
    """

    history: Arrays
    target: NDArray[np.int64]
    weight: NDArray[np.float32]


def assemble_examples(
    histories: Histories,
    *,
    customer: NDArray[np.int64],
    target_position: NDArray[np.int64],
    max_len: int,
    weigh: Weigh | None = None,
) -> Batch:
    """Returns the target at each position and the history right before it, as of its timestamp.

    Args:
        histories: All customers' interactions.
        customer: Owner of each target, `[B]`.
        target_position: Row of each target in the flat arrays of `histories`, `[B]`.
        max_len: L.
        weigh: Gives the targets' weights, all 1 without.
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
    target = histories.item_index[target_position].astype(np.int64)
    weight = weigh(target_position) if weigh else np.ones(len(target), np.float32)
    return Batch(history, target, weight)


def examples_per_epoch(split: Split, examples_per_customer: int) -> int:
    """Returns how many examples one pass over the customers draws."""
    return sum(
        int(np.clip(split.train_lengths[block] - 1, 0, examples_per_customer).sum())
        for block in _customer_blocks(len(split.train_lengths))
    )


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
    num_passes: int = 1,
    first_batch: int = 0,
    weigh: Weigh | None = None,
) -> Iterator[Batch]:
    """Yields one epoch's batches in random order; the last one of a chunk may be smaller.

    Args:
        histories: All customers' interactions.
        split: Which of them train.
        examples_per_customer: Most examples of one customer in a pass.
        batch_size: B.
        max_len: L.
        rng: Decides the epoch; in the same state it yields the same batches.
        num_passes: Passes over the customers, each with examples and an order of its own.
        first_batch: Batches to leave out at the start, where training goes on within an epoch.
        weigh: Gives the targets' weights, all 1 without.
    """
    drawn = (
        places
        for _ in range(num_passes)
        for places in _draw_pass(histories, split, examples_per_customer, batch_size, rng)
    )
    for customer, position in islice(drawn, first_batch, None):
        yield assemble_examples(
            histories, customer=customer, target_position=position, max_len=max_len, weigh=weigh
        )


def _draw_pass(
    histories: Histories,
    split: Split,
    examples_per_customer: int,
    batch_size: int,
    rng: np.random.Generator,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yields each batch's customers and the places of its targets."""
    order = rng.permutation(histories.num_customers)
    for block in _customer_blocks(len(order)):
        chunk = order[block]
        owner, place = draw_targets(split.train_lengths[chunk], examples_per_customer, rng)
        shuffled = rng.permutation(len(owner))
        customer = chunk[owner[shuffled]]
        position = np.asarray(histories.offsets)[customer] + place[shuffled]
        for first in range(0, len(customer), batch_size):
            some = slice(first, first + batch_size)
            yield customer[some], position[some]


def _customer_blocks(num_customers: int) -> Iterator[slice]:
    for first in range(0, num_customers, CUSTOMERS_PER_CHUNK):
        yield slice(first, min(first + CUSTOMERS_PER_CHUNK, num_customers))
