"""Lists of item indices per code (category, product type, department), most popular first."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

MISSING_CODE = 0
"""Code of an item without the attribute; it has no posting."""


@dataclass(frozen=True)
class Postings:
    """The items of code `c` are `items[offsets[c]:offsets[c + 1]]`.

    Attributes:
        items: int32, all items once, grouped by code, in the given order within a code.
        offsets: int64 `[num_codes + 1]`.
    """

    items: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @classmethod
    def build(cls, codes: NDArray[np.int32], order: NDArray[np.int32]) -> Self:
        """Returns the postings of the items in `order`; `codes` is indexed by item."""
        in_order = codes[order]
        num_codes = int(codes.max(initial=MISSING_CODE)) + 1
        offsets = np.zeros(num_codes + 1, dtype=np.int64)
        np.cumsum(np.bincount(in_order, minlength=num_codes), out=offsets[1:])
        return cls(items=order[np.argsort(in_order, kind="stable")], offsets=offsets)

    def of(self, code: int) -> NDArray[np.int32]:
        """Returns the items of a code; empty for the missing code."""
        if code == MISSING_CODE:
            return self.items[:0]
        return self.items[self.offsets[code] : self.offsets[code + 1]]


def factorised(values: list[str | None]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Returns a code per value and the names of the codes.

    Codes count from 1 in alphabetical order, so the same values give the same codes; a missing or
    blank value has code 0, whose name is empty.
    """
    cleaned = [value.strip() if isinstance(value, str) else "" for value in values]
    names = ("", *sorted(set(cleaned) - {""}))
    code_of = {name: code for code, name in enumerate(names)}
    return np.fromiter((code_of[name] for name in cleaned), dtype=np.int32), names
