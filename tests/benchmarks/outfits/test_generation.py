import numpy as np
import pytest

from benchmarks.outfits.generation import exponent
from benchmarks.outfits.generation_catalogue import Shop, largest_types, synthetic
from benchmarks.outfits.graph_alternative import graph_runner
from stylerec.serving.outfit_search import search_outfits


class TestExponent:
    @pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
    def test_is_the_power(self, power) -> None:
        rows = [{"items": n, "p50_ms": 3.0 * n**power} for n in (1_000, 2_000, 4_000)]
        assert exponent(rows, "items") == pytest.approx(power, abs=1e-3)


@pytest.fixture(scope="module")
def shop() -> Shop:
    items = synthetic(600)
    return Shop(items, np.random.default_rng(0).random((602, 8), dtype=np.float32))


class TestShop:
    def test_requests_meet_stock_and_both_price_bounds(self, shop) -> None:
        types = largest_types(shop.frame, 3)
        run = shop.requests(types, beam_width=3, count=2, cut=1_000)
        for turn in range(8):
            for outfit in run(turn):
                assert [shop.frame["product_type"][item - 2] for item in outfit.items] == [*types]
                price = shop.catalogue.price[[shop.heroes[turn], *outfit.items]]
                assert (price[1:] <= 10 * price[0]).all()
                assert (price[1:] >= 0.1 * price[0]).all()
                assert shop.catalogue.in_stock[[*outfit.items]].all()

    def test_the_graph_finds_what_the_served_search_finds(self, shop) -> None:
        lists = [shop.items_of(name) for name in largest_types(shop.frame, 3)]
        run = graph_runner(shop, lists, beam_width=3)
        slots = [shop.index.slot(items) for items in lists]
        for turn in range(4):
            items_WS, score_W = run(turn)
            hero_D = shop.style_VD[shop.heroes[turn]]
            found = search_outfits(hero_D, slots, count=3, beam_width=3)
            assert [tuple(row) for row in items_WS] == [outfit.items for outfit in found]
            assert score_W == pytest.approx([o.sum_of_pairs for o in found], rel=1e-4)
