"""What a baseline may learn from. N customers, V items, B customers of a block."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import SECONDS_PER_DAY, SplitName, Targets
from stylerec.evaluation.blocks import Block


@dataclass(frozen=True)
class Known:
    """The interactions before the targets of one split, and the catalogue.

    Of a customer with a target everything before it counts: on the test split that includes the
    validation interactions, which makes baselines harder to beat. Of a customer without one the
    training part counts, since what follows it may be later than others' targets.

    Attributes:
        prepared: The data.
        split: Whose targets are to be predicted.
        has_only_training: Counts the training part of every customer and nothing else, as where
            items are held out of training (`evaluation.cold_start`).
    """

    prepared: PreparedData
    split: SplitName
    has_only_training: bool = False

    @cached_property
    def histories(self) -> Histories:
        """All customers' interactions, held-out ones included."""
        return self.prepared.histories

    @cached_property
    def targets(self) -> Targets:
        """The held-out interactions to predict."""
        return self.prepared.split.targets(self.split)

    @cached_property
    def num_items(self) -> int:
        """V, padding and unknown included."""
        return self.prepared.vocabulary.num_items

    @property
    def has_timestamps(self) -> bool:
        """Whether the interactions have times."""
        return bool(self.histories.timestamp_s[:1].any())

    @cached_property
    def matrix(self) -> sparse.csr_array[np.float32]:
        """Which customer met which item, float32 0/1 `[N, V]`."""
        rows, lengths = self._rows()
        item = np.asarray(self.histories.item_index[rows], dtype=np.int32)
        matrix = sparse.csr_array(
            (np.ones(len(item), np.float32), item, np.concatenate([[0], np.cumsum(lengths)])),
            shape=(len(lengths), self.num_items),
        )
        matrix.sum_duplicates()
        matrix.data[:] = 1.0
        return matrix

    @cached_property
    def counts_per_day(self) -> sparse.csr_array[np.float32]:
        """Interactions with each item on each UTC day since `first_day`, float32 `[days, V]`."""
        rows, _ = self._rows()
        day = np.asarray(self.histories.timestamp_s[rows]) // SECONDS_PER_DAY - self.first_day
        item = np.asarray(self.histories.item_index[rows])
        shape = (int(day.max(initial=0)) + 1, self.num_items)
        return sparse.csr_array((np.ones(len(item), np.float32), (day, item)), shape=shape)

    @cached_property
    def first_day(self) -> int:
        """The day of the earliest known interaction, counted from 1970."""
        rows, _ = self._rows()
        earliest_s = self.histories.timestamp_s[rows].min() if len(rows) else 0
        return int(earliest_s // SECONDS_PER_DAY)

    def _rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns the rows of the known interactions and how many each customer has, `[N]`."""
        offsets = np.asarray(self.histories.offsets)
        lengths = np.array(self.prepared.split.train_lengths, dtype=np.int64)
        if not self.has_only_training:
            lengths[self.targets.customer] = self.targets.place - offsets[self.targets.customer]
        begin = np.cumsum(lengths) - lengths
        return np.repeat(offsets[:-1] - begin, lengths) + np.arange(int(lengths.sum())), lengths


def history_matrix(
    part: Block, *, num_items: int, only_last: bool = False
) -> sparse.csr_array[np.float32]:
    """Returns how often each customer of a block met each item, float32 `[B, V]`.

    Args:
        part: Histories, none of them empty.
        num_items: V.
        only_last: Counts the newest interaction alone.
    """
    ends = np.cumsum(part.lengths)
    item, starts = part.item_index, np.concatenate([[0], ends])
    if only_last:
        item, starts = item[ends - 1], np.arange(len(ends) + 1)
    matrix = sparse.csr_array(
        (np.ones(len(item), np.float32), item.astype(np.int32), starts),
        shape=(len(part.lengths), num_items),
    )
    matrix.sum_duplicates()
    return matrix
