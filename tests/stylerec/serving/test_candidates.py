import numpy as np

from stylerec.serving.candidates import (
    Candidates,
    bought_together,
    given,
    low_price_complements,
    neighbours,
    same_category,
)


def found(shop, candidates: Candidates) -> list[str]:
    assert len(candidates.sets) == 1
    return shop.ids(candidates.sets[0].items)


class TestGiven:
    def test_keeps_the_callers_order(self, shop) -> None:
        asked = ["ring-2", "dress-0", "boots-1"]
        resolved = shop.resolved("search-page", candidate_item_ids=asked)
        assert found(shop, given(resolved)) == asked
        assert given(resolved).notes == {}

    def test_counts_what_each_filter_takes_out(self, shop) -> None:
        catalogue = shop.catalogue(
            in_stock={"ring-0": False, "ring-1": False},
            markets={"ring-1": ["US"], "ring-2": ["US"]},
        )
        resolved = shop.resolved(
            "search-page",
            catalogue=catalogue,
            candidate_item_ids=["ring-0", "ring-1", "ring-2", "ring-4", "dress-0", "gone"],
            exclude_item_ids=["ring-4"],
            market="GB",
            max_price=40,
        )
        assert found(shop, given(resolved)) == ["dress-0"]
        # ring-1 is both out of stock and not sold here: it counts once.
        assert given(resolved).notes == {"excluded": 1, "out_of_stock": 2, "not_in_market": 1}
        assert resolved.num_unknown == 1

    def test_has_no_set_when_nothing_is_left(self, shop) -> None:
        resolved = shop.resolved("search-page", candidate_item_ids=["gone"])
        assert given(resolved).sets == ()


class TestSameCategory:
    def test_finds_the_heros_category_in_its_department(self, shop) -> None:
        resolved = shop.resolved("you-might-also-like", hero_item_id="heels-3", limit=4)
        # Boots are shoes too, but men's.
        expected = [f"heels-{number}" for number in range(8) if number != 3]
        assert found(shop, same_category(resolved)) == expected

    def test_fills_up_from_category_department_and_market(self, shop) -> None:
        resolved = shop.resolved("you-might-also-like", hero_item_id="heels-3", limit=45)
        candidates = same_category(resolved)
        ids = found(shop, candidates)
        assert ids[7:15] == [f"boots-{number}" for number in range(8)]
        # The department's 32 other items, then one of the market's most popular.
        assert {item_id.split("-")[0] for item_id in ids[15:]} == {
            "dress", "skirt", "clutch", "ring",
        }  # fmt: skip
        assert len(ids) == len(set(ids)) == 45
        assert candidates.sets[0].num_matching == 7
        assert candidates.notes == {"widened": 45 - 7}

    def test_widens_when_the_category_is_out_of_stock(self, shop) -> None:
        heels = {f"heels-{number}": False for number in range(8)}
        resolved = shop.resolved(
            "you-might-also-like",
            catalogue=shop.catalogue(in_stock=heels),
            hero_item_id="heels-3",
            limit=4,
        )
        candidates = same_category(resolved)
        assert not set(found(shop, candidates)) & set(heels)
        assert found(shop, candidates)[0] == "boots-0"
        assert candidates.sets[0].num_matching == 0

    def test_takes_what_is_popular_for_an_unknown_hero(self, shop) -> None:
        resolved = shop.resolved("you-might-also-like", hero_item_id="x", market="US")
        assert found(shop, same_category(resolved))[:2] == ["scarf-7", "scarf-6"]

    def test_needs_no_departments(self, shop) -> None:
        resolved = shop.resolved(
            "you-might-also-like",
            catalogue=shop.catalogue(drop=["department"]),
            hero_item_id="heels-3",
            limit=4,
        )
        kinds = {item_id.split("-")[0] for item_id in found(shop, same_category(resolved))}
        assert kinds == {"heels", "boots"}

    def test_keeps_the_most_popular_up_to_the_cap(self, shop) -> None:
        resolved = shop.resolved(
            "you-might-also-like",
            contract=shop.contract_with(max_candidates=2),
            hero_item_id="heels-3",
            limit=1,
        )
        assert found(shop, same_category(resolved)) == ["heels-0", "heels-1"]


