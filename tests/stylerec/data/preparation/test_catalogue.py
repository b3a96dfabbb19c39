import numpy as np
import pandas as pd

from stylerec.data.preparation.catalogue import (
    build_vocabulary,
    complete_items,
    item_markets,
    neighbour_arrays,
    popularity_array,
)
from stylerec.schema.columns import ITEMS


def _full(**columns):
    count = len(next(iter(columns.values())))
    missing = {c.name: [None] * count for c in ITEMS.columns if c.name not in columns}
    return pd.DataFrame({**missing, **columns})


class TestCompleteItems:
    def test_sorts_by_id_and_numbers_from_two(self):
        items = complete_items(_full(item_id=["b", "a", "10", "9"]))
        assert items.item_id.tolist() == ["10", "9", "a", "b"]
        assert items.item_index.tolist() == [2, 3, 4, 5]

    def test_unknown_stock_counts_as_in_stock(self):
        items = complete_items(_full(item_id=["a", "b", "c"], in_stock=[None, False, True]))
        assert items.in_stock.tolist() == [True, False, True]

    def test_has_every_canonical_column(self):
        items = complete_items(_full(item_id=["a"]))
        assert list(items.columns) == ["item_index", *(c.name for c in ITEMS.columns)]


class TestBuildVocabulary:
    def test_knows_every_item_and_sorted_category_values(self):
        items = complete_items(_full(item_id=["b", "a"], colour=["red", "blue"], brand=["x", None]))
        vocabulary = build_vocabulary(items)
        assert vocabulary.item_ids == ("a", "b")
        assert vocabulary.categories["colour"] == ("blue", "red")
        assert vocabulary.categories["brand"] == ("x",)
        assert vocabulary.categories["department"] == ()


class TestItemMarkets:
    def test_is_the_union(self):
        items = _full(item_id=["a", "b", "c"], markets=[["GB", "DE"], None, ["GB"]])
        assert item_markets(items) == {"DE", "GB"}


class TestPopularityArray:
    COUNTS = pd.DataFrame(
        {"market": [None, None, "GB"], "item_index": [2, 3, 2], "num_customers": [7, 5, 4]}
    )

    def test_has_a_row_for_all_and_one_per_market(self):
        array = popularity_array(self.COUNTS, ["GB"], 4)
        assert array.tolist() == [[0, 0, 7, 5], [0, 0, 4, 0]]
        assert array.dtype == np.float32

    def test_a_market_without_interactions_takes_that_of_all(self):
        array = popularity_array(self.COUNTS, ["FR", "GB"], 4)
        assert array[1].tolist() == array[0].tolist()


class TestNeighbourArrays:
    def test_fills_by_position_and_pads_with_zero(self):
        found = pd.DataFrame(
            {
                "item_index": [3, 3, 2],
                "neighbour_index": [2, 4, 3],
                "score": [0.25, 0.5, 0.25],
                "position": [1, 0, 0],
            }
        )
        arrays = neighbour_arrays(found, num_items=5, num_neighbours=2)
        assert arrays["neighbour_index"].tolist() == [[0, 0], [0, 0], [3, 0], [4, 2], [0, 0]]
        assert arrays["neighbour_score"].tolist() == [
            [0, 0],
            [0, 0],
            [0.25, 0],
            [0.5, 0.25],
            [0, 0],
        ]
