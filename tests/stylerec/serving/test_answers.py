import pytest

from stylerec.schema.touchpoints import Touchpoint

COMMON_FIELDS = {
    "touchpoint",
    "model",
    "release",
    "served_by",
    "fallback_reason",
    "skipped",
    "history_age_s",
    "unknown_items",
    "omitted",
    "notes",
}


class TestAnswerOf:
    @pytest.mark.parametrize("touchpoint", list(Touchpoint))
    def test_always_has_the_same_fields(self, shop, touchpoint: str) -> None:
        own = {"for-you": "carousels", "complete-the-look": "outfits"}.get(touchpoint, "items")
        for customer_id in ("c1", "nobody"):
            answer = shop.answer(touchpoint, customer_id=customer_id)
            assert set(answer) == COMMON_FIELDS | {own}

    def test_has_the_shape_of_the_design(self, shop) -> None:
        answer = shop.answer(
            "you-might-also-like", customer_id="c1", hero_item_id="heels-3", market="GB", limit=2
        )
        # The fake model prefers later items; both look like the hero.
        score = [shop.index(item_id) / 1_000 for item_id in ("heels-7", "heels-6")]
        assert answer == {
            "touchpoint": "you-might-also-like",
            "items": [
                {"item_id": "heels-7", "score": score[0], "because": "dress-7"},
                {"item_id": "heels-6", "score": score[1], "because": "dress-6"},
            ],
            "model": "next_item",
            "release": "2026-11-21T093000-4f1c",
            "served_by": "primary",
            "fallback_reason": None,
            "skipped": {},
            "history_age_s": 10.0,
            "unknown_items": 0,
            "omitted": {},
            "notes": {},
        }

    def test_says_who_stood_in_and_why(self, shop) -> None:
        scorer = shop.scorer(errors={"next_item": OSError(), "ranking": TimeoutError()})
        answer = shop.answer("category-page", customer_id="c1", scorer=scorer)
        assert answer["served_by"] == "fallback:content"
        assert answer["model"] == "content"
        assert answer["fallback_reason"] == "unavailable"
        assert answer["skipped"] == {"next_item": "unavailable", "ranking": "timeout"}

    def test_says_when_there_was_nothing_to_rank(self, shop) -> None:
        answer = shop.answer("search-page", candidate_item_ids=["x", "y"])
        assert answer["items"] == []
        assert (answer["served_by"], answer["model"]) == ("none", None)
        assert answer["fallback_reason"] == "no_candidates"
        assert answer["unknown_items"] == 2

    def test_says_when_a_history_was_only_partly_usable(self, shop) -> None:
        reader = shop.reader({"c1": shop.history("ring-1", "gone", "ring-2")})
        answer = shop.answer("for-you", customer_id="c1", reader=reader)
        assert answer["notes"] == {"dropped_history": 1}

    def test_says_why_the_customers_history_is_missing(self, shop) -> None:
        # The hero is enough for the first rung, but the customer did not count.
        answer = shop.answer("you-might-also-like", customer_id="nobody", limit=3)
        assert answer["served_by"] == "primary"
        assert answer["notes"] == {"history": "no_history"}
        assert shop.answer("you-might-also-like", limit=3)["notes"] == {}

    def test_says_which_branch_the_release_left_out(self, shop) -> None:
        release = shop.release(
            "ranking", "next_item", omitted={"outfit": "no outfits table", "images": "no pictures"}
        )
        answer = shop.answer("complete-the-look", release=release)
        assert answer["omitted"] == {"outfit": "no outfits table"}
        assert answer["served_by"] == "fallback:content"

    def test_counts_relaxed_caps(self, shop) -> None:
        contract = shop.contract_with("you-might-also-like", diversity={"max_per_product_type": 2})
        answer = shop.answer(
            "you-might-also-like", contract=contract, hero_item_id="heels-0", limit=4
        )
        kinds = [item["item_id"].split("-")[0] for item in answer["items"]]
        assert kinds == ["heels"] * 4
        assert answer["notes"] == {"diversity_relaxed": 2}

    def test_looks_further_before_relaxing_a_cap(self, shop) -> None:
        contract = shop.contract_with("search-page", diversity={"max_per_product_type": 1})
        answer = shop.answer("search-page", contract=contract, customer_id="c1", limit=6)
        kinds = [item["item_id"].split("-")[0] for item in answer["items"]]
        assert len(set(kinds)) == 6
        assert answer["notes"] == {}


class TestCarousels:
    def test_share_no_item(self, shop) -> None:
        reader = shop.reader({"c1": shop.history("dress-1", "heels-1", event="save")})
        answer = shop.answer("for-you", customer_id="c1", reader=reader, limit=4)
        assert [found["rule"] for found in answer["carousels"]] == [
            "like_your_saved_items",
            "new_in",
            "in_the_sale",
            "picked_for_you",
        ]
        shown = shop.all_shown(answer)
        assert len(shown) == len(set(shown))

    def test_give_the_rule_or_the_saved_item_as_reason(self, shop) -> None:
        reader = shop.reader({"c1": shop.history("dress-1", event="save")})
        answer = shop.answer("for-you", customer_id="c1", reader=reader, limit=3)
        reasons = {
            found["rule"]: {item["because"] for item in found["items"]}
            for found in answer["carousels"]
        }
        assert reasons == {
            "like_your_saved_items": {"dress-1"},
            "new_in": {"new_in"},
            "in_the_sale": {"in_the_sale"},
            "picked_for_you": {"dress-1"},
        }

    def test_are_asked_for_in_one_model_call(self, shop) -> None:
        scorer = shop.scorer()
        shop.answer("for-you", customer_id="c1", scorer=scorer)
        assert len(scorer.calls) == 1


