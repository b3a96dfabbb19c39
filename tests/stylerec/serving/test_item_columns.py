import numpy as np
import pandas as pd
import pytest

from stylerec.serving import item_columns


def frame(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


class TestKinds:
    def test_a_retailer_with_one_column_gets_it_as_both(self) -> None:
        for column in ("category", "product_type"):
            category, types, names = item_columns.kinds(frame(**{column: ["a", "b"]}))
            assert category.tolist() == types.tolist() == [0, 0, 1, 2]
            assert names == ("", "a", "b")

    def test_an_empty_column_counts_as_none(self) -> None:
        items = frame(category=["a", "b"], product_type=[None, None])
        _, types, names = item_columns.kinds(items)
        assert (types.tolist(), names) == ([0, 0, 1, 2], ("", "a", "b"))

    def test_without_either_everything_is_missing(self) -> None:
        category, types, names = item_columns.kinds(frame(item_id=["x"]))
        assert category.tolist() == types.tolist() == [0, 0, 0]
        assert names == ("",)


class TestPrices:
    def test_takes_the_lower_price_and_says_what_is_on_sale(self) -> None:
        items = frame(price=[10.0, 10.0, 10.0, None], sale_price=[None, 7.0, 12.0, 5.0])
        price, is_on_sale = item_columns.prices(items)
        assert price[2:].tolist()[:3] == [10.0, 7.0, 10.0]
        assert np.isnan(price[5])
        assert is_on_sale[2:].tolist() == [False, True, False, False]

    def test_without_prices_all_are_nan(self) -> None:
        price, is_on_sale = item_columns.prices(frame(item_id=["x"]))
        assert np.isnan(price).all()
        assert not is_on_sale.any()


class TestInStock:
    @pytest.mark.parametrize("dtype", ["object", "boolean"])
    def test_an_unknown_stock_is_in_stock(self, dtype: str) -> None:
        items = pd.DataFrame({"in_stock": pd.Series([True, False, None], dtype=dtype)})
        assert item_columns.in_stock(items)[2:].tolist() == [True, False, True]

    def test_without_the_column_everything_is(self) -> None:
        assert item_columns.in_stock(frame(item_id=["x"])).tolist() == [True] * 3


class TestSoldIn:
    def test_row_0_has_everything_and_no_list_means_everywhere(self) -> None:
        markets = [["GB"], None, [], np.array(["US", "XX"])]
        sold = item_columns.sold_in(pd.DataFrame({"markets": markets}), ["GB", "US"])
        assert sold[0].all()
        assert sold[1, 2:].tolist() == [True, True, True, False]
        assert sold[2, 2:].tolist() == [False, True, True, True]

    def test_without_the_column_everything_is_sold_everywhere(self) -> None:
        assert item_columns.sold_in(frame(item_id=["x"]), ["GB"]).all()


class TestFirstSeen:
    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_is_unix_seconds_and_0_if_not_known(self, unit: str) -> None:
        stamps = pd.Series(pd.to_datetime(["1970-01-02", None], utc=True)).dt.as_unit(unit)
        seen = item_columns.first_seen_s(pd.DataFrame({"first_seen": stamps}))
        assert seen.tolist() == [0, 0, 24 * 3600, 0]


class TestTypePopularity:
    def test_orders_types_within_a_department(self) -> None:
        department = np.array([0, 0, 1, 1, 2], dtype=np.int32)
        types = np.array([0, 0, 1, 2, 1], dtype=np.int32)
        popularity = np.array([0, 0, 1.0, 3.0, 5.0], dtype=np.float32)
        found = item_columns.type_popularity(department, types, popularity)
        assert found[1] == (2, 1)
        assert found[2] == (1,)
        # Type 1 has 1 + 5 in all, type 2 has 3.
        assert found[0] == (1, 2)


class TestCategoryOfType:
    def test_is_the_most_common_one(self) -> None:
        types = np.array([0, 0, 1, 1, 1, 2], dtype=np.int32)
        category = np.array([0, 0, 3, 2, 3, 1], dtype=np.int32)
        assert item_columns.category_of_type(types, category, 3).tolist() == [0, 3, 1]
