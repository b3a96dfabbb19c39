"""Style embeddings laid out for search: the items of a product type lie together.

A slot of an outfit is then read as one block, where gathering its rows costs several times the
arithmetic.

Legend: V rows of the vocabulary, D style, C items of a slot.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from stylerec.schema.tensors import FIRST_ITEM_INDEX, PADDING_INDEX

IMPOSSIBLE = np.float32(-np.inf)
"""Score of what may not be chosen."""
_BLOCK_SHARE = 0.2
"""From this share of a block on, reading all of it is faster than gathering the rows wanted."""
_CHUNK = 64
_PIECE = 512
"""Rows that stay in a core's own cache while several queries read them."""
_FEW = 8
"""From more queries on, one matrix product is faster."""
_TINY = 1e-12

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class StyleIndex:
    """Every item's style embedding, grouped by product type.

    Attributes:
        table_VD: float32 `[V - 2, D]`, one row per item in the order of grouping.
        row_of: int64 `[V]`, an item's row; -1 for padding and unknown.
        customer_norm: Length that a customer's style is given: that of a usual item.
    """

    table_VD: Floats
    row_of: NDArray[np.int64]
    customer_norm: float

    @classmethod
    def build(
        cls,
        style_VD: Floats,
        order: NDArray[np.int32],
        *,
        customer_norm: float,
    ) -> Self:
        """Returns the index of a release.

        Args:
            style_VD: float32 `[V, D]` in index order.
            order: int32 `[V - 2]`, every item once, those of a product type together.
            customer_norm: See above.
        """
        row_of = np.full(len(style_VD), -1, dtype=np.int64)
        row_of[order] = np.arange(len(order))
        table_VD = np.ascontiguousarray(style_VD[order], dtype=np.float32)
        return cls(table_VD, row_of, customer_norm)

    def rows(self, items: NDArray[np.int64]) -> Floats:
        """Returns style embeddings `[len(items), D]`, zero for padding and unknown items."""
        found: Floats = self.table_VD[self.row_of[items]]
        found[items < FIRST_ITEM_INDEX] = 0.0
        return found

    def start(
        self, hero: int, history: NDArray[np.int64], *, customer_weight: float
    ) -> tuple[Floats, Floats]:
        """Returns the hero's embedding and the customer's weighted one, `[D]` each.

        The customer's is the mean direction of the history's items, as long as a usual item's:
        weight 1 counts as much as one more item in the outfit. Zero without a history.
        """
        hero_D = self.rows(np.array([hero], dtype=np.int64))[0]
        total_D = self.rows(history).sum(axis=0)
        norm = max(float(np.linalg.norm(total_D)), _TINY)
        return hero_D, total_D * np.float32(customer_weight * self.customer_norm / norm)

    def slot(self, items: NDArray[np.int64]) -> "Slot":
        """Returns the slot that takes one of `items`, which must lie near each other to be fast."""
        row = self.row_of[items]
        low, high = int(row.min()), int(row.max()) + 1
        if len(items) < _BLOCK_SHARE * (high - low):
            return Slot(self.table_VD[row], items, np.zeros(len(items), dtype=np.float32))
        block_items = np.full(high - low, PADDING_INDEX, dtype=np.int64)
        block_items[row - low] = items
        penalty_C = np.where(block_items == PADDING_INDEX, IMPOSSIBLE, np.float32(0.0))
        return Slot(self.table_VD[low:high], block_items, penalty_C)


@dataclass(frozen=True, eq=False)
class Slot:
    """The items that can stand in one place of an outfit.

    Two slots either share no item or are the same object.

    Attributes:
        rows_CD: Their style embeddings.
        items_C: int64 item indices; 0 where the row is none of the slot's.
        penalty_C: float32, 0 for an item, minus infinity for any other row.
    """

    rows_CD: Floats
    items_C: NDArray[np.int64]
    penalty_C: Floats

    def nearest(self, query_D: Floats, count: int) -> "Slot":
        """Returns the slot with only the `count` items that go best with a query."""
        if len(self.items_C) <= count:
            return self
        places = np.sort(best_places(self.rows_CD @ query_D + self.penalty_C, count))
        return Slot(self.rows_CD[places], self.items_C[places], self.penalty_C[places])


def dot_products(rows_CD: Floats, queries_WD: Floats) -> Floats:
    """Returns the dot product of every query with every row, float32 `[W, C]`.

    A matrix product copies all rows before it multiplies. For few queries that takes longer than
    the multiplication, so each piece of rows is instead read by one query after another.
    """
    num_queries, num_rows = len(queries_WD), len(rows_CD)
    if num_queries > _FEW:
        return queries_WD @ rows_CD.T
    found_WC = np.empty((num_queries, num_rows), dtype=np.float32)
    for start in range(0, num_rows, _PIECE):
        piece = slice(start, start + _PIECE)
        for row_C, query_D in zip(found_WC, queries_WD, strict=True):
            np.dot(rows_CD[piece], query_D, out=row_C[piece])
    return found_WC


def best_places(scores: Floats, count: int) -> NDArray[np.int64]:
    """Returns the places of the `count` best scores, best first, the first of equal ones first.

    Fewer where fewer are possible. The k-th best maximum of all chunks is a bound that no less than
    k scores reach, so only those are sorted.
    """
    num_chunks = len(scores) // _CHUNK
    bound = IMPOSSIBLE
    if num_chunks > count:
        highest = scores[: num_chunks * _CHUNK].reshape(num_chunks, _CHUNK).max(axis=1)
        bound = np.partition(highest, num_chunks - count)[num_chunks - count]
    elif len(scores) > count:
        bound = np.partition(scores, len(scores) - count)[len(scores) - count]
    reaching = scores > bound if bound == IMPOSSIBLE else scores >= bound
    places = np.flatnonzero(reaching)
    return places[np.argsort(-scores[places], kind="stable")[:count]]
