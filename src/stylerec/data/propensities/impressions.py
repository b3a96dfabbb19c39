"""Impressions as arrays. n impressions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Impressions:
    """What pages showed: the impressions of a page in a row, the pages of a customer in a row.

    Attributes:
        page: int64 `[n]`, ascending from 0 without gaps.
        customer: int64 `[n]`, ascending.
        item_index: int64 `[n]`.
        touchpoint: int64 `[n]`, place in `touchpoint_names`.
        position: int64 `[n]`.
        is_clicked: bool `[n]`.
        touchpoint_names: Sorted.
    """

    page: NDArray[np.int64]
    customer: NDArray[np.int64]
    item_index: NDArray[np.int64]
    touchpoint: NDArray[np.int64]
    position: NDArray[np.int64]
    is_clicked: NDArray[np.bool_]
    touchpoint_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.page)

    @property
    def page_start(self) -> NDArray[np.int64]:
        """First impression of each page, `[pages]`."""
        return np.flatnonzero(np.diff(self.page, prepend=-1))

    @property
    def page_size(self) -> NDArray[np.int64]:
        """Impressions of each page, `[pages]`."""
        return np.diff(self.page_start, append=len(self))
