"""The items that may be shown: one pure function per candidate rule.

Every list is eligible (stock, market, price, exclusions), without repeats, and in the caller's
order (`given`) or most popular first, which is also how equal scores are put in order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from stylerec.schema.touchpoints import CandidateRule
from stylerec.serving.catalogue import Catalogue
from stylerec.serving.postings import MISSING_CODE
from stylerec.serving.resolved import ResolvedRequest


@dataclass(frozen=True)
class CandidateSet:
    """Candidates of one list of the answer: a page, a carousel, or a slot of an outfit.

    Attributes:
        rule: What found them: a candidate rule, a carousel rule or a product type.
        items: int64 item indices.
        num_matching: The first so many satisfy the rule; the rest only fill up and rank behind.
        title: Heading of a carousel.
        reason: Stands as `because` for all items; None to name an item instead.
        sources: int64 items that can be named; None for hero or bag and history.
    """

    rule: str
    items: NDArray[np.int64]
    num_matching: int
    title: str | None = None
    reason: str | None = None
    sources: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Candidates:
    """What a rule found.

    Attributes:
        sets: In the order of the answer; empty ones are left out.
        notes: What the caller should know, such as how many items were out of stock.
        omitted: Carousel or outfit slot that is left out, and why.
    """

    sets: tuple[CandidateSet, ...]
    notes: dict[str, object] = field(default_factory=dict)
    omitted: dict[str, str] = field(default_factory=dict)

    @property
    def num_items(self) -> int:
        """Candidates of all sets together."""
        return sum(len(found.items) for found in self.sets)


def given(resolved: ResolvedRequest) -> Candidates:
    """Returns the caller's items in the caller's order, with how many each filter took out."""
    items = resolved.candidates
    keep = np.ones(len(items), dtype=np.bool_)
    notes: dict[str, object] = {}
    for name, kept in resolved.eligible.tests(items).items():
        num_lost = int((keep & ~kept).sum())
        if num_lost:
            notes[name] = num_lost
        keep &= kept
    kept_items = items[keep]
    return _single(CandidateRule.GIVEN, kept_items, len(kept_items), notes)


def same_category(resolved: ResolvedRequest) -> Candidates:
    """Returns items of the hero's category and department.

    Fewer than `limit` are filled up from the category, the department and the market's popular
    items, in this order.
    """
    catalogue, hero = resolved.catalogue, resolved.hero
    department = catalogue.department[hero]

    def steps() -> Iterator[NDArray[np.int32]]:
        category = catalogue.by_category.of(int(catalogue.category[hero]))
        if department != MISSING_CODE:
            yield category[catalogue.department[category] == department]
        yield category
        yield from _wider(resolved)

    return _gathered(resolved, CandidateRule.SAME_CATEGORY, steps())


def bought_together(resolved: ResolvedRequest) -> Candidates:
    """Returns items bought together with the hero.

    Fewer than `limit` are filled up with what goes with those items, then from the hero's
    department and the market's popular items.
    """

    def steps() -> Iterator[NDArray[np.int32]]:
        direct = neighbours(resolved.catalogue, resolved.context)
        yield direct
        yield neighbours(resolved.catalogue, direct)
        yield from _wider(resolved)

    return _gathered(resolved, CandidateRule.BOUGHT_TOGETHER, steps())


def low_price_complements(resolved: ResolvedRequest) -> Candidates:
    """Returns little extras: other product types than the bag's, cheap on their own and to the bag.

    Both bounds of the contract hold, and the departments are the bag's. What was bought together
    with the bag comes first. Fewer than `limit` are filled up by lifting, one after another, the
    share of the bag, the other product type, the price bound and the department; the request's
    own `max_price` always holds.
    """
    bounds = resolved.rules.low_price
    assert bounds is not None  # the contract's cross-field check
    catalogue, bag = resolved.catalogue, resolved.context
    popular = catalogue.popular[resolved.market_row]
    total = float(np.nansum(catalogue.price[bag]))
    near = replace(resolved.eligible, departments=_same_departments(catalogue, bag))
    cheap = near.below(bounds.max_price)
    extra = replace(cheap, product_types=_other_types(catalogue, bag))
    matching = extra.below(bounds.max_share_of_bag * total) if total else extra

    together = matching.first(neighbours(catalogue, bag), resolved.max_candidates)
    room = resolved.max_candidates - len(together)
    found = [together, matching.without(together).first(popular, room)]
    num_matching = len(found[0]) + len(found[1])
    missing = resolved.request.limit - num_matching
    for eligible in (extra, cheap, near, resolved.eligible):
        if missing <= 0:
            break
        found.append(eligible.without(np.concatenate(found)).first(popular, missing))
        missing -= len(found[-1])
    notes: dict[str, object] = {} if catalogue.has_prices else {"low_price": "no_prices"}
    return _single(CandidateRule.LOW_PRICE_COMPLEMENTS, np.concatenate(found), num_matching, notes)


def _gathered(
    resolved: ResolvedRequest, rule: CandidateRule, steps: Iterator[NDArray[np.int32]]
) -> Candidates:
    items, num_matching = resolved.eligible.gather(
        steps, cap=resolved.max_candidates, minimum=resolved.request.limit
    )
    return _single(rule, items, num_matching, {})


def _single(
    rule: CandidateRule, items: NDArray[np.int64], num_matching: int, notes: dict[str, object]
) -> Candidates:
    if not len(items):
        return Candidates((), notes)
    if num_matching < len(items):
        notes["widened"] = len(items) - num_matching
    return Candidates((CandidateSet(rule.value, items, num_matching),), notes)


def _wider(resolved: ResolvedRequest) -> Iterator[NDArray[np.int32]]:
    """Yields the hero's department, then what is popular in the market."""
    catalogue = resolved.catalogue
    yield catalogue.by_department.of(int(catalogue.department[resolved.hero]))
    yield catalogue.popular[resolved.market_row]


def _same_departments(catalogue: Catalogue, bag: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Returns which departments go with the bag: its own, and items without one; None for all."""
    own = catalogue.department[bag]
    if not len(own) or MISSING_CODE in own:
        return None
    keep = np.zeros(len(catalogue.departments), dtype=np.bool_)
    keep[own] = True
    keep[MISSING_CODE] = True
    return keep


def _other_types(catalogue: Catalogue, bag: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns which product types are not in the bag yet."""
    keep = np.ones(len(catalogue.product_types), dtype=np.bool_)
    keep[catalogue.product_type[bag]] = False
    keep[MISSING_CODE] = True
    return keep


def neighbours(
    catalogue: Catalogue, items: NDArray[np.int64] | NDArray[np.int32]
) -> NDArray[np.int32]:
    """Returns what was bought together with any of the items, strongest sum of scores first."""
    flat = catalogue.neighbour_index[items].ravel()
    found, position = np.unique(flat, return_inverse=True)
    score = np.bincount(position, weights=catalogue.neighbour_score[items].ravel())
    is_real = found > 0
    strongest = np.argsort(-score[is_real], kind="stable")
    return found[is_real][strongest]
