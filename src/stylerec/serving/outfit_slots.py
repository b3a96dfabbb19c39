"""Candidates of complete-the-look: a template of product types, one set per slot."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stylerec.serving.candidates import Candidates, CandidateSet
from stylerec.serving.catalogue import Catalogue
from stylerec.serving.eligibility import Eligibility
from stylerec.serving.postings import MISSING_CODE
from stylerec.serving.resolved import ResolvedRequest
from stylerec.serving.touchpoint_contract import OutfitRules

ANY_HERO = "*"
"""Key of the templates for heroes whose product type has none of its own."""
_MAX_TEMPLATES_TRIED = 8


def outfit_template(resolved: ResolvedRequest) -> Candidates:
    """Returns one candidate set per slot of the hero's best template.

    The templates are the contract's for the hero's product type, else the contract's for any
    hero, else the learnt ones (likewise), else the default: the first group with an eligible item
    counts. Of its templates the first that can be filled whole is taken, else the one with the
    most filled slots. A slot takes items of its product type, of the hero's department (or a
    shared one, or none), that pass the filters; a slot without any is omitted by name.
    """
    rules = resolved.rules.outfit
    assert rules is not None  # the contract's cross-field check
    catalogue, eligible = resolved.catalogue, _eligible(resolved, rules)
    best: list[tuple[str, NDArray[np.int64]]] = []
    best_filled = 0
    for templates in _template_groups(resolved, rules):
        for template in templates[:_MAX_TEMPLATES_TRIED]:
            slots = [
                (slot, eligible.first(_items_of(catalogue, slot), rules.candidates_per_slot))
                for slot in template
            ]
            num_filled = sum(len(items) > 0 for _, items in slots)
            is_whole = num_filled == len(template)
            if is_whole or num_filled > best_filled or not best:
                best, best_filled = slots, num_filled
            if is_whole:
                break
        if best_filled:
            break
    return Candidates(
        sets=tuple(CandidateSet(slot, items, len(items)) for slot, items in best if len(items)),
        omitted={slot: "no_eligible_items" for slot, items in best if not len(items)},
    )


def complement_types(catalogue: Catalogue, hero: int, *, max_slots: int) -> tuple[str, ...]:
    """Returns a template nobody had to write: what else is popular in the hero's department.

    One product type per category, none of the hero's own category.
    """
    department = int(catalogue.department[hero])
    used = {int(catalogue.category[hero])} - {MISSING_CODE}
    chosen: list[str] = []
    for code in catalogue.types_of_department[department]:
        category = int(catalogue.category_of_type[code])
        if (
            len(chosen) < max_slots
            and code != catalogue.product_type[hero]
            and category not in used
        ):
            chosen.append(catalogue.product_types[code])
            used.add(category)
    return tuple(chosen)


def _template_groups(
    resolved: ResolvedRequest, rules: OutfitRules
) -> Iterator[Sequence[Sequence[str]]]:
    catalogue = resolved.catalogue
    own_type = catalogue.product_types[catalogue.product_type[resolved.hero]].casefold()
    written = {name.casefold(): listed for name, listed in rules.templates.items()}
    for source in (written, catalogue.templates):
        for key in (own_type, ANY_HERO):
            yield source.get(key, ())
    yield [complement_types(catalogue, resolved.hero, max_slots=rules.max_slots)]


def _items_of(catalogue: Catalogue, slot: str) -> NDArray[np.int32]:
    return catalogue.by_product_type.of(catalogue.product_type_code(slot))


def _fitting_departments(resolved: ResolvedRequest, rules: OutfitRules) -> NDArray[np.bool_] | None:
    """Returns per department code whether its items go with the hero; None if all do."""
    catalogue = resolved.catalogue
    own = int(catalogue.department[resolved.hero])
    shared = {name.casefold() for name in rules.shared_departments}
    if own == MISSING_CODE or catalogue.departments[own].casefold() in shared:
        return None
    fits = np.array([name.casefold() in shared for name in catalogue.departments], dtype=np.bool_)
    fits[[MISSING_CODE, own]] = True
    return fits


def _eligible(resolved: ResolvedRequest, rules: OutfitRules) -> Eligibility:
    eligible = replace(resolved.eligible, departments=_fitting_departments(resolved, rules))
    price = float(resolved.catalogue.price[resolved.hero])
    if rules.max_price_ratio is None or not price > 0:
        return eligible
    return eligible.below(rules.max_price_ratio * price)
