import numpy as np
import pytest

from stylerec.errors import ReleaseError
from stylerec.serving.catalogue import Catalogue


class TestFromFrames:
    def test_lists_the_most_popular_first_in_each_market(self, shop) -> None:
        catalogue = shop.catalogue()
        assert shop.ids(catalogue.popular[0, :2]) == ["dress-0", "dress-1"]
        assert shop.ids(catalogue.popular[2, :2]) == ["scarf-7", "scarf-6"]

    def test_postings_hold_each_item_once(self, shop) -> None:
        catalogue = shop.catalogue()
        assert sorted(catalogue.by_category.items.tolist()) == list(range(2, 66))

    def test_lists_the_sale_and_the_newest(self, shop) -> None:
        catalogue = shop.catalogue()
        assert shop.ids(catalogue.on_sale) == ["ring-1", "ring-3", "ring-5", "ring-7"]
        assert shop.ids(catalogue.newest[:2]) == ["scarf-7", "scarf-6"]

    def test_works_with_ids_alone(self, shop) -> None:
        columns = [c for c in shop.frame() if c not in ("item_id", "item_index")]
        catalogue = shop.catalogue(drop=columns, sells_in=())
        assert catalogue.in_stock[2:].all()
        assert not catalogue.has_prices
        assert len(catalogue.on_sale) == len(catalogue.newest) == 0
        assert catalogue.market_row("GB") == 0

    def test_refuses_another_order(self, shop) -> None:
        frame = shop.frame().iloc[::-1]
        with pytest.raises(ReleaseError, match="item_index"):
            Catalogue.from_frames(
                frame, vocabulary=shop.vocabulary, arrays=shop.arrays(), markets=shop.markets
            )

    @pytest.mark.parametrize(
        "name", ["popularity", "neighbour_index", "neighbour_score", "content_embedding"]
    )
    def test_refuses_arrays_of_another_release(self, shop, name: str) -> None:
        for changed in (shop.arrays()[name][..., :-1, :-1], None):
            arrays = shop.arrays()
            arrays[name] = changed
            with pytest.raises(ReleaseError, match=name):
                Catalogue.from_frames(
                    shop.frame(), vocabulary=shop.vocabulary, arrays=arrays, markets=shop.markets
                )

    def test_refuses_another_number_of_markets(self, shop) -> None:
        with pytest.raises(ReleaseError, match="4 rows"):
            Catalogue.from_frames(
                shop.frame(),
                vocabulary=shop.vocabulary,
                arrays=shop.arrays(),
                markets=("GB", "US", "DE"),
            )


class TestCatalogue:
    def test_finds_a_product_type_in_any_case(self, shop) -> None:
        catalogue = shop.catalogue()
        assert catalogue.product_types[catalogue.product_type_code("DRESS")] == "dress"
        assert catalogue.product_type_code("boat") == 0

    def test_row_of_a_market(self, shop) -> None:
        catalogue = shop.catalogue()
        assert [catalogue.market_row(market) for market in (None, "GB", "US")] == [0, 1, 2]

    def test_new_stock_leaves_the_old_catalogue_alone(self, shop) -> None:
        catalogue = shop.catalogue()
        empty = catalogue.with_stock(np.zeros_like(catalogue.in_stock))
        assert catalogue.in_stock[2:].all()
        assert not empty.in_stock.any()
        assert empty.popular is catalogue.popular

    def test_refuses_stock_of_other_items(self, shop) -> None:
        with pytest.raises(ValueError, match="in_stock"):
            shop.catalogue().with_stock(np.zeros(3, dtype=np.bool_))


class TestStyle:
    def test_is_grouped_by_product_type(self, shop) -> None:
        catalogue = shop.catalogue()
        heels = catalogue.by_product_type.of(catalogue.product_type_code("heels"))
        rows = catalogue.style.row_of[heels]
        assert rows.tolist() == list(range(rows[0], rows[0] + len(heels)))

    def test_is_none_without_outfits(self, shop) -> None:
        assert shop.catalogue(has_style=False).style is None

    @pytest.mark.parametrize("fault", ["rows", "customer_norm"])
    def test_refuses_one_of_another_release(self, shop, monkeypatch, fault: str) -> None:
        arrays = shop.style()
        if fault == "rows":
            arrays["style_embedding"] = arrays["style_embedding"][1:]
        else:
            del arrays[fault]
        monkeypatch.setattr(shop, "style", lambda: arrays)
        with pytest.raises(ReleaseError, match="style_embedding"):
            shop.catalogue()
