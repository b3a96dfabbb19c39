"""Columns of the items table to arrays `[V]`, each with a rule for what a retailer leaves out."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.schema import columns
from stylerec.schema.tensors import FIRST_ITEM_INDEX
from stylerec.serving.postings import MISSING_CODE, factorised

_NANOSECONDS = 1_000_000_000
_Value = TypeVar("_Value", bound=np.generic)


def codes(items: pd.DataFrame, column: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Returns int32 `[V]` codes of a text column (0 missing) and the name of each code."""
    if column not in items:
        return np.zeros(len(items) + FIRST_ITEM_INDEX, dtype=np.int32), ("",)
    found, names = factorised(items[column].astype(object).tolist())
    return _with_head(found), names


def kinds(
    items: pd.DataFrame,
) -> tuple[NDArray[np.int32], NDArray[np.int32], tuple[str, ...]]:
    """Returns category codes, product type codes and product type names.

    A retailer that has only one of the two columns gets it as both.
    """
    category, category_names = codes(items, columns.CATEGORY)
    types, type_names = codes(items, columns.PRODUCT_TYPE)
    if not types.any():
        return category, category, category_names
    return (category if category.any() else types), types, type_names


def prices(items: pd.DataFrame) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Returns what each item costs now (NaN if not known) and whether it is in the sale."""
    full = _number(items, columns.PRICE)
    sale = _number(items, columns.SALE_PRICE)
    is_on_sale = sale < full
    paid = np.where(is_on_sale, sale, full).astype(np.float32)
    return _with_head(paid, missing=np.nan), _with_head(is_on_sale)


def in_stock(items: pd.DataFrame) -> NDArray[np.bool_]:
    """Returns bool `[V]`, true where the retailer does not say."""
    if columns.IN_STOCK not in items:
        return np.ones(len(items) + FIRST_ITEM_INDEX, dtype=np.bool_)
    stock = items[columns.IN_STOCK].astype("boolean").fillna(True).to_numpy(dtype=np.bool_)
    return _with_head(stock)


def sold_in(items: pd.DataFrame, markets: Sequence[str]) -> NDArray[np.bool_]:
    """Returns bool `[M + 1, V]`; an item that lists no markets is sold in all of them."""
    sold = np.ones((len(markets) + 1, len(items) + FIRST_ITEM_INDEX), dtype=np.bool_)
    if columns.MARKETS not in items:
        return sold
    row_of = {market: row for row, market in enumerate(markets, start=1)}
    for index, listed in enumerate(items[columns.MARKETS].tolist(), start=FIRST_ITEM_INDEX):
        # A null cell, or an empty list: the retailer does not say.
        if isinstance(listed, list | tuple | np.ndarray) and len(listed):
            sold[1:, index] = False
            sold[[row_of[market] for market in listed if market in row_of], index] = True
    return sold


def first_seen_s(items: pd.DataFrame) -> NDArray[np.int64]:
    """Returns unix seconds `[V]`, 0 if not known."""
    if columns.FIRST_SEEN not in items:
        return np.zeros(len(items) + FIRST_ITEM_INDEX, dtype=np.int64)
    seen = pd.to_datetime(items[columns.FIRST_SEEN], utc=True)
    stamps = seen.dt.tz_localize(None).to_numpy(dtype="datetime64[ns]")
    is_known = ~np.isnat(stamps)
    return _with_head(np.where(is_known, stamps.astype(np.int64) // _NANOSECONDS, 0))


def type_popularity(
    department: NDArray[np.int32], types: NDArray[np.int32], popularity: NDArray[np.float32]
) -> Mapping[int, tuple[int, ...]]:
    """Returns department code to product type codes, most popular first; code 0: everywhere."""
    num_types = int(types.max(initial=MISSING_CODE)) + 1
    num_departments = int(department.max(initial=MISSING_CODE)) + 1
    # Half a point per item, so that types nobody has bought yet still come in order of size.
    weight = popularity.astype(np.float64) + 0.5
    pair = department.astype(np.int64) * num_types + types
    total = np.bincount(pair, weights=weight, minlength=num_departments * num_types)
    table = total.reshape(num_departments, num_types)
    table[MISSING_CODE] = table.sum(axis=0)
    table[:, MISSING_CODE] = 0.0
    return {
        code: tuple(int(t) for t in np.argsort(-row, kind="stable") if row[t] > 0)
        for code, row in enumerate(table)
    }


def category_of_type(
    types: NDArray[np.int32], category: NDArray[np.int32], num_types: int
) -> NDArray[np.int32]:
    """Returns the most common category of each product type, int32 `[num_types]`."""
    num_categories = int(category.max(initial=MISSING_CODE)) + 1
    pairs, counts = np.unique(
        types.astype(np.int64) * num_categories + category, return_counts=True
    )
    found = np.zeros(num_types, dtype=np.int32)
    ascending = np.argsort(counts, kind="stable")
    found[pairs[ascending] // num_categories] = pairs[ascending] % num_categories
    return found


def _number(items: pd.DataFrame, column: str) -> NDArray[np.float64]:
    if column not in items:
        return np.full(len(items), np.nan)
    return pd.to_numeric(items[column]).to_numpy(dtype=np.float64, na_value=np.nan)


def _with_head(values: NDArray[_Value], *, missing: float = 0) -> NDArray[_Value]:
    """Returns `values` after the rows of padding and unknown."""
    head = np.full(FIRST_ITEM_INDEX, missing, dtype=values.dtype)
    return np.concatenate([head, values])
