import asyncio
from typing import Any

import numpy as np
import pytest

from stylerec.schema import tensors
from stylerec.schema.touchpoints import Rung
from stylerec.serving.candidates import Candidates, CandidateSet
from stylerec.serving.deadline import Deadline
from stylerec.serving.ladder import Ladder, Outcome
from stylerec.serving.reasons import FallbackReason
from stylerec.serving.resolved import ResolvedRequest


def climb(
    shop,
    resolved: ResolvedRequest,
    *,
    scorer: Any = None,
    models: tuple[str, ...] = tensors.MODEL_NAMES,
    left_s: float = 10.0,
    min_interactions: int = 2,
) -> Outcome:
    ladder = Ladder(
        release=shop.release(*models),
        scorer=scorer or shop.scorer(),
        next_item_min_interactions=min_interactions,
    )
    items = np.array(shop.indices("heels-1", "clutch-1"), dtype=np.int64)
    candidates = Candidates((CandidateSet("set", items, len(items)),))

    async def run() -> Outcome:
        now = asyncio.get_running_loop().time()
        deadline = Deadline(expires_s=now + left_s, reserve_s=0.015)
        return await ladder.climb(resolved, candidates, deadline)

    return asyncio.run(run())


def for_you(shop, *item_ids: str) -> ResolvedRequest:
    return shop.resolved("for-you", history=shop.known(*item_ids) if item_ids else None)


