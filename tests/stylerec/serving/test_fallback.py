import numpy as np
import pytest

from stylerec.serving.candidates import CandidateSet
from stylerec.serving.fallback import (
    co_purchase_scores,
    compose_outfits,
    content_scores,
    popular_scores,
)
from stylerec.serving.reasons import FallbackReason


class TestCoPurchaseScores:
    def test_blends_strength_and_likeness(self, shop) -> None:
        items = np.array(shop.indices("heels-0", "clutch-0", "dress-1"))
        resolved = shop.resolved("people-also-bought", hero_item_id="dress-0")
        scores = co_purchase_scores(resolved, items)
        share = shop.contract.of("people-also-bought").weights.similarity
        # Heels are orthogonal to dresses; dress-1 is 0.05 rad from dress-0, not bought with it.
        expected = [
            (1 - share) * 0.8 / 0.8,
            (1 - share) * 0.4 / 0.8,
            share * np.cos(0.05),
        ]
        assert scores.tolist() == pytest.approx(expected, abs=1e-6)

    def test_sums_over_the_bag(self, shop) -> None:
        arrays = shop.arrays()
        arrays["neighbour_index"][shop.index("ring-1"), 0] = shop.index("clutch-0")
        arrays["neighbour_score"][shop.index("ring-1"), 0] = 0.6
        resolved = shop.resolved(
            "little-something-extra",
            catalogue=shop.catalogue(arrays=arrays),
            bag_item_ids=["dress-0", "ring-1"],
        )
        scores = co_purchase_scores(resolved, np.array(shop.indices("clutch-0", "heels-0")))
        assert scores.tolist() == pytest.approx([(0.4 + 0.6) / 1.0, 0.8 / 1.0])

    @pytest.mark.parametrize(
        ("hero", "reason"),
        [("x", FallbackReason.UNKNOWN_HERO), ("boots-1", FallbackReason.NO_CO_PURCHASES)],
    )
    def test_says_why_it_has_nothing_to_go_on(self, shop, hero: str, reason: object) -> None:
        resolved = shop.resolved("people-also-bought", hero_item_id=hero)
        assert co_purchase_scores(resolved, np.array([2, 3])) == reason

    def test_works_without_content(self, shop) -> None:
        arrays = shop.arrays()
        arrays["content_embedding"] *= 0
        resolved = shop.resolved(
            "people-also-bought", catalogue=shop.catalogue(arrays=arrays), hero_item_id="dress-0"
        )
        [score] = co_purchase_scores(resolved, np.array(shop.indices("heels-0")))
        assert score == pytest.approx(1 - shop.contract.of("people-also-bought").weights.similarity)


class TestContentScores:
    def test_is_the_cosine_with_the_history(self, shop) -> None:
        resolved = shop.resolved("for-you", history=shop.known("dress-0"))
        scores = content_scores(resolved, np.array(shop.indices("dress-2", "ring-0")))
        assert scores.tolist() == pytest.approx([np.cos(0.05 * 2), 0.0])

    def test_blends_history_and_hero_by_weight(self, shop) -> None:
        weights = {"customer": 0.25, "context": 0.75}
        resolved = shop.resolved(
            "you-might-also-like",
            contract=shop.contract_with("you-might-also-like", weights=weights),
            hero_item_id="ring-0",
            history=shop.known("dress-0"),
        )
        scores = content_scores(resolved, np.array(shop.indices("dress-0", "ring-0")))
        norm = np.hypot(0.25, 0.75)
        assert scores.tolist() == pytest.approx([0.25 / norm, 0.75 / norm])

    @pytest.mark.parametrize(
        ("touchpoint", "fields", "reason"),
        [
            ("for-you", {}, FallbackReason.NO_HISTORY),
            ("you-might-also-like", {"hero_item_id": "x"}, FallbackReason.UNKNOWN_HERO),
            ("little-something-extra", {"bag_item_ids": ["x"]}, FallbackReason.UNKNOWN_BAG),
        ],
    )
    def test_says_why_it_has_nothing_to_go_on(
        self, shop, touchpoint: str, fields: dict[str, object], reason: object
    ) -> None:
        resolved = shop.resolved(touchpoint, **fields)
        assert content_scores(resolved, np.array([2, 3])) == reason

    def test_says_when_the_items_have_no_content(self, shop) -> None:
        arrays = shop.arrays()
        arrays["content_embedding"] *= 0
        resolved = shop.resolved(
            "for-you", catalogue=shop.catalogue(arrays=arrays), history=shop.known("dress-0")
        )
        assert content_scores(resolved, np.array([2, 3])) == FallbackReason.NO_CONTENT


class TestPopularScores:
    @pytest.mark.parametrize(("market", "best"), [(None, 100.0), ("GB", 100.0), ("US", 37.0)])
    def test_is_the_markets_popularity(self, shop, market: str | None, best: float) -> None:
        resolved = shop.resolved("for-you", market=market)
        assert popular_scores(resolved, np.array(shop.indices("dress-0")))[0] == best


def outfits(lists: list[list[int]], scores: list[list[float]], count: int) -> list[tuple]:
    sets = [CandidateSet("slot", np.array(items, dtype=np.int64), len(items)) for items in lists]
    arrays = [np.array(row, dtype=np.float32) for row in scores]
    return [(o.items, o.score) for o in compose_outfits(sets, arrays, count)]


class TestComposeOutfits:
    def test_the_nth_outfit_takes_each_slots_nth_best(self) -> None:
        found = outfits([[5, 6], [7, 8]], [[0.5, 1.0], [0.25, 0.75]], 2)
        assert found == [((6, 8), (1.0 + 0.75) / 2), ((5, 7), (0.5 + 0.25) / 2)]

    def test_starts_over_where_a_slot_offers_fewer(self) -> None:
        assert [items for items, _ in outfits([[5, 6], [7]], [[1.0, 0.5], [1.0]], 2)] == [
            (5, 7),
            (6, 7),
        ]

    def test_never_takes_an_item_twice(self) -> None:
        found = outfits([[5, 6], [5, 6]], [[1.0, 0.5], [1.0, 0.5]], 2)
        assert [items for items, _ in found] == [(5, 6), (6, 5)]

    def test_leaves_a_slot_empty_that_has_nothing_else(self) -> None:
        assert outfits([[5], [5]], [[1.0], [1.0]], 1) == [((5, 0), 1.0)]

    def test_never_gives_an_outfit_twice(self) -> None:
        assert len(outfits([[5], [7]], [[1.0], [1.0]], 3)) == 1
