"""Outfits over REST from the running stack: what they promise, and what bad requests get.

Runs before `test_stack.py`, whose last tests stop the stack.
"""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stylerec.release.manifest import CATALOGUE_FILE
from stylerec.schema.tensors import MAX_OUTFIT_SLOTS

pytestmark = pytest.mark.stack

HEROES = 25
MAX_SHARED_ITEMS = 2
"""As the default contract has it."""


@pytest.fixture(scope="module")
def items(running) -> pd.DataFrame:
    return pd.read_parquet(running.release().folder / CATALOGUE_FILE).set_index("item_id")


@pytest.fixture(scope="module")
def hero(running) -> str:
    """A hero whose template can be filled."""
    [request] = [r for r in running.sample.requests() if r["touchpoint"] == "complete-the-look"]
    return str(request["hero_item_id"])


def ask(running, **fields: Any) -> dict[str, Any]:
    """Returns the prediction."""
    response = running.predict({"touchpoint": "complete-the-look", **fields})
    assert response.status_code == 200, response.text
    prediction: dict[str, Any] = response.json()["predictions"][0]
    return prediction


def ids_of(outfit: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in outfit["items"]]


@pytest.fixture(scope="module")
def answers(running, items) -> dict[str, dict[str, Any]]:
    """Returns the answers for heroes of all kinds, in stock or not."""
    heroes = items.sample(HEROES, random_state=1).index
    customer = running.sample.customer_id
    return {hero: ask(running, hero_item_id=hero, customer_id=customer, limit=4) for hero in heroes}


class TestOutfits:
    def test_hold_items_in_stock_once_and_never_the_hero(self, answers, items) -> None:
        for hero, answer in answers.items():
            assert answer["outfits"]
            for outfit in answer["outfits"]:
                shown = ids_of(outfit)
                assert hero not in shown
                assert len(set(shown)) == len(shown)
                assert items.loc[shown, "in_stock"].all()

    def test_differ_or_say_that_they_do_not(self, answers) -> None:
        for answer in answers.values():
            sets = [set(ids_of(outfit)) for outfit in answer["outfits"]]
            alike = [a & b for a, b in combinations(sets, 2) if len(a & b) > MAX_SHARED_ITEMS]
            assert bool(alike) == ("alike_outfits" in answer["notes"])
            missing = answer["notes"].get("missing_outfits", 0)
            assert len(sets) + missing == 4
            assert len({frozenset(shown) for shown in sets}) == len(sets)

    def test_say_why_every_item_was_chosen(self, answers) -> None:
        for hero, answer in answers.items():
            assert answer["served_by"] == "primary"
            for outfit in answer["outfits"]:
                assert outfit["pair_items"] == [hero, *ids_of(outfit)]
                pairs = np.array(outfit["pair_scores"])
                assert pairs.shape == (1 + len(outfit["items"]),) * 2
                np.testing.assert_allclose(pairs, pairs.T, atol=1e-5)
                assert not pairs.diagonal().any()
                for place, item in enumerate(outfit["items"], start=1):
                    assert item["score"] == pytest.approx(pairs[0, place], abs=1e-5)
                    expected = pairs[place, 1:].sum()
                    assert item["with_outfit"] == pytest.approx(expected, abs=1e-4)

    def test_come_best_first(self, answers) -> None:
        for answer in answers.values():
            scores = [outfit["score"] for outfit in answer["outfits"]]
            assert scores == sorted(scores, reverse=True)
            assert all(0.0 <= score <= 1.0 for score in scores)

    def test_are_the_same_for_the_same_request(self, running, answers) -> None:
        for hero, answer in list(answers.items())[:5]:
            customer = running.sample.customer_id
            again = ask(running, hero_item_id=hero, customer_id=customer, limit=4)
            assert again["outfits"] == answer["outfits"]

    def test_the_customer_changes_some(self, running, answers) -> None:
        plain = {hero: ask(running, hero_item_id=hero, limit=4) for hero in answers}
        changed = [
            [ids_of(o) for o in plain[hero]["outfits"]] != [ids_of(o) for o in answer["outfits"]]
            for hero, answer in answers.items()
        ]
        assert any(changed)
        for answer in plain.values():
            for outfit in answer["outfits"]:
                assert outfit["score"] == outfit["compatibility"]
                assert not any(item["with_customer"] for item in outfit["items"])


class TestUnusualRequests:
    def test_a_template_of_one_type(self, running, items, hero) -> None:
        [kind] = items["product_type"].drop(hero).mode()[:1]
        answer = ask(running, hero_item_id=hero, template=[kind])
        assert [len(outfit["items"]) for outfit in answer["outfits"]] == [1, 1, 1]

    def test_more_slots_of_a_type_than_it_has_items(self, running, items, hero) -> None:
        is_fitting = items["department"] == items.loc[hero, "department"]
        few = items[items["in_stock"] & is_fitting]["product_type"].value_counts()
        kind = few[few < MAX_OUTFIT_SLOTS].index[0]
        answer = ask(running, hero_item_id=hero, template=[kind] * MAX_OUTFIT_SLOTS, limit=1)
        for outfit in answer["outfits"]:
            assert len(outfit["items"]) + len(outfit["missing_slots"]) == MAX_OUTFIT_SLOTS
            assert outfit["missing_slots"]

    def test_an_unknown_hero(self, running) -> None:
        answer = ask(running, hero_item_id="no-such-item")
        assert answer["skipped"]["outfit"] == "unknown_hero"
        assert answer["unknown_items"] == 1
        assert answer["outfits"]

    def test_a_hero_out_of_stock(self, running, items) -> None:
        answer = ask(running, hero_item_id=items.index[~items["in_stock"]][0])
        assert answer["served_by"] == "primary"

    def test_a_price_that_nothing_meets(self, running, hero) -> None:
        answer = ask(running, hero_item_id=hero, max_price=0.001)
        assert answer["outfits"] == []
        assert answer["fallback_reason"] == "no_candidates"
        assert set(answer["omitted"].values()) == {"no_eligible_items"}

    def test_a_customer_nobody_knows(self, running, hero) -> None:
        answer = ask(running, hero_item_id=hero, customer_id="nobody-yet")
        assert answer["notes"]["history"] == "no_history"
        plain = ask(running, hero_item_id=hero)
        assert answer["outfits"] == plain["outfits"]

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"template": []}, "template"),
            ({"template": ["sofa"]}, "template[0]"),
            ({"template": "dress"}, "template"),
            ({"template": [7]}, "template[0]"),
            ({"template": ["dress"] * (MAX_OUTFIT_SLOTS + 1)}, "template"),
            ({"hero_item_id": None}, "hero_item_id"),
            ({"max_price": 0}, "max_price"),
            ({"max_price": "cheap"}, "max_price"),
            ({"market": "nowhere"}, "market"),
            ({"limit": 0}, "limit"),
            ({"limit": 9}, "limit"),
            ({"limit": 2.5}, "limit"),
        ],
    )
    def test_wrong_ones_are_400_naming_the_field(self, running, hero, change, field) -> None:
        instance = {"touchpoint": "complete-the-look", "hero_item_id": hero, **change}
        response = running.predict(instance)
        assert response.status_code == 400, response.text
        assert f"instances[0].{field}: expected" in response.text
