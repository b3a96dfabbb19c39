"""All customers' histories as flat memory-mapped arrays: any number of customers, little memory."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FILES = {
    "item_index": np.int32,
    "event_type": np.int8,
    "timestamp_s": np.int64,
    "offsets": np.int64,
}


@dataclass(frozen=True)
class Histories:
    """Customer `c` owns the interactions `offsets[c]` to `offsets[c + 1]`, oldest first.

    Attributes:
        item_index: int32 `[num_interactions]`.
        event_type: int8 `[num_interactions]`, codes of `schema.events.EVENT_CODES`.
        timestamp_s: int64 `[num_interactions]`, unix seconds, 0 where the log has no times.
        offsets: int64 `[num_customers + 1]`.
    """

    item_index: NDArray[np.int32]
    event_type: NDArray[np.int8]
    timestamp_s: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @property
    def num_customers(self) -> int:
        """Customers with at least one interaction."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Interactions per customer, `[num_customers]`."""
        return np.diff(self.offsets)

    def save(self, folder: Path) -> None:
        """Writes one `.npy` file per array into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, dtype in _FILES.items():
            np.save(folder / f"{name}.npy", getattr(self, name).astype(dtype), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "Histories":
        """Maps the arrays that `save` wrote; nothing is read until it is indexed."""
        return cls(
            **{
                name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                for name in _FILES
            }
        )
