"""Requests to model tensors and back; the tensors are those of `schema/tensors.py`, nothing else.

All candidate sets of a request go to a scoring model as one row: they share the query, so the
encoder runs once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stylerec.features.assemble import assemble_history
from stylerec.schema import tensors
from stylerec.serving.candidates import CandidateSet
from stylerec.serving.outfit_search import FoundOutfit
from stylerec.serving.resolved import ResolvedRequest


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
        details: What the outfit model says of it; None when no outfit model scored.
    """

    items: tuple[int, ...]
    score: float
    item_scores: tuple[float, ...]
    details: "OutfitDetails | None" = None


@dataclass(frozen=True)
class OutfitDetails:
    """Why an outfit was chosen.

    Attributes:
        compatibility: The score without the customer, 0 to 1.
        pair_scores: float32 `[1 + sets, 1 + sets]`, hero first.
        customer_scores: float32 `[sets]`, what each item adds because of the customer.
    """

    compatibility: float
    pair_scores: NDArray[np.float32]
    customer_scores: NDArray[np.float32]


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
    resolved: ResolvedRequest, outfits: Sequence[FoundOutfit], *, max_len: int
) -> dict[str, NDArray[Any]]:
    """Returns the inputs of `outfit`, one row per outfit, the hero first."""
    items = np.zeros((len(outfits), tensors.MAX_OUTFIT_SLOTS + 1), dtype=np.int64)
    items[:, 0] = resolved.hero
    for row, outfit in zip(items, outfits, strict=True):
        row[1 : len(outfit.items) + 1] = outfit.items
    history = history_items(resolved, max_len=max_len)
    weight = np.full((len(outfits), 1), resolved.customer_weight, dtype=np.float32)
    return {
        tensors.OUTFIT_ITEM_INDEX: items,
        tensors.HISTORY_ITEM_INDEX: np.repeat(history[None, :], len(outfits), axis=0),
        tensors.CUSTOMER_WEIGHT: weight,
    }


def history_items(resolved: ResolvedRequest, *, max_len: int) -> NDArray[np.int64]:
    """Returns the history as the models see it, int64 `[max_len]`, 0 padded."""
    items: NDArray[np.int64] = _history(resolved, max_len)[tensors.HISTORY_ITEM_INDEX][0]
    return items


def scored_outfits(
    outputs: Mapping[str, NDArray[Any]], found: Sequence[FoundOutfit]
) -> tuple[ScoredOutfit, ...]:
    """Returns the outfits with the model's scores, best first.

    Raises:
        ValueError: A wrong shape, or a number that is not finite.
    """
    num_items = tensors.MAX_OUTFIT_SLOTS + 1
    expected = {
        tensors.OUTFIT_SCORE: (len(found),),
        tensors.COMPATIBILITY: (len(found),),
        tensors.PAIR_SCORES: (len(found), num_items, num_items),
        tensors.CUSTOMER_SCORES: (len(found), num_items),
    }
    arrays = {name: np.asarray(outputs.get(name), dtype=np.float32) for name in expected}
    for name, shape in expected.items():
        if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name}: expected finite numbers {shape}, got {arrays[name].shape}")
    scored = []
    for row, outfit in enumerate(found):
        score, compatibility, pairs, customer = (array[row] for array in arrays.values())
        end = len(outfit.items) + 1
        details = OutfitDetails(float(compatibility), pairs[:end, :end], customer[1:end])
        against_hero = tuple(float(value) for value in pairs[0, 1:end])
        scored.append(ScoredOutfit(outfit.items, float(score), against_hero, details))
    return tuple(sorted(scored, key=lambda outfit: -outfit.score))


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
