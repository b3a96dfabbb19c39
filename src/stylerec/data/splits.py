"""Which interactions train, validate and test: the split every model and baseline shares."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from stylerec.data.histories import Histories
from stylerec.errors import DataError
from stylerec.schema.tensors import FIRST_ITEM_INDEX

SplitName = Literal["validation", "test"]
SECONDS_PER_DAY = 86_400

_CUSTOMERS_PER_BLOCK = 100_000
_NUM_HELD_OUT = 2
"""Interactions of an evaluated customer that leave-one-out keeps from training."""


class SplitConfig(BaseModel):
    """How interactions are held out.

    Attributes:
        kind: `leave_one_out` holds out each customer's last two interactions; `temporal` holds out
            what happened after a moment, so that nothing learnt comes from the future.
        validation_days: Days of the temporal validation window, right before the test window.
        test_days: Days of the temporal test window, at the end of the log.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["leave_one_out", "temporal"] = "leave_one_out"
    validation_days: float = Field(default=7.0, gt=0.0, le=3_650.0)
    test_days: float = Field(default=7.0, gt=0.0, le=3_650.0)


@dataclass(frozen=True)
class Targets:
    """M held-out interactions, each to be predicted from everything its customer did before it.

    Attributes:
        customer: int64 `[M]`, ascending, each customer at most once.
        place: int64 `[M]`, row of the interaction in the flat arrays of `Histories`.
    """

    customer: NDArray[np.int64]
    place: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.customer)

    def __getitem__(self, some: slice | NDArray[np.integer] | NDArray[np.bool_]) -> "Targets":
        """Returns some of the targets."""
        return Targets(self.customer[some], self.place[some])


@dataclass(frozen=True)
class Split:
    """What trains and what is predicted; N customers.

    Attributes:
        train_lengths: int64 `[N]`, leading interactions of each customer that may train.
        validation: Targets that choose epochs and settings. Everything before them may train.
        test: Targets of the reported figures; their histories include the validation interactions.
    """

    train_lengths: NDArray[np.int64]
    validation: Targets
    test: Targets

    def targets(self, name: SplitName) -> Targets:
        """Returns the targets of that name."""
        return self.validation if name == "validation" else self.test

    def save(self, folder: Path) -> None:
        """Writes one `.npy` file per array into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in self._arrays().items():
            np.save(folder / f"{name}.npy", array.astype(np.int64), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "Split":
        """Maps the arrays that `save` wrote; nothing is read until it is indexed."""

        def array(name: str) -> NDArray[np.int64]:
            mapped: NDArray[np.int64] = np.load(
                folder / f"{name}.npy", mmap_mode="r", allow_pickle=False
            )
            return mapped

        return cls(
            train_lengths=array("train_lengths"),
            validation=Targets(array("validation_customer"), array("validation_place")),
            test=Targets(array("test_customer"), array("test_place")),
        )

    def _arrays(self) -> dict[str, NDArray[np.int64]]:
        return {
            "train_lengths": self.train_lengths,
            "validation_customer": self.validation.customer,
            "validation_place": self.validation.place,
            "test_customer": self.test.customer,
            "test_place": self.test.place,
        }


def make_split(histories: Histories, config: SplitConfig) -> Split:
    """Returns the configured split.

    Raises:
        DataError: A temporal split of a log without timestamps.
    """
    if config.kind == "leave_one_out":
        return leave_one_out(histories)
    return temporal(histories, validation_days=config.validation_days, test_days=config.test_days)


def leave_one_out(histories: Histories) -> Split:
    """Returns the split that holds out each customer's last two interactions.

    The last is the test target, the one before it the validation target. Customers with fewer than
    three interactions only train: held out, they would leave the model nothing to predict from.
    """
    lengths = np.asarray(histories.lengths, dtype=np.int64)
    ends = np.asarray(histories.offsets, dtype=np.int64)[1:]
    is_evaluated = lengths > _NUM_HELD_OUT
    customer = np.flatnonzero(is_evaluated).astype(np.int64)
    return Split(
        train_lengths=np.where(is_evaluated, lengths - _NUM_HELD_OUT, lengths),
        validation=Targets(customer, ends[customer] - 2),
        test=Targets(customer, ends[customer] - 1),
    )


def temporal(histories: Histories, *, validation_days: float, test_days: float) -> Split:
    """Returns the split at two moments, so that no model sees anything later than it predicts.

    The log's last `test_days` are the test window, the `validation_days` before it the validation
    window, and everything earlier trains. A customer's target is the first interaction in the
    window, if there is anything before it; a customer may have one target, both or none.

    Raises:
        DataError: The log has no timestamps.
    """
    times = histories.timestamp_s
    latest_s = int(times.max()) if len(times) else 0
    if latest_s <= 0:
        raise DataError(
            "interactions.timestamp",
            expected="times, for a temporal split",
            got="none",
            fix='use the split "leave_one_out"',
        )
    test_from_s = latest_s - test_days * SECONDS_PER_DAY
    validation_from_s = test_from_s - validation_days * SECONDS_PER_DAY
    num_trained = _num_before(histories, validation_from_s)
    num_before_test = _num_before(histories, test_from_s)
    return Split(
        train_lengths=num_trained,
        validation=_first_targets(histories, num_trained, until=num_before_test),
        test=_first_targets(histories, num_before_test, until=histories.lengths),
    )


def training_counts(histories: Histories, split: Split, *, num_items: int) -> NDArray[np.int64]:
    """Returns how often each known item occurs in the training part, int64 `[V]`."""
    offsets = np.asarray(histories.offsets)
    counts = np.zeros(num_items, dtype=np.int64)
    for first in range(0, histories.num_customers, _CUSTOMERS_PER_BLOCK):
        bounds = offsets[first : first + _CUSTOMERS_PER_BLOCK + 1]
        trained = np.asarray(split.train_lengths[first : first + _CUSTOMERS_PER_BLOCK])
        is_trained = is_within(np.diff(bounds), trained)
        counts += np.bincount(
            histories.item_index[bounds[0] : bounds[-1]][is_trained], minlength=num_items
        )
    counts[:FIRST_ITEM_INDEX] = 0
    return counts


def is_within(lengths: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns which interactions are among the `first` ones of their customer.

    Args:
        lengths: Interactions per customer, `[N]`.
        first: Leading interactions that count, `[N]`.

    Returns:
        bool `[sum(lengths)]`.
    """
    place = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return place < np.repeat(first, lengths)


def _num_before(histories: Histories, time_s: float) -> NDArray[np.int64]:
    """Returns how many interactions of each customer happened before a moment, `[N]`."""
    offsets = np.asarray(histories.offsets)
    counts = np.zeros(histories.num_customers, dtype=np.int64)
    for first in range(0, len(counts), _CUSTOMERS_PER_BLOCK):
        bounds = offsets[first : first + _CUSTOMERS_PER_BLOCK + 1]
        is_before = histories.timestamp_s[bounds[0] : bounds[-1]] < time_s
        running = np.concatenate([[0], np.cumsum(is_before, dtype=np.int64)])[bounds - bounds[0]]
        counts[first : first + _CUSTOMERS_PER_BLOCK] = np.diff(running)
    return counts


def _first_targets(
    histories: Histories, first: NDArray[np.int64], *, until: NDArray[np.int64]
) -> Targets:
    """Returns interaction `first` of each customer that has one before `until` and a history."""
    customer = np.flatnonzero((first > 0) & (first < until)).astype(np.int64)
    return Targets(customer, np.asarray(histories.offsets)[customer] + first[customer])
