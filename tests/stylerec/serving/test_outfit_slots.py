from typing import Any

from stylerec.serving.candidates import Candidates
from stylerec.serving.outfit_slots import complement_types, outfit_template


def slots(shop, candidates: Candidates) -> dict[str, list[str]]:
    return {found.rule: shop.ids(found.items) for found in candidates.sets}


def rules(shop, **changes: Any) -> dict[str, Any]:
    outfit = shop.contract.of("complete-the-look").outfit.model_dump(mode="json")
    return {**outfit, **changes}


class TestOutfitTemplate:
    def test_the_contracts_template_wins(self, shop) -> None:
        templates = {"Dress": [["heels", "clutch"]]}
        resolved = shop.resolved(
            "complete-the-look",
            contract=shop.contract_with(
                "complete-the-look", outfit=rules(shop, templates=templates)
            ),
            catalogue=shop.catalogue(templates={"dress": [["ring"]]}),
            hero_item_id="dress-0",
        )
        assert list(slots(shop, outfit_template(resolved))) == ["heels", "clutch"]

    def test_then_the_learnt_one(self, shop) -> None:
        resolved = shop.resolved(
            "complete-the-look",
            catalogue=shop.catalogue(templates={"dress": [["ring", "heels"]], "*": [["clutch"]]}),
            hero_item_id="dress-0",
        )
        found = slots(shop, outfit_template(resolved))
        assert found["heels"] == [f"heels-{number}" for number in range(8)]
        assert list(found) == ["ring", "heels"]

    def test_the_heros_department_comes_before_all_departments(self, shop) -> None:
        learnt = {"dress": [["ring"]], "Dress @ Women": [["heels"]], "dress @ men": [["clutch"]]}
        for templates, expected in (
            (learnt, ["heels"]),
            ({"*": [["ring"]], "* @ women": [["heels"]]}, ["heels"]),
            ({"dress": [["ring"]], "* @ women": [["heels"]]}, ["ring"]),
        ):
            resolved = shop.resolved(
                "complete-the-look",
                catalogue=shop.catalogue(templates=templates),
                hero_item_id="dress-0",
            )
            assert list(slots(shop, outfit_template(resolved))) == expected

    def test_the_callers_template_wins(self, shop) -> None:
        resolved = shop.resolved(
            "complete-the-look", hero_item_id="dress-0", template=["Clutch", "nothing"]
        )
        candidates = outfit_template(resolved)
        assert list(slots(shop, candidates)) == ["clutch"]
        assert candidates.omitted == {"nothing": "unknown_product_type"}

    def test_then_that_of_any_hero(self, shop) -> None:
        resolved = shop.resolved(
            "complete-the-look",
            catalogue=shop.catalogue(templates={"boots": [["ring"]], "*": [["clutch"]]}),
            hero_item_id="dress-0",
        )
        assert list(slots(shop, outfit_template(resolved))) == ["clutch"]

    def test_then_complements_of_the_department(self, shop) -> None:
        resolved = shop.resolved("complete-the-look", hero_item_id="dress-0")
        # No skirt: it is clothes, as the dress is.
        assert list(slots(shop, outfit_template(resolved))) == ["heels", "clutch", "ring"]

    def test_takes_the_first_template_that_can_be_filled_whole(self, shop) -> None:
        sold_out = {f"clutch-{number}": False for number in range(8)}
        templates = {"dress": [["heels", "ring", "clutch"], ["ring"], ["heels", "ring"]]}
        resolved = shop.resolved(
            "complete-the-look",
            catalogue=shop.catalogue(in_stock=sold_out, templates=templates),
            hero_item_id="dress-0",
        )
        assert list(slots(shop, outfit_template(resolved))) == ["ring"]

    def test_else_the_one_with_most_filled_slots(self, shop) -> None:
        sold_out = {f"clutch-{number}": False for number in range(8)}
        resolved = shop.resolved(
            "complete-the-look",
            catalogue=shop.catalogue(
                in_stock=sold_out,
                templates={"dress": [["clutch", "ring"], ["ring", "heels", "clutch"]]},
            ),
            hero_item_id="dress-0",
        )
        assert list(slots(shop, outfit_template(resolved))) == ["ring", "heels"]

    def test_says_which_slot_stays_empty(self, shop) -> None:
        sold_out = {f"clutch-{number}": False for number in range(8)}
        resolved = shop.resolved(
            "complete-the-look",
            catalogue=shop.catalogue(in_stock=sold_out),
            contract=shop.contract_with(
                "complete-the-look", outfit=rules(shop, templates={"dress": [["clutch", "heels"]]})
            ),
            hero_item_id="dress-0",
        )
        candidates = outfit_template(resolved)
        assert list(slots(shop, candidates)) == ["heels"]
        assert candidates.omitted == {"clutch": "no_eligible_items"}

    def test_goes_on_to_the_next_templates_when_no_slot_has_an_item(self, shop) -> None:
        catalogue = shop.catalogue(templates={"dress": [["boots"]], "*": [["clutch"]]})
        resolved = shop.resolved("complete-the-look", catalogue=catalogue, hero_item_id="dress-0")
        candidates = outfit_template(resolved)
        assert list(slots(shop, candidates)) == ["clutch"]
        assert candidates.omitted == {}

    def test_respects_department_market_and_price(self, shop) -> None:
        catalogue = shop.catalogue(
            templates={"shirt": [["boots", "scarf", "heels"]]},
            markets={"boots-0": ["US"]},
            price={"boots-1": 25.0 * 10 + 1},
        )
        resolved = shop.resolved(
            "complete-the-look", catalogue=catalogue, hero_item_id="shirt-0", market="GB"
        )
        found = slots(shop, outfit_template(resolved))
        assert found["boots"] == [f"boots-{number}" for number in range(2, 8)]
        # Scarves are unisex, a department that the contract shares; heels are women's.
        assert set(found) == {"boots", "scarf"}

    def test_leaves_out_what_is_too_cheap_for_the_hero(self, shop) -> None:
        # A ring costs 8 and every second one half of it; the dress 40, so 6 is asked for.
        resolved = shop.resolved(
            "complete-the-look",
            contract=shop.contract_with(
                "complete-the-look", outfit=rules(shop, min_price_ratio=0.15)
            ),
            hero_item_id="dress-0",
            template=["ring"],
        )
        found = slots(shop, outfit_template(resolved))["ring"]
        assert found == [f"ring-{number}" for number in range(0, 8, 2)]

    def test_answers_an_unknown_hero(self, shop) -> None:
        resolved = shop.resolved("complete-the-look", hero_item_id="x")
        assert len(slots(shop, outfit_template(resolved))) == 4

    def test_never_holds_the_hero(self, shop) -> None:
        catalogue = shop.catalogue(templates={"dress": [["dress", "heels"]]})
        resolved = shop.resolved("complete-the-look", catalogue=catalogue, hero_item_id="dress-0")
        assert "dress-0" not in slots(shop, outfit_template(resolved))["dress"]


class TestComplementTypes:
    def test_takes_one_type_per_category(self, shop) -> None:
        catalogue = shop.catalogue()
        assert complement_types(catalogue, shop.index("shirt-0"), max_slots=4) == ("boots",)
        assert complement_types(catalogue, shop.index("heels-0"), max_slots=2) == (
            "dress",
            "clutch",
        )

    def test_is_empty_without_types(self, shop) -> None:
        catalogue = shop.catalogue(drop=["category", "product_type"])
        assert complement_types(catalogue, shop.index("heels-0"), max_slots=2) == ()
