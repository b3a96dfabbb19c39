from stylerec.serving.candidates import Candidates, neighbours
from stylerec.serving.carousels import carousels


def by_rule(shop, candidates: Candidates) -> dict[str, list[str]]:
    return {found.rule: shop.ids(found.items) for found in candidates.sets}


class TestCarousels:
    def test_follow_the_contracts_order_and_titles(self, shop) -> None:
        resolved = shop.resolved("for-you", history=shop.known("dress-1", event="save"))
        candidates = carousels(resolved)
        assert [found.rule for found in candidates.sets] == [
            "like_your_saved_items",
            "new_in",
            "in_the_sale",
            "picked_for_you",
        ]
        assert [found.title for found in candidates.sets] == [
            carousel.title for carousel in shop.contract.of("for-you").carousels
        ]

    def test_only_those_asked_for(self, shop) -> None:
        resolved = shop.resolved("for-you", carousels=["in_the_sale"])
        assert by_rule(shop, carousels(resolved)) == {
            "in_the_sale": ["ring-1", "ring-3", "ring-5", "ring-7"]
        }

    def test_says_why_one_is_left_out(self, shop) -> None:
        resolved = shop.resolved("for-you", catalogue=shop.catalogue(drop=["price", "first_seen"]))
        candidates = carousels(resolved)
        assert [found.rule for found in candidates.sets] == ["picked_for_you"]
        assert candidates.omitted == {
            "like_your_saved_items": "no_saved_items",
            "new_in": "no_first_seen",
            "in_the_sale": "nothing_on_sale",
        }

    def test_says_when_the_filters_leave_nothing(self, shop) -> None:
        sold_out = {f"ring-{number}": False for number in range(8)}
        resolved = shop.resolved("for-you", catalogue=shop.catalogue(in_stock=sold_out))
        assert carousels(resolved).omitted["in_the_sale"] == "nothing_eligible"


class TestPickedForYou:
    def test_starts_with_what_was_bought_with_the_history(self, shop) -> None:
        history = shop.known("dress-1", event="view")
        resolved = shop.resolved("for-you", carousels=["picked_for_you"], history=history)
        (found,) = carousels(resolved).sets
        together = neighbours(resolved.catalogue, history.newest(1))
        eligible = resolved.eligible.first(together, len(together))
        assert len(eligible) > 0
        assert found.items[: len(eligible)].tolist() == eligible.tolist()

    def test_is_popular_for_an_unknown_customer(self, shop) -> None:
        resolved = shop.resolved("for-you", carousels=["picked_for_you"])
        (found,) = carousels(resolved).sets
        popular = resolved.catalogue.popular[resolved.market_row]
        expected = resolved.eligible.first(popular, len(found.items))
        assert found.items.tolist() == expected.tolist()


class TestNewIn:
    def test_holds_the_newest_items(self, shop) -> None:
        rules = [{"rule": "new_in", "title": "New", "max_candidates": 3}]
        contract = shop.contract_with("for-you", carousels=rules)
        found = by_rule(shop, carousels(shop.resolved("for-you", contract=contract)))
        assert found == {"new_in": ["scarf-7", "scarf-6", "scarf-5"]}


class TestLikeYourSavedItems:
    def test_holds_what_was_bought_with_them(self, shop) -> None:
        resolved = shop.resolved("for-you", history=shop.known("dress-1", event="save"))
        found = by_rule(shop, carousels(resolved))["like_your_saved_items"]
        assert found[:3] == ["heels-1", "clutch-1", "ring-1"]

    def test_goes_on_with_similar_items_of_the_category(self, shop) -> None:
        resolved = shop.resolved("for-you", history=shop.known("heels-3", event="save"))
        found = by_rule(shop, carousels(resolved))["like_your_saved_items"]
        # Nothing was bought with heels-3; most alike are its neighbours in angle.
        assert set(found[:2]) == {"heels-2", "heels-4"}
        assert {item_id.split("-")[0] for item_id in found} == {"heels"}

    def test_leaves_out_the_saved_items(self, shop) -> None:
        filters = {"exclude_seen": False}
        contract = shop.contract_with("for-you", filters=filters)
        history = shop.known("dress-1", "heels-1", event="save")
        resolved = shop.resolved("for-you", contract=contract, history=history)
        found = by_rule(shop, carousels(resolved))["like_your_saved_items"]
        assert not {"dress-1", "heels-1"} & set(found)

    def test_does_not_count_views(self, shop) -> None:
        resolved = shop.resolved("for-you", history=shop.known("dress-1", event="view"))
        assert carousels(resolved).omitted == {"like_your_saved_items": "no_saved_items"}

    def test_names_the_saved_items_as_reason(self, shop) -> None:
        history = shop.known("dress-1", "ring-2", event=["save", "view"])
        sets = carousels(shop.resolved("for-you", history=history)).sets
        assert [shop.ids(found.sources) for found in sets if found.sources is not None] == [
            ["dress-1"]
        ]
        assert [found.reason for found in sets] == [None, "new_in", "in_the_sale", None]