class TestBoughtTogether:
    def test_finds_the_strongest_first(self, shop) -> None:
        resolved = shop.resolved("people-also-bought", hero_item_id="dress-2", limit=3)
        assert found(shop, bought_together(resolved)) == ["heels-2", "clutch-2", "ring-2"]

    def test_fills_up_from_the_department(self, shop) -> None:
        resolved = shop.resolved("people-also-bought", hero_item_id="dress-2", limit=4)
        candidates = bought_together(resolved)
        assert found(shop, candidates) == ["heels-2", "clutch-2", "ring-2", "dress-0"]
        assert candidates.notes == {"widened": 1}

    def test_goes_on_to_what_goes_with_those(self, shop) -> None:
        arrays = shop.arrays()
        arrays["neighbour_index"][shop.index("heels-2"), 0] = shop.index("scarf-5")
        arrays["neighbour_score"][shop.index("heels-2"), 0] = 0.1
        resolved = shop.resolved(
            "people-also-bought",
            catalogue=shop.catalogue(arrays=arrays),
            hero_item_id="dress-2",
            limit=4,
        )
        assert found(shop, bought_together(resolved))[3] == "scarf-5"

    def test_leaves_out_what_is_out_of_stock(self, shop) -> None:
        resolved = shop.resolved(
            "people-also-bought",
            catalogue=shop.catalogue(in_stock={"heels-2": False}),
            hero_item_id="dress-2",
            limit=2,
        )
        assert found(shop, bought_together(resolved)) == ["clutch-2", "ring-2"]


class TestLowPriceComplements:
    def test_finds_cheap_items_of_other_types(self, shop) -> None:
        resolved = shop.resolved(
            "little-something-extra", bag_item_ids=["dress-2", "heels-2"], limit=8
        )
        ids = found(shop, low_price_complements(resolved))
        # Bound: 25, and half of 40 + 60. What was bought with the dress comes first.
        assert ids[:2] == ["clutch-2", "ring-2"]
        assert {item_id.split("-")[0] for item_id in ids} == {"clutch", "ring"}
        assert len(ids) == 16

    def test_bound_follows_the_bag(self, shop) -> None:
        resolved = shop.resolved("little-something-extra", bag_item_ids=["clutch-0"], limit=4)
        candidates = low_price_complements(resolved)
        # Half of 20 is 10: rings at 8, or at 4 in the sale.
        assert {item_id.split("-")[0] for item_id in found(shop, candidates)} == {"ring"}
        assert candidates.notes == {}

    def test_lifts_the_share_then_the_type_then_the_price(self, shop) -> None:
        resolved = shop.resolved("little-something-extra", bag_item_ids=["ring-0"], limit=24)
        candidates = low_price_complements(resolved)
        ids = found(shop, candidates)
        kinds = [item_id.split("-")[0] for item_id in ids]
        # Half of 8: the sale rings would do, but rings are in the bag. Eight clutches, then the
        # seven other rings, then the dearer dresses and one skirt.
        assert kinds == ["clutch"] * 8 + ["ring"] * 7 + ["dress"] * 8 + ["skirt"]
        assert candidates.sets[0].num_matching == 0

    def test_never_exceeds_the_requests_own_price(self, shop) -> None:
        resolved = shop.resolved(
            "little-something-extra", bag_item_ids=["ring-0"], limit=24, max_price=9
        )
        ids = found(shop, low_price_complements(resolved))
        assert {item_id.split("-")[0] for item_id in ids} == {"ring"}

    def test_says_so_when_there_are_no_prices(self, shop) -> None:
        resolved = shop.resolved(
            "little-something-extra",
            catalogue=shop.catalogue(drop=["price", "sale_price"]),
            bag_item_ids=["dress-2"],
        )
        candidates = low_price_complements(resolved)
        assert candidates.notes == {"low_price": "no_prices"}
        assert found(shop, candidates)[:3] == ["heels-2", "clutch-2", "ring-2"]

    def test_answers_an_unknown_bag(self, shop) -> None:
        resolved = shop.resolved("little-something-extra", bag_item_ids=["x"])
        assert found(shop, low_price_complements(resolved))[0] == "clutch-0"

    def test_never_repeats_an_item(self, shop) -> None:
        for limit in (1, 8, 24):
            resolved = shop.resolved(
                "little-something-extra", bag_item_ids=["dress-0", "boots-1"], limit=limit
            )
            ids = found(shop, low_price_complements(resolved))
            assert len(ids) == len(set(ids))
            assert not {"dress-0", "boots-1"} & set(ids)


class TestNeighbours:
    def test_sums_scores_over_the_items(self, shop) -> None:
        arrays = shop.arrays()
        first, second = shop.indices("dress-0", "dress-1")
        arrays["neighbour_index"][second] = [shop.index("ring-0"), shop.index("scarf-0"), 0]
        arrays["neighbour_score"][second] = [0.7, 0.5, 0.0]
        catalogue = shop.catalogue(arrays=arrays)
        # ring-0 has 0.2 + 0.7, heels-0 0.8, scarf-0 0.5, clutch-0 0.4.
        expected = ["ring-0", "heels-0", "scarf-0", "clutch-0"]
        assert shop.ids(neighbours(catalogue, np.array([first, second]))) == expected

    def test_of_nothing_are_none(self, shop) -> None:
        assert len(neighbours(shop.catalogue(), np.zeros(0, dtype=np.int64))) == 0
