"""Every touchpoint of the default contract with every rung of its ladder."""

import json
from typing import Any

import pytest

from stylerec.schema import tensors
from stylerec.schema.touchpoints import Rung, Touchpoint
from stylerec.serving.contract import default_contract_path, load_contract

CONTRACT = load_contract(default_contract_path())
LADDER = [(touchpoint, rung) for touchpoint in Touchpoint for rung in CONTRACT.of(touchpoint).rungs]


def only(shop, touchpoint: str, rung: Rung) -> dict[str, Any]:
    """Returns what makes exactly `rung` answer: every better one lacks what it needs."""
    better = CONTRACT.of(touchpoint).rungs[: CONTRACT.of(touchpoint).rungs.index(rung)]
    options: dict[str, Any] = {"customer_id": "c1"}
    errors = {name.value: OSError("down") for name in better if name.value in tensors.MODEL_NAMES}
    options["scorer"] = shop.scorer(errors=errors)
    if Rung.CO_PURCHASE in better:
        options["hero_item_id"] = "skirt-1"
    if rung == Rung.POPULAR:
        options["customer_id"] = "nobody"
        if CONTRACT.of(touchpoint).has_context:
            name = "bag_item_ids" if touchpoint == "little-something-extra" else "hero_item_id"
            options[name] = ["gone"] if name == "bag_item_ids" else "gone"
    return options


class TestEveryTouchpointAndRung:
    @pytest.mark.parametrize(("touchpoint", "rung"), LADDER)
    def test_answers_and_says_so(self, shop, touchpoint: str, rung: Rung) -> None:
        answer = shop.answer(touchpoint, market="GB", **only(shop, touchpoint, rung))
        first = CONTRACT.of(touchpoint).rungs[0]
        assert answer["model"] == rung.value
        assert answer["served_by"] == ("primary" if rung == first else f"fallback:{rung}")
        assert (answer["fallback_reason"] is None) == (rung == first)
        lists = shop.shown(answer)
        assert lists
        assert all(lists)
        json.dumps(answer, allow_nan=False)

    @pytest.mark.parametrize(("touchpoint", "rung"), LADDER)
    def test_shows_nothing_twice_and_never_the_hero_or_the_bag(
        self, shop, touchpoint: str, rung: Rung
    ) -> None:
        options = only(shop, touchpoint, rung)
        answer = shop.answer(touchpoint, limit=8, **options)
        fields = {**shop.fields(touchpoint), **options}
        own = {fields.get("hero_item_id"), *fields.get("bag_item_ids", [])}
        for shown in shop.shown(answer):
            assert len(shown) == len(set(shown))
            assert not own & set(shown)

    @pytest.mark.parametrize(("touchpoint", "rung"), LADDER)
    def test_gives_the_same_answer_again(self, shop, touchpoint: str, rung: Rung) -> None:
        first = shop.answer(touchpoint, **only(shop, touchpoint, rung))
        assert shop.answer(touchpoint, **only(shop, touchpoint, rung)) == first

    @pytest.mark.parametrize("touchpoint", list(Touchpoint))
    def test_shows_only_what_is_sold_there_and_in_stock(self, shop, touchpoint: str) -> None:
        elsewhere = {item_id: ["US"] for item_id in shop.item_ids[1::3]}
        sold_out = dict.fromkeys(shop.item_ids[2::3], False)
        catalogue = shop.catalogue(markets=elsewhere, in_stock=sold_out)
        for customer_id in ("c1", "nobody"):
            answer = shop.answer(
                touchpoint, catalogue=catalogue, market="GB", customer_id=customer_id
            )
            shown = set(shop.all_shown(answer))
            assert shown
            assert not shown & (set(elsewhere) | set(sold_out))

    @pytest.mark.parametrize("touchpoint", list(Touchpoint))
    def test_answers_when_everything_is_out_of_stock(self, shop, touchpoint: str) -> None:
        catalogue = shop.catalogue(in_stock=dict.fromkeys(shop.item_ids, False))
        answer = shop.answer(touchpoint, catalogue=catalogue, customer_id="c1")
        assert shop.all_shown(answer) == []
        assert answer["served_by"] == "none"

    @pytest.mark.parametrize("touchpoint", list(Touchpoint))
    def test_respects_max_price_and_exclusions(self, shop, touchpoint: str) -> None:
        answer = shop.answer(
            touchpoint, customer_id="c1", max_price=20, exclude_item_ids=["ring-7", "clutch-7"]
        )
        shown = set(shop.all_shown(answer))
        assert {item_id.split("-")[0] for item_id in shown} <= {"clutch", "ring", "scarf"}
        assert not shown & {"ring-7", "clutch-7"}

    @pytest.mark.parametrize("touchpoint", list(Touchpoint))
    def test_needs_nothing_but_ids(self, shop, touchpoint: str) -> None:
        columns = [name for name in shop.frame() if name not in ("item_id", "item_index")]
        arrays = shop.arrays()
        arrays["content_embedding"] *= 0
        arrays["neighbour_index"] *= 0
        catalogue = shop.catalogue(drop=columns, sells_in=(), arrays=arrays)
        for customer_id in ("c1", "nobody"):
            answer = shop.answer(touchpoint, catalogue=catalogue, customer_id=customer_id)
            assert answer["release"]
