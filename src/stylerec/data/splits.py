"""Which interactions train, validate and test: the split every model and baseline shares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stylerec.data.histories import Histories

NUM_HELD_OUT = 2
"""Interactions of an evaluated customer that never train: one validation and one test target."""


@dataclass(frozen=True)
class Split:
    """Leave-one-out split of `Histories`; N customers, M of them evaluated.

    For an evaluated customer `c` the validation target is interaction `offsets[c + 1] - 2` and the
    test target `offsets[c + 1] - 1`; each is predicted from everything before it, so the history
    of the test target includes the validation target.

    Attributes:
        train_lengths: int64 `[N]`, leading interactions of each customer that may train.
        evaluated: int64 `[M]`, customers (ascending) with a validation and a test target.
    """

    train_lengths: NDArray[np.int64]
    evaluated: NDArray[np.int64]


def leave_one_out(histories: Histories) -> Split:
    """Returns the split that holds out each customer's last two interactions.

    Customers with fewer than three interactions only train: held out, they would leave the model
    nothing to predict from.
    """
    lengths = np.asarray(histories.lengths, dtype=np.int64)
    is_evaluated = lengths > NUM_HELD_OUT
    return Split(
        train_lengths=np.where(is_evaluated, lengths - NUM_HELD_OUT, lengths),
        evaluated=np.flatnonzero(is_evaluated).astype(np.int64),
    )
