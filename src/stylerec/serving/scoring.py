"""Requests to model tensors and back; the tensors are those of `schema/tensors.py`, nothing else.

All candidate sets of a request go to a scoring model as one row: they share the query, so the
encoder runs once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stylerec.features.assemble import assemble_history
from stylerec.schema import tensors
from stylerec.serving.candidates import CandidateSet
from stylerec.serving.resolved import ResolvedRequest

_LOWEST_OUTFIT_SCORE = -1e8
"""Impossible beams score -1e9."""


class Scorer(Protocol):
    """Whoever reaches the models, such as a Triton client."""

    async def score(
        self,
        model: str,
        version: int,
        inputs: dict[str, NDArray[Any]],
        timeout_s: float,
    ) -> dict[str, NDArray[Any]]:
        """Returns the model's outputs; any exception means it is unavailable."""
        ...


@dataclass(frozen=True)
class ReleaseInfo:
    """What the recommender must know of a release besides its catalogue.

    Attributes:
        release_id: Goes into every answer.
        model_versions: Triton version of each model that the release holds.
        max_history_len: L of each of those models.
        has_timestamps: Whether the models were trained with times.
        omitted: Branch that the release lacks (such as `outfit`) to the reason.
    """

    release_id: str
    model_versions: Mapping[str, int]
    max_history_len: Mapping[str, int]
    has_timestamps: bool = True
    omitted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoredOutfit:
    """One outfit.

    Attributes:
        items: Item index of each candidate set, 0 for a slot that stays empty.
        score: Of the whole outfit; higher is better.
        item_scores: One per candidate set; meaningless where the slot stays empty.
        pair_scores: float32 `[1 + sets, 1 + sets]`, hero first; None when no outfit model scored.
    """

    items: tuple[int, ...]
    score: float
    item_scores: tuple[float, ...]
    pair_scores: NDArray[np.float32] | None = None


def scoring_inputs(
    resolved: ResolvedRequest, sets: tuple[CandidateSet, ...], *, max_len: int
) -> dict[str, NDArray[Any]]:
    """Returns the inputs of `ranking` or `next_item`, one row (B = 1).

    Without a hero or bag, K = 1 with padding and weight 0. Candidates are those of all sets, one
    set after another.
    """
    context = resolved.context if len(resolved.context) else np.zeros(1, dtype=np.int64)
    weight = np.array([[resolved.context_weight]], dtype=np.float32)
    candidates = np.concatenate([found.items for found in sets])
    return {
        **_history(resolved, max_len),
        tensors.CONTEXT_ITEM_INDEX: context[None, :],
        tensors.CONTEXT_WEIGHT: weight,
        tensors.CANDIDATE_INDEX: candidates[None, :],
    }


def scores_of_sets(
    outputs: Mapping[str, NDArray[Any]], sets: tuple[CandidateSet, ...]
) -> tuple[NDArray[np.float32], ...]:
    """Returns one float32 array of scores per candidate set.

    Raises:
        ValueError: A wrong shape or a score that is not finite.
    """
    ends = np.cumsum([len(found.items) for found in sets])
    scores = np.asarray(outputs.get(tensors.SCORES), dtype=np.float32)
    if scores.shape != (1, int(ends[-1])) or not np.isfinite(scores).all():
        raise ValueError(f"scores: expected {int(ends[-1])} finite numbers, got {scores.shape}")
    return tuple(np.split(scores[0], ends[:-1]))


def outfit_inputs(
    resolved: ResolvedRequest, sets: tuple[CandidateSet, ...], *, max_len: int
) -> dict[str, NDArray[Any]]:
    """Returns the inputs of `outfit`, one row; slots beyond the template hold padding only."""
    most = max(len(found.items) for found in sets)
    slots = np.zeros((1, tensors.MAX_OUTFIT_SLOTS, most), dtype=np.int64)
    for slot, found in enumerate(sets):
        slots[0, slot, : len(found.items)] = found.items
    return {
        tensors.HERO_INDEX: np.array([[resolved.hero]], dtype=np.int64),
        tensors.SLOT_CANDIDATE_INDEX: slots,
        tensors.HISTORY_ITEM_INDEX: _history(resolved, max_len)[tensors.HISTORY_ITEM_INDEX],
        tensors.CUSTOMER_WEIGHT: np.array([[resolved.customer_weight]], dtype=np.float32),
    }


def outfits_of_beams(
    outputs: Mapping[str, NDArray[Any]], sets: tuple[CandidateSet, ...]
) -> tuple[ScoredOutfit, ...]:
    """Returns the possible beams, best first, each set of items once.

    Raises:
        ValueError: A wrong shape, a score that is not finite, or an item no slot offered.
    """
    width, num_slots = tensors.OUTFIT_BEAM_WIDTH, tensors.MAX_OUTFIT_SLOTS
    index = np.asarray(outputs.get(tensors.OUTFIT_ITEM_INDEX))
    score = np.asarray(outputs.get(tensors.OUTFIT_SCORE), dtype=np.float32)
    pairs = np.asarray(outputs.get(tensors.PAIR_SCORES), dtype=np.float32)
    if (
        index.shape != (1, width, num_slots)
        or score.shape != (1, width)
        or pairs.shape != (1, width, num_slots + 1, num_slots + 1)
    ):
        raise ValueError(f"outfits: got shapes {index.shape}, {score.shape} and {pairs.shape}")
    found: list[ScoredOutfit] = []
    used: set[tuple[int, ...]] = set()
    for beam in np.argsort(-score[0], kind="stable"):
        items = tuple(int(item) for item in index[0, beam, : len(sets)])
        if not score[0, beam] > _LOWEST_OUTFIT_SCORE or not any(items) or items in used:
            continue
        own_pairs = pairs[0, beam, : len(sets) + 1, : len(sets) + 1]
        _refuse_foreign(items, own_pairs, sets)
        used.add(items)
        against_hero = tuple(float(value) for value in own_pairs[0, 1:])
        found.append(ScoredOutfit(items, float(score[0, beam]), against_hero, own_pairs))
    if not found:
        raise ValueError("outfits: got no possible beam")
    return tuple(found)


def _refuse_foreign(
    items: tuple[int, ...], pairs: NDArray[np.float32], sets: tuple[CandidateSet, ...]
) -> None:
    for item, offered in zip(items, sets, strict=True):
        if item and item not in offered.items:
            raise ValueError(f"outfits: got item {item}, which its slot did not offer")
    filled = [item for item in items if item]
    if len(set(filled)) != len(filled) or not np.isfinite(pairs).all():
        raise ValueError("outfits: got an item twice or a pair score that is not finite")


def _history(resolved: ResolvedRequest, max_len: int) -> dict[str, NDArray[Any]]:
    history = resolved.history
    return {
        **assemble_history(
            item_index=history.item_index,
            event_type=history.event_type,
            timestamp_s=history.timestamp_s,
            lengths=[history.length],
            as_of_s=[resolved.now_s],
            max_len=max_len,
        )
    }
