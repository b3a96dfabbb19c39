"""One request with everything looked up: what candidate rules and rungs see."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.events import EventType
from stylerec.schema.tensors import PADDING_INDEX, UNKNOWN_INDEX
from stylerec.serving.catalogue import Catalogue
from stylerec.serving.eligibility import Eligibility
from stylerec.serving.history import KnownHistory
from stylerec.serving.requests import RecommendationRequest
from stylerec.serving.touchpoint_contract import TouchpointContract

NUM_SOURCES = 20
"""Newest distinct history items that can be named as the reason for an item."""


@dataclass(frozen=True)
class ResolvedRequest:
    """Everything in item indices.

    Attributes:
        request: As the caller sent it.
        rules: The touchpoint's contract.
        catalogue: The release's items.
        history: The customer's usable history, perhaps empty.
        hero: Item index; 0 if the request names none, 1 if the release lacks it.
        context: int64, known distinct items of hero or bag.
        candidates: int64, known distinct items that the caller sent.
        eligible: The filters that the contract and the request ask for.
        num_unknown: Items of the request (hero, bag, candidates) that the release lacks.
        now_s: Unix time of the request.
        max_candidates: Most candidates that a rule finds.
    """

    request: RecommendationRequest
    rules: TouchpointContract
    catalogue: Catalogue
    history: KnownHistory
    hero: int
    context: NDArray[np.int64]
    candidates: NDArray[np.int64]
    eligible: Eligibility
    num_unknown: int
    now_s: float
    max_candidates: int

    @property
    def market_row(self) -> int:
        """Row of the request's market in the catalogue; 0 without one."""
        return self.catalogue.market_row(self.request.market)

    @property
    def context_weight(self) -> float:
        """How much hero or bag count: 0 without a known one, 1 without a usable history."""
        if not len(self.context):
            return 0.0
        return self.rules.weights.context if self.history.length else 1.0

    @property
    def customer_weight(self) -> float:
        """How much the history counts: 0 without a usable one."""
        return self.rules.weights.customer if self.history.length else 0.0

    def sources(self) -> NDArray[np.int64]:
        """Returns the items that can be named as a reason: hero or bag, then the newest history."""
        both = np.concatenate([self.context, self.history.newest(NUM_SOURCES)])
        _, first = np.unique(both, return_index=True)
        return both[np.sort(first)]


def resolve(
    request: RecommendationRequest,
    *,
    rules: TouchpointContract,
    catalogue: Catalogue,
    vocabulary: Vocabulary,
    history: KnownHistory,
    now_s: float,
    max_candidates: int,
) -> ResolvedRequest:
    """Returns the request in item indices, together with the filters that its contract asks for."""
    hero = PADDING_INDEX
    if request.hero_item_id is not None:
        hero = vocabulary.item_index(request.hero_item_id)
    named = vocabulary.encode_items(request.bag_item_ids)
    if hero != PADDING_INDEX:
        named = np.array([hero], dtype=np.int64)
    sent = vocabulary.encode_items(request.candidate_item_ids)
    context, candidates = named[named > UNKNOWN_INDEX], sent[sent > UNKNOWN_INDEX]
    hidden = [vocabulary.encode_items(request.exclude_item_ids), *_hidden(rules, context, history)]
    is_excluded = np.zeros(catalogue.num_items, dtype=np.bool_)
    is_excluded[np.concatenate(hidden)] = True
    is_excluded[: UNKNOWN_INDEX + 1] = True
    market = request.market if rules.filters.market else None
    return ResolvedRequest(
        request=request,
        rules=rules,
        catalogue=catalogue,
        history=history,
        hero=hero,
        context=context,
        candidates=candidates,
        eligible=Eligibility(
            catalogue=catalogue,
            is_excluded=is_excluded,
            needs_stock=rules.filters.in_stock,
            market_row=catalogue.market_row(market),
            max_price=request.max_price,
        ),
        num_unknown=len(named) + len(sent) - len(context) - len(candidates),
        now_s=now_s,
        max_candidates=max_candidates,
    )


def _hidden(
    rules: TouchpointContract, context: NDArray[np.int64], history: KnownHistory
) -> list[NDArray[np.int64]]:
    """Returns the items that the contract's filters leave out by name."""
    hidden = [context] if rules.filters.exclude_hero else []
    if rules.filters.exclude_seen:
        hidden.append(history.item_index)
    elif rules.filters.exclude_purchased:
        hidden.append(history.newest(history.length, event=EventType.PURCHASE))
    return hidden
