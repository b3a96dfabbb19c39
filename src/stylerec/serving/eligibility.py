"""Which items a request may show at all: stock, market, price, and what is left out by name."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stylerec.serving.catalogue import ALL_MARKETS_ROW, Catalogue

_CHUNK = 4_096
"""Items looked at together: a popular list is rarely read to its end."""


@dataclass(frozen=True)
class Eligibility:
    """The filters of one request.

    Attributes:
        catalogue: Where stock, markets and prices stand.
        is_excluded: bool `[V]`, items that may not be shown (hero, bag, seen, already chosen).
        needs_stock: Leaves out what is not in stock.
        market_row: Leaves out what is not sold there; 0 for no market filter.
        max_price: Dearest item, None for no bound. Passes everything where there are no prices;
            where there are, an item without one is too dear.
        min_price: Cheapest item, likewise.
        departments: bool per department code, those to keep; None for all.
        product_types: bool per product type code, those to keep; None for all.
    """

    catalogue: Catalogue
    is_excluded: NDArray[np.bool_]
    needs_stock: bool = True
    market_row: int = ALL_MARKETS_ROW
    max_price: float | None = None
    min_price: float | None = None
    departments: NDArray[np.bool_] | None = None
    product_types: NDArray[np.bool_] | None = None

    def tests(self, items: NDArray[Any]) -> dict[str, NDArray[np.bool_]]:
        """Returns per active filter, by the name that answers use, which items it keeps."""
        found = {"excluded": ~self.is_excluded[items]}
        if self.needs_stock:
            found["out_of_stock"] = self.catalogue.in_stock[items]
        if self.market_row != ALL_MARKETS_ROW:
            found["not_in_market"] = self.catalogue.sold_in[self.market_row, items]
        if self.max_price is not None and self.catalogue.has_prices:
            found["too_dear"] = self.catalogue.price[items] <= self.max_price
        if self.min_price is not None and self.catalogue.has_prices:
            found["too_cheap"] = self.catalogue.price[items] >= self.min_price
        if self.departments is not None:
            found["other_department"] = self.departments[self.catalogue.department[items]]
        if self.product_types is not None:
            found["other_product_type"] = self.product_types[self.catalogue.product_type[items]]
        return found

    def mask(self, items: NDArray[Any]) -> NDArray[np.bool_]:
        """Returns which items pass every filter, bool, as many as `items`."""
        keep = np.ones(len(items), dtype=np.bool_)
        for kept in self.tests(items).values():
            keep &= kept
        return keep

    def first(self, items: NDArray[Any], cap: int) -> NDArray[np.int64]:
        """Returns the first `cap` items that pass, in their order."""
        found: list[NDArray[np.int64]] = []
        num_found = 0
        for start in range(0, len(items), _CHUNK):
            chunk = items[start : start + _CHUNK]
            found.append(chunk[self.mask(chunk)].astype(np.int64))
            num_found += len(found[-1])
            if num_found >= cap:
                break
        return np.concatenate(found)[:cap] if found else np.zeros(0, dtype=np.int64)

    def without(self, items: NDArray[Any]) -> Self:
        """Returns the same filters that also leave out `items`."""
        is_excluded = self.is_excluded.copy()
        is_excluded[items] = True
        return replace(self, is_excluded=is_excluded)

    def below(self, max_price: float) -> Self:
        """Returns the same filters with a price bound no higher than `max_price`."""
        bound = max_price if self.max_price is None else min(self.max_price, max_price)
        return replace(self, max_price=bound)

    def gather(
        self, steps: Iterable[NDArray[Any]], *, cap: int, minimum: int
    ) -> tuple[NDArray[np.int64], int]:
        """Returns eligible items of the first step, widened by further steps if they are few.

        Args:
            steps: Lists of items, the rule's own first; read one by one, so pass a generator.
            cap: Most items of one step.
            minimum: Further steps are read until so many items are found; they then fill up to
                it, or to `cap` if nothing was found before, so that a rung still has a choice.

        Returns:
            The items without repeats, and how many of them come from the first step.
        """
        found: list[NDArray[np.int64]] = []
        num_found, num_matching = 0, 0
        eligible = self
        for position, step in enumerate(steps):
            wanted = minimum - num_found if num_found else cap
            items = eligible.first(step, wanted)
            found.append(items)
            num_found += len(items)
            num_matching = num_matching if position else num_found
            if num_found >= minimum:
                break
            eligible = eligible.without(items)
        return np.concatenate(found), num_matching
