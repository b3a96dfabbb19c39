"""Ranked candidates to the response that callers read; docs/touchpoints.md lists its fields."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.tensors import FIRST_ITEM_INDEX, PADDING_INDEX
from stylerec.schema.touchpoints import CandidateRule, Rung
from stylerec.serving.because import reason_items, sources_of
from stylerec.serving.candidates import Candidates, CandidateSet
from stylerec.serving.diversity import pick_diverse, pick_diverse_outfits, ranked_positions
from stylerec.serving.ladder import Outcome, Ranked
from stylerec.serving.reasons import FallbackReason
from stylerec.serving.resolved import ResolvedRequest
from stylerec.serving.scoring import ReleaseInfo, ScoredOutfit

_DECIMALS = 6
_POOLS_PER_SLOT = (8, 64)
"""Ranked items looked at per slot; the larger pool only if the smaller cannot keep every cap."""

Answer = dict[str, Any]
_EMPTY = {CandidateRule.CAROUSELS: "carousels", CandidateRule.OUTFIT_TEMPLATE: "outfits"}


def answer_of(
    resolved: ResolvedRequest,
    candidates: Candidates,
    outcome: Outcome,
    *,
    vocabulary: Vocabulary,
    release: ReleaseInfo,
) -> Answer:
    """Returns one prediction.

    `served_by` is `primary` if the first rung that the contract lists has ranked, else
    `fallback:<rung>`, and `none` if there was nothing to rank. `fallback_reason` is why the first
    rung did not rank; `skipped` gives the reason of every better rung.
    """
    notes = dict(candidates.notes)
    if resolved.request.customer_id is not None and resolved.history.absent is not None:
        notes["history"] = resolved.history.absent.value
    if resolved.history.num_dropped:
        notes["dropped_history"] = resolved.history.num_dropped
    served_by = "none"
    shown: Answer = {_EMPTY.get(resolved.rules.candidates, "items"): []}
    if outcome.rung is not None:
        is_primary = outcome.rung == resolved.rules.rungs[0]
        served_by = "primary" if is_primary else f"fallback:{outcome.rung}"
        shown = _Writer(resolved, candidates, outcome.rung, vocabulary, notes).shown(outcome.ranked)
    age_s, reasons = resolved.history.age_s, list(outcome.skipped.values())
    return {
        "touchpoint": resolved.request.touchpoint.value,
        **shown,
        "model": None if outcome.rung is None else outcome.rung.value,
        "release": release.release_id,
        "served_by": served_by,
        "fallback_reason": reasons[0].value if reasons else None,
        "skipped": {rung.value: reason.value for rung, reason in outcome.skipped.items()},
        "history_age_s": None if age_s is None else round(age_s, 3),
        "unknown_items": resolved.num_unknown,
        "omitted": {**candidates.omitted, **_absent_branches(outcome, release)},
        "notes": notes,
    }


def _absent_branches(outcome: Outcome, release: ReleaseInfo) -> dict[str, str]:
    """Returns the models that this answer would have used, had the release not left them out."""
    return {
        rung.value: release.omitted[rung.value]
        for rung, reason in outcome.skipped.items()
        if reason == FallbackReason.MODEL_ABSENT and rung.value in release.omitted
    }


@dataclass(frozen=True)
class _Writer:
    """Writes what one request shows; counts in `notes` what it had to relax."""

    resolved: ResolvedRequest
    candidates: Candidates
    rung: Rung
    vocabulary: Vocabulary
    notes: dict[str, object]

    def shown(self, ranked: Ranked) -> Answer:
        """Returns `items`, `carousels` or `outfits`, as the touchpoint's candidate rule has it."""
        rule = self.resolved.rules.candidates
        if rule == CandidateRule.OUTFIT_TEMPLATE:
            return {"outfits": self._outfits(ranked)}
        sets = self.candidates.sets
        if rule == CandidateRule.CAROUSELS:
            return {"carousels": self._carousels(ranked)}
        chosen = self._chosen(sets[0], ranked.scores[0], np.zeros(0, dtype=np.int64))
        return {"items": self._items(sets[0], ranked.scores[0], chosen)}

    def _carousels(self, ranked: Ranked) -> list[Answer]:
        used = np.zeros(0, dtype=np.int64)
        filled = []
        for found, scores in zip(self.candidates.sets, ranked.scores, strict=True):
            chosen = self._chosen(found, scores, used)
            used = np.concatenate([used, found.items[chosen]])
            items = self._items(found, scores, chosen)
            filled.append({"rule": found.rule, "title": found.title, "items": items})
        return filled

    def _outfits(self, ranked: Ranked) -> list[Answer]:
        limit, rules = self.resolved.request.limit, self.resolved.rules.outfit
        assert rules is not None  # the contract's cross-field check
        bound = rules.max_shared_items
        chosen, num_alike = pick_diverse_outfits(
            ranked.outfits, limit=limit, max_shared_items=bound
        )
        if len(chosen) < limit:
            self.notes["missing_outfits"] = limit - len(chosen)
        if num_alike:
            self.notes["alike_outfits"] = num_alike
        return [self._outfit(outfit) for outfit in chosen]

    def _chosen(
        self, found: CandidateSet, scores: NDArray[np.float32], used: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Returns the positions to show: best first, diverse, none of the `used` items."""
        limit, diversity = self.resolved.request.limit, self.resolved.rules.diversity
        chosen = np.zeros(0, dtype=np.int64)
        num_relaxed = 0
        for per_slot in _POOLS_PER_SLOT:
            count = limit * per_slot + len(used)
            ranked = ranked_positions(scores, num_matching=found.num_matching, count=count)
            ranked = ranked[~np.isin(found.items[ranked], used)]
            picks, num_relaxed = pick_diverse(
                found.items[ranked],
                limit=limit,
                diversity=diversity,
                catalogue=self.resolved.catalogue,
            )
            chosen = ranked[np.array(picks, dtype=np.int64)]
            if count >= len(found.items) or (len(picks) == limit and not num_relaxed):
                break
        if num_relaxed:
            earlier = self.notes.get("diversity_relaxed", 0)
            self.notes["diversity_relaxed"] = num_relaxed + (
                earlier if isinstance(earlier, int) else 0
            )
        return chosen

    def _items(
        self, found: CandidateSet, scores: NDArray[np.float32], chosen: NDArray[np.int64]
    ) -> list[Answer]:
        items = found.items[chosen]
        because = self._because(found, items)
        return [
            {"item_id": self._item_id(item), "score": _rounded(score), "because": reason}
            for item, score, reason in zip(items, scores[chosen], because, strict=True)
        ]

    def _outfit(self, outfit: ScoredOutfit) -> Answer:
        sets = self.candidates.sets
        filled = [slot for slot, item in enumerate(outfit.items) if item != PADDING_INDEX]
        empty = [slot for slot, item in enumerate(outfit.items) if item == PADDING_INDEX]
        items = np.array([outfit.items[slot] for slot in filled], dtype=np.int64)
        because = self._because(sets[0], items)
        return {
            "items": [
                {
                    "slot": sets[slot].rule,
                    "item_id": self._item_id(outfit.items[slot]),
                    "score": _rounded(outfit.item_scores[slot]),
                    **_parts(outfit, slot),
                    "because": reason,
                }
                for slot, reason in zip(filled, because, strict=True)
            ],
            "score": _rounded(outfit.score),
            "compatibility": outfit.details and _rounded(outfit.details.compatibility),
            "pair_items": [
                self.resolved.request.hero_item_id,
                *(self._item_id(outfit.items[slot]) for slot in filled),
            ],
            "pair_scores": _pairs(outfit, filled),
            "missing_slots": [*self.candidates.omitted, *(sets[slot].rule for slot in empty)],
        }

    def _because(self, found: CandidateSet, items: NDArray[np.int64]) -> list[str | None]:
        if found.reason is not None:
            return [found.reason] * len(items)
        sources = sources_of(self.resolved, found, rung=self.rung)
        reasons = reason_items(self.resolved.catalogue, items, sources)
        return [None if reason == PADDING_INDEX else self._item_id(reason) for reason in reasons]

    def _item_id(self, item: int | np.int64) -> str:
        return self.vocabulary.item_ids[int(item) - FIRST_ITEM_INDEX]


def _rounded(value: float | np.float32) -> float:
    return round(float(value), _DECIMALS)


def _parts(outfit: ScoredOutfit, slot: int) -> dict[str, float | None]:
    """Returns what an item is worth to the outfit besides its pair with the hero."""
    if outfit.details is None:
        return {"with_outfit": None, "with_customer": None}
    with_others = outfit.details.pair_scores[slot + 1, 1:].sum()
    return {
        "with_outfit": _rounded(with_others),
        "with_customer": _rounded(outfit.details.customer_scores[slot]),
    }


def _pairs(outfit: ScoredOutfit, filled: Sequence[int]) -> list[list[float]] | None:
    """Returns the pair scores of the hero and the filled slots; None without a model's."""
    if outfit.details is None:
        return None
    rows = [0, *(slot + 1 for slot in filled)]
    table = outfit.details.pair_scores[np.ix_(rows, rows)]
    return [[_rounded(value) for value in row] for row in table]
