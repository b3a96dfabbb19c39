"""The items table made whole: canonical columns in index order, and the vocabulary over them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.features.content import column_values
from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.columns import (
    CATEGORICAL_ITEM_COLUMNS,
    IN_STOCK,
    ITEM_ID,
    ITEMS,
    MARKET,
    MARKETS,
)
from stylerec.schema.tensors import FIRST_ITEM_INDEX

ITEM_INDEX = "item_index"


def complete_items(items: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per item, sorted by id, with `item_index` and every canonical column.

    An item whose stock is not known counts as in stock. Sorting makes the index independent of
    the order in the file.
    """
    ordered = items.sort_values(ITEM_ID, kind="stable").reset_index(drop=True)
    ordered[IN_STOCK] = [value is None or bool(value) for value in column_values(ordered, IN_STOCK)]
    ordered.insert(0, ITEM_INDEX, np.arange(len(ordered), dtype=np.int64) + FIRST_ITEM_INDEX)
    return ordered[[ITEM_INDEX, *(column.name for column in ITEMS.columns)]]


def build_vocabulary(items: pd.DataFrame) -> Vocabulary:
    """Returns the ids of complete items, and each categorical column's values in sorted order."""
    return Vocabulary(
        item_ids=tuple(items[ITEM_ID]),
        categories={
            column: tuple(sorted({v for v in column_values(items, column) if v is not None}))
            for column in CATEGORICAL_ITEM_COLUMNS
        },
    )


def item_markets(items: pd.DataFrame) -> set[str]:
    """Returns every market that some item is sold in."""
    return {m for markets in column_values(items, MARKETS) if markets for m in markets}


def popularity_array(
    counts: pd.DataFrame, markets: Sequence[str], num_items: int
) -> NDArray[np.float32]:
    """Returns customers per market and item, float32 `[M + 1, V]`; row 0 is all markets.

    A market without any interaction of its own takes the popularity of all markets.

    Args:
        counts: `market` (null for all), `item_index`, `num_customers`.
        markets: Markets in row order.
        num_items: V.
    """
    array = np.zeros((len(markets) + 1, num_items), dtype=np.float32)
    overall = counts[counts[MARKET].isna()]
    array[0, overall[ITEM_INDEX]] = overall["num_customers"]
    for row, market in enumerate(markets, start=1):
        own = counts[counts[MARKET] == market]
        if len(own):
            array[row, own[ITEM_INDEX]] = own["num_customers"]
        else:
            array[row] = array[0]
    return array


def neighbour_arrays(
    neighbours: pd.DataFrame, *, num_items: int, num_neighbours: int
) -> dict[str, NDArray[np.int32] | NDArray[np.float32]]:
    """Returns `neighbour_index` and `neighbour_score`, `[V, K]`, best first, 0 padded."""
    index = np.zeros((num_items, num_neighbours), dtype=np.int32)
    score = np.zeros((num_items, num_neighbours), dtype=np.float32)
    at = (neighbours[ITEM_INDEX].to_numpy(), neighbours["position"].to_numpy())
    index[at] = neighbours["neighbour_index"]
    score[at] = neighbours["score"]
    return {"neighbour_index": index, "neighbour_score": score}
