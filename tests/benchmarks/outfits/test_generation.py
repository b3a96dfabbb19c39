import numpy as np
import pytest

from benchmarks.outfits.generation import exponent, generated_and_control, preferred_share
from benchmarks.outfits.generation_catalogue import Shop, largest_types, synthetic
from benchmarks.outfits.graph_alternative import graph_runner
from stylerec.serving.outfit_search import search_outfits

TYPES = [None, None, "dress", "shoes", "shoes", "bag", "bag", "bag", None]


@pytest.fixture
def style() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)


class TestGeneratedAndControl:
    def test_keep_hero_and_product_types(self, style) -> None:
        outfits = [np.array([2, 3, 5]), np.array([3, 5, 6, 2]), np.array([2, 8])]
        generated, control = generated_and_control(style, TYPES, outfits, beam_width=20)
        # The third outfit's other item has no type, so there is nothing to fill.
        for found in (generated, control):
            assert found[:, 0].tolist() == [2, 3]
            named = [[TYPES[item] for item in row[1:] if item] for row in found]
            assert named == [["shoes", "bag"], ["bag", "bag", "dress"]]
            assert all(len(set(row[row > 0])) == (row > 0).sum() for row in found)

    def test_generated_is_the_best_of_all(self, style) -> None:
        generated, _ = generated_and_control(style, TYPES, [np.array([2, 3, 5])], beam_width=20)
        total = {
            (shoes, bag): style[2] @ style[shoes] + (style[2] + style[shoes]) @ style[bag]
            for shoes in (3, 4)
            for bag in (5, 6, 7)
        }
        assert tuple(generated[0, 1:]) == max(total, key=lambda pair: total[pair])

    def test_a_type_with_too_few_items_stands_less_often(self, style) -> None:
        generated, _ = generated_and_control(style, TYPES, [np.array([3, 4, 4, 2])])
        assert (generated[0] > 0).sum() == 3

    def test_the_control_differs_by_seed_alone(self, style) -> None:
        outfits = [np.array([2, 5, 6])] * 20
        one, other = (generated_and_control(style, TYPES, outfits, seed=s)[1] for s in (0, 0))
        assert one.tolist() == other.tolist()
        assert len({tuple(row) for row in one}) > 1


class TestPreferredShare:
    def test_counts_ties_half(self) -> None:
        ours, theirs = np.array([[3], [1], [2], [2]]), np.array([[1], [2], [2], [2]])
        assert preferred_share(lambda rows: rows[:, 0].astype(float), ours, theirs) == (1 + 1) / 4


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
