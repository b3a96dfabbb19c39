"""The rungs that need no model: pure numpy over the release, so they cannot be unavailable.

Each returns one float32 score per candidate, or the reason why it has nothing to go on.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stylerec.schema.tensors import PADDING_INDEX
from stylerec.serving.candidates import CandidateSet
from stylerec.serving.reasons import FallbackReason
from stylerec.serving.resolved import ResolvedRequest
from stylerec.serving.scoring import ScoredOutfit

_EMPTY_NORM = 1e-6


def co_purchase_scores(
    resolved: ResolvedRequest, items: NDArray[np.int64]
) -> NDArray[np.float32] | FallbackReason:
    """Returns how strongly each item was bought together with hero or bag, blended with likeness.

    `(1 - s) * c / max(c) + s * similarity`, where `c` sums the neighbour scores over the context
    and `s` is the contract's `weights.similarity`.
    """
    catalogue = resolved.catalogue
    if not len(resolved.context):
        return _unknown_context(resolved)
    strength = np.zeros(catalogue.num_items, dtype=np.float32)
    neighbour = catalogue.neighbour_index[resolved.context].ravel()
    np.add.at(strength, neighbour, catalogue.neighbour_score[resolved.context].ravel())
    together = strength[items]
    strongest = float(together.max(initial=0.0))
    if strongest <= 0.0:
        return FallbackReason.NO_CO_PURCHASES
    share = resolved.rules.weights.similarity
    query = _unit(catalogue.content[resolved.context].mean(axis=0))
    similarity = catalogue.content[items] @ query if query is not None else np.zeros(len(items))
    blended = (1.0 - share) * together / strongest + share * similarity
    return blended.astype(np.float32)


def content_scores(
    resolved: ResolvedRequest, items: NDArray[np.int64]
) -> NDArray[np.float32] | FallbackReason:
    """Returns the cosine of each item's content with the customer's and the context's, blended.

    The query is `(1 - w) * h/|h| + w * c/|c|`, as in the models: h and c are the mean content of
    history and context, w the contract's context weight.
    """
    catalogue, weight = resolved.catalogue, resolved.context_weight
    if not resolved.history.length and not len(resolved.context):
        return nothing_known(resolved)
    parts = [
        (1.0 - weight, catalogue.content[resolved.history.item_index]),
        (weight, catalogue.content[resolved.context]),
    ]
    query = np.zeros(catalogue.content.shape[1], dtype=np.float32)
    for share, rows in parts:
        unit = _unit(rows.mean(axis=0)) if len(rows) else None
        if unit is not None:
            query += np.float32(share) * unit
    direction = _unit(query)
    if direction is None:
        return FallbackReason.NO_CONTENT
    scores: NDArray[np.float32] = catalogue.content[items] @ direction
    return scores


def popular_scores(resolved: ResolvedRequest, items: NDArray[np.int64]) -> NDArray[np.float32]:
    """Returns each item's popularity in the request's market (everywhere without one)."""
    scores: NDArray[np.float32] = resolved.catalogue.popularity[resolved.market_row, items]
    return scores


def compose_outfits(
    sets: Sequence[CandidateSet], scores: Sequence[NDArray[np.float32]], count: int
) -> tuple[ScoredOutfit, ...]:
    """Returns outfits put together slot by slot, where no outfit model answers.

    The n-th outfit takes each slot's n-th best item, starting over where a slot offers fewer; its
    score is the mean of its items'. No item stands twice in an outfit, no outfit comes twice.
    """
    orders = [np.argsort(-slot_scores, kind="stable") for slot_scores in scores]
    found: dict[tuple[int, ...], ScoredOutfit] = {}
    for turn in range(count):
        items: list[int] = []
        item_scores: list[float] = []
        for slot, order, slot_scores in zip(sets, orders, scores, strict=True):
            for position in np.roll(order, -(turn % len(order))):
                if int(slot.items[position]) not in items:
                    items.append(int(slot.items[position]))
                    item_scores.append(float(slot_scores[position]))
                    break
            else:
                items.append(PADDING_INDEX)
                item_scores.append(0.0)
        chosen = [score for item, score in zip(items, item_scores, strict=True) if item]
        mean = sum(chosen) / len(chosen)
        found.setdefault(tuple(items), ScoredOutfit(tuple(items), mean, tuple(item_scores)))
    return tuple(sorted(found.values(), key=lambda outfit: -outfit.score))


def nothing_known(resolved: ResolvedRequest) -> FallbackReason:
    """Returns why there is neither a usable history nor a known hero or bag."""
    history = resolved.history.absent or FallbackReason.NO_HISTORY
    if history != FallbackReason.NO_HISTORY or not resolved.rules.has_context:
        return history
    return _unknown_context(resolved)


def _unknown_context(resolved: ResolvedRequest) -> FallbackReason:
    is_hero = resolved.request.hero_item_id is not None
    return FallbackReason.UNKNOWN_HERO if is_hero else FallbackReason.UNKNOWN_BAG


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Returns the vector at length 1; None if it has no direction."""
    norm = float(np.linalg.norm(vector))
    return (vector / np.float32(norm)).astype(np.float32) if norm > _EMPTY_NORM else None