class TestOutfits:
    def test_hold_slots_scores_and_pairs(self, shop) -> None:
        answer = shop.answer("complete-the-look", hero_item_id="dress-2", limit=1)
        assert answer["served_by"] == "primary"
        ids = ["heels-2", "clutch-2", "ring-2"]
        assert answer["outfits"] == [
            {
                "items": [
                    {
                        "slot": item_id.split("-")[0],
                        "item_id": item_id,
                        "score": 0.25,
                        # Two others; the fake model gives each item a pair with itself too.
                        "with_outfit": 3 * 0.25,
                        "with_customer": 0.125,
                        "because": "dress-2",
                    }
                    for item_id in ids
                ],
                "score": 0.9,
                "compatibility": 0.45,
                "pair_items": ["dress-2", *ids],
                "pair_scores": [[0.25] * 4] * 4,
                "missing_slots": [],
            }
        ]

    def test_differ_as_the_contract_asks(self, shop) -> None:
        answer = shop.answer("complete-the-look", limit=3)
        shown = [set(items) for items in shop.shown(answer)]
        assert len(shown) == 3
        assert all(len(a & b) <= 2 for a in shown for b in shown if a is not b)
        assert answer["notes"] == {}

    def test_say_when_they_are_more_alike(self, shop) -> None:
        few = {f"{kind}-{n}": False for kind in ("heels", "clutch") for n in range(1, 8)}
        rules = shop.contract.of("complete-the-look").outfit.model_dump(mode="json")
        contract = shop.contract_with("complete-the-look", outfit={**rules, "max_shared_items": 1})
        answer = shop.answer(
            "complete-the-look",
            contract=contract,
            catalogue=shop.catalogue(in_stock=few),
            limit=2,
        )
        assert len(answer["outfits"]) == 2
        assert answer["notes"] == {"alike_outfits": 1}

    def test_the_customer_changes_what_is_chosen(self, shop) -> None:
        # Customer c1 viewed dress-6 and dress-7.
        contract = shop.contract_with(
            "complete-the-look", weights={"customer": 1.0, "context": 0.0}
        )
        fields = {"hero_item_id": "dress-0", "contract": contract, "limit": 8}
        rules = contract.of("complete-the-look").outfit
        assert rules.max_shared_items == 2
        for customer_id, expected in ((None, False), ("c1", True)):
            answer = shop.answer("complete-the-look", customer_id=customer_id, **fields)
            shown = set(shop.all_shown(answer))
            assert ({"heels-6", "clutch-6", "ring-6"} <= shown) == expected

    def test_follow_the_callers_template(self, shop) -> None:
        answer = shop.answer("complete-the-look", template=["ring", "Ring", "boots"], limit=1)
        [outfit] = answer["outfits"]
        assert [item["slot"] for item in outfit["items"]] == ["ring", "ring"]
        assert outfit["missing_slots"] == ["boots"]
        assert answer["omitted"] == {"boots": "no_eligible_items"}

    def test_are_shorter_where_a_type_has_too_few_items(self, shop) -> None:
        few = {f"ring-{number}": False for number in range(1, 8)}
        answer = shop.answer(
            "complete-the-look",
            catalogue=shop.catalogue(in_stock=few),
            template=["ring", "ring", "heels"],
            limit=1,
        )
        [outfit] = answer["outfits"]
        assert [item["slot"] for item in outfit["items"]] == ["ring", "heels"]
        assert outfit["missing_slots"] == ["ring"]

    def test_are_none_where_nothing_can_be_shown(self, shop) -> None:
        answer = shop.answer("complete-the-look", template=["boots"])
        assert answer["outfits"] == []
        assert answer["fallback_reason"] == "no_candidates"
        assert answer["omitted"] == {"boots": "no_eligible_items"}

    def test_are_composed_where_no_model_answers(self, shop) -> None:
        scorer = shop.scorer(errors={"outfit": OSError()})
        answer = shop.answer("complete-the-look", scorer=scorer, limit=2, market="GB")
        assert answer["served_by"] == "fallback:content"
        assert len(answer["outfits"]) == 2
        assert [outfit["pair_scores"] for outfit in answer["outfits"]] == [None, None]

    def test_say_which_slot_is_missing(self, shop) -> None:
        sold_out = {f"clutch-{number}": False for number in range(8)}
        answer = shop.answer("complete-the-look", catalogue=shop.catalogue(in_stock=sold_out))
        for outfit in answer["outfits"]:
            assert [item["slot"] for item in outfit["items"]] == ["heels", "ring"]
            assert outfit["missing_slots"] == ["clutch"]
            assert len(outfit["pair_scores"]) == 1 + 2
        assert answer["omitted"] == {"clutch": "no_eligible_items"}

    def test_say_when_there_are_fewer_than_asked_for(self, shop) -> None:
        few = {
            f"{kind}-{number}": False
            for kind in ("heels", "clutch", "ring")
            for number in range(1, 8)
        }
        answer = shop.answer("complete-the-look", catalogue=shop.catalogue(in_stock=few), limit=3)
        assert len(answer["outfits"]) == 1
        assert answer["notes"] == {"missing_outfits": 2}