class TestClimb:
    def test_the_first_rung_answers_when_it_can(self, shop) -> None:
        scorer = shop.scorer()
        outcome = climb(shop, for_you(shop, "ring-1", "ring-2"), scorer=scorer)
        assert (outcome.rung, outcome.skipped) == (Rung.NEXT_ITEM, {})
        assert [call[:2] for call in scorer.calls] == [("next_item", 7)]

    def test_without_candidates_nobody_is_asked(self, shop) -> None:
        ladder = Ladder(release=shop.release(), scorer=shop.scorer(), next_item_min_interactions=1)
        resolved = for_you(shop, "ring-1")
        outcome = asyncio.run(ladder.climb(resolved, Candidates(()), Deadline(0.0, 0.0)))
        assert outcome.rung is None
        assert outcome.skipped == {Rung.NEXT_ITEM: FallbackReason.NO_CANDIDATES}

    @pytest.mark.parametrize(
        ("failure", "reason"),
        [
            ({"errors": {"next_item": ConnectionRefusedError()}}, FallbackReason.UNAVAILABLE),
            ({"errors": {"next_item": ValueError("bad")}}, FallbackReason.UNAVAILABLE),
            ({"errors": {"next_item": TimeoutError()}}, FallbackReason.TIMEOUT),
            ({"errors": {"next_item": asyncio.CancelledError()}}, FallbackReason.UNAVAILABLE),
            ({"outputs": {"next_item": {}}}, FallbackReason.INVALID_ANSWER),
            ({"outputs": {"next_item": None}}, FallbackReason.INVALID_ANSWER),
            (
                {"outputs": {"next_item": {tensors.SCORES: np.full((1, 2), np.nan)}}},
                FallbackReason.INVALID_ANSWER,
            ),
            (
                {"outputs": {"next_item": {tensors.SCORES: np.zeros((1, 3))}}},
                FallbackReason.INVALID_ANSWER,
            ),
        ],
    )
    def test_a_failing_model_leaves_it_to_the_next(
        self, shop, failure: dict[str, Any], reason: FallbackReason
    ) -> None:
        resolved = for_you(shop, "ring-1", "ring-2")
        outcome = climb(shop, resolved, scorer=shop.scorer(**failure))
        assert (outcome.rung, outcome.skipped) == (Rung.RANKING, {Rung.NEXT_ITEM: reason})

    def test_a_slow_model_leaves_it_to_the_next(self, shop) -> None:
        contract = shop.contract_with(
            "for-you", budget_ms={"history": 700, "next_item": 50, "ranking": 2_000}
        )
        known = shop.known("ring-1", "ring-2")
        resolved = shop.resolved("for-you", contract=contract, history=known)
        outcome = climb(shop, resolved, scorer=shop.scorer(delay_s={"next_item": 60.0}))
        assert outcome.rung == Rung.RANKING
        assert outcome.skipped == {Rung.NEXT_ITEM: FallbackReason.TIMEOUT}

    def test_a_model_that_the_release_lacks_is_not_asked(self, shop) -> None:
        scorer = shop.scorer()
        outcome = climb(shop, for_you(shop, "ring-1", "ring-2"), scorer=scorer, models=("ranking",))
        assert outcome.skipped == {Rung.NEXT_ITEM: FallbackReason.MODEL_ABSENT}
        assert [call[0] for call in scorer.calls] == ["ranking"]

    def test_a_short_history_goes_to_ranking(self, shop) -> None:
        outcome = climb(shop, for_you(shop, "ring-1"))
        assert outcome.rung == Rung.RANKING
        assert outcome.skipped == {Rung.NEXT_ITEM: FallbackReason.SHORT_HISTORY}

    def test_a_hero_makes_up_for_a_short_history(self, shop) -> None:
        resolved = shop.resolved("you-might-also-like", hero_item_id="dress-0")
        assert climb(shop, resolved).rung == Rung.NEXT_ITEM

    def test_nobody_knows_anything(self, shop) -> None:
        scorer = shop.scorer()
        outcome = climb(shop, for_you(shop), scorer=scorer)
        assert outcome.rung == Rung.POPULAR
        assert set(outcome.skipped.values()) == {FallbackReason.NO_HISTORY}
        assert scorer.calls == []

    def test_an_unknown_hero_is_the_reason_without_a_history(self, shop) -> None:
        resolved = shop.resolved("you-might-also-like", hero_item_id="x")
        outcome = climb(shop, resolved)
        assert outcome.rung == Rung.POPULAR
        assert set(outcome.skipped.values()) == {FallbackReason.UNKNOWN_HERO}

    def test_both_models_gone_leaves_it_to_content(self, shop) -> None:
        errors = {"next_item": OSError(), "ranking": OSError()}
        outcome = climb(shop, for_you(shop, "ring-1", "ring-2"), scorer=shop.scorer(errors=errors))
        assert outcome.rung == Rung.CONTENT
        assert outcome.skipped == {
            Rung.NEXT_ITEM: FallbackReason.UNAVAILABLE,
            Rung.RANKING: FallbackReason.UNAVAILABLE,
        }

    def test_with_no_time_left_no_model_is_asked(self, shop) -> None:
        scorer = shop.scorer()
        outcome = climb(shop, for_you(shop, "ring-1", "ring-2"), scorer=scorer, left_s=0.010)
        assert outcome.rung == Rung.CONTENT
        assert set(outcome.skipped.values()) == {FallbackReason.NO_TIME_LEFT}
        assert scorer.calls == []

    def test_tells_the_model_how_long_it_has(self, shop) -> None:
        scorer = shop.scorer()
        climb(shop, for_you(shop, "ring-1", "ring-2"), scorer=scorer)
        budget_ms = shop.contract.of("for-you").budget_ms.next_item
        assert scorer.calls[0][3] == budget_ms / 1_000

    def test_gives_no_more_than_is_left(self, shop) -> None:
        scorer = shop.scorer()
        climb(shop, for_you(shop, "ring-1", "ring-2"), scorer=scorer, left_s=1.0)
        assert scorer.calls[0][3] == pytest.approx(1.0 - 0.015, abs=0.5)

    def test_an_outfit_needs_a_known_hero(self, shop) -> None:
        resolved = shop.resolved("complete-the-look", hero_item_id="x")
        outcome = climb(shop, resolved)
        assert outcome.skipped[Rung.OUTFIT] == FallbackReason.UNKNOWN_HERO

    def test_an_outfit_needs_the_releases_styles(self, shop) -> None:
        catalogue = shop.catalogue(has_style=False)
        resolved = shop.resolved("complete-the-look", catalogue=catalogue, hero_item_id="dress-0")
        outcome = climb(shop, resolved)
        assert outcome.skipped[Rung.OUTFIT] == FallbackReason.MODEL_ABSENT
        assert outcome.ranked.outfits

    @pytest.mark.parametrize("outputs", [None, {tensors.OUTFIT_SCORE: np.ones(1)}])
    def test_scores_that_are_none_are_refused(self, shop, outputs) -> None:
        resolved = shop.resolved("complete-the-look", hero_item_id="dress-0")
        outcome = climb(shop, resolved, scorer=shop.scorer(outputs={"outfit": outputs}))
        assert outcome.rung == Rung.CONTENT
        assert outcome.skipped == {Rung.OUTFIT: FallbackReason.INVALID_ANSWER}

    def test_only_the_outfits_found_are_scored(self, shop) -> None:
        scorer = shop.scorer()
        resolved = shop.resolved("complete-the-look", hero_item_id="dress-0", limit=1)
        outcome = climb(shop, resolved, scorer=scorer)
        [outfit] = outcome.ranked.outfits
        # Of heels-1 and clutch-1 in one set, neither of the hero's style, the first one.
        assert outfit.items == (shop.index("heels-1"),)
        assert len(scorer.inputs_of("outfit")[tensors.OUTFIT_ITEM_INDEX]) == 1
