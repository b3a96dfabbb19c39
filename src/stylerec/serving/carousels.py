"""Candidates of the `for-you` page: one pure function per carousel rule."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stylerec.schema.events import EventType
from stylerec.schema.touchpoints import CarouselRule
from stylerec.serving.candidates import Candidates, CandidateSet, neighbours
from stylerec.serving.contract_parts import Carousel
from stylerec.serving.resolved import ResolvedRequest

NUM_SAVED_ITEMS = 8
"""Newest saved items that like_your_saved_items starts from."""
NUM_RECENT_ITEMS = 16
"""Newest items of any event type that picked_for_you starts from."""
_FEW_NEIGHBOURS = 10
_POPULAR_OF_CATEGORY = 256
_ALIKE_PER_ITEM = 40


def carousels(resolved: ResolvedRequest) -> Candidates:
    """Returns one candidate set per carousel asked for; those with nothing to show are omitted."""
    asked = resolved.request.carousels
    sets: list[CandidateSet] = []
    omitted: dict[str, str] = {}
    for carousel in resolved.rules.carousels:
        if asked and carousel.rule not in asked:
            continue
        found = _FUNCTIONS[carousel.rule](resolved, carousel)
        if isinstance(found, str):
            omitted[carousel.rule.value] = found
        else:
            sets.append(found)
    return Candidates(tuple(sets), omitted=omitted)


def in_the_sale(resolved: ResolvedRequest, carousel: Carousel) -> CandidateSet | str:
    """Returns items below their full price, or why there are none."""
    return _listed(resolved, carousel, resolved.catalogue.on_sale, absent="nothing_on_sale")


def new_in(resolved: ResolvedRequest, carousel: Carousel) -> CandidateSet | str:
    """Returns the newest items, or why there are none."""
    return _listed(resolved, carousel, resolved.catalogue.newest, absent="no_first_seen")


def like_your_saved_items(resolved: ResolvedRequest, carousel: Carousel) -> CandidateSet | str:
    """Returns what goes with, or looks like, the items the customer saved last.

    Items bought together with a saved item come first; for a saved item that has few of those,
    such as a new one, popular items of its category with the most similar content. The saved
    items themselves are left out.
    """
    saved = resolved.history.newest(NUM_SAVED_ITEMS, event=EventType.SAVE)
    if not len(saved):
        return "no_saved_items"
    together = neighbours(resolved.catalogue, saved).astype(np.int64)
    num_together = np.count_nonzero(resolved.catalogue.neighbour_index[saved], axis=1)
    lonely = saved[num_together < _FEW_NEIGHBOURS]
    both = np.concatenate([together, *(_alike(resolved, int(item)) for item in lonely)])
    _, first = np.unique(both, return_index=True)
    cap = carousel.max_candidates or resolved.max_candidates
    items = resolved.eligible.without(saved).first(both[np.sort(first)], cap)
    if not len(items):
        return "nothing_eligible"
    return CandidateSet(carousel.rule.value, items, len(items), title=carousel.title, sources=saved)


def picked_for_you(resolved: ResolvedRequest, carousel: Carousel) -> CandidateSet | str:
    """Returns what was bought with the customer's latest items, then what is popular.

    It needs no sale, saved item or launch date, so there is something for every retailer.
    """
    recent = resolved.history.newest(NUM_RECENT_ITEMS)
    together = neighbours(resolved.catalogue, recent)
    popular = resolved.catalogue.popular[resolved.market_row]
    cap = carousel.max_candidates or resolved.max_candidates
    both = np.concatenate([resolved.eligible.first(listed, cap) for listed in (together, popular)])
    _, first = np.unique(both, return_index=True)
    items = both[np.sort(first)[:cap]]
    if not len(items):
        return "nothing_eligible"
    return CandidateSet(carousel.rule.value, items, len(items), title=carousel.title)


def _alike(resolved: ResolvedRequest, item: int) -> NDArray[np.int64]:
    """Returns popular items of the item's category and department, most similar content first."""
    catalogue = resolved.catalogue
    nearby = catalogue.by_category.of(int(catalogue.category[item]))
    nearby = nearby[catalogue.department[nearby] == catalogue.department[item]]
    nearby = nearby[:_POPULAR_OF_CATEGORY]
    similarity = catalogue.content[nearby] @ catalogue.content[item]
    best = np.argsort(-similarity, kind="stable")[:_ALIKE_PER_ITEM]
    alike: NDArray[np.int32] = nearby[best[similarity[best] > 0]]
    return alike.astype(np.int64)


def _listed(
    resolved: ResolvedRequest, carousel: Carousel, listed: NDArray[np.int32], *, absent: str
) -> CandidateSet | str:
    cap = carousel.max_candidates or resolved.max_candidates
    items = resolved.eligible.first(listed, cap)
    if not len(items):
        return "nothing_eligible" if len(listed) else absent
    rule = carousel.rule.value
    return CandidateSet(rule, items, len(items), title=carousel.title, reason=rule)


_FUNCTIONS: dict[CarouselRule, Callable[[ResolvedRequest, Carousel], CandidateSet | str]] = {
    CarouselRule.IN_THE_SALE: in_the_sale,
    CarouselRule.LIKE_YOUR_SAVED_ITEMS: like_your_saved_items,
    CarouselRule.NEW_IN: new_in,
    CarouselRule.PICKED_FOR_YOU: picked_for_you,
}
