"""Candidates of complete-the-look: a template of product types, one set per slot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from stylerec.schema.outfits import ANY_HERO, template_key
from stylerec.serving.candidates import Candidates, CandidateSet
from stylerec.serving.catalogue import Catalogue
from stylerec.serving.contract_parts import OutfitRules
from stylerec.serving.eligibility import Eligibility
from stylerec.serving.postings import MISSING_CODE
from stylerec.serving.resolved import ResolvedRequest

_MAX_TEMPLATES_TRIED = 8


def outfit_template(resolved: ResolvedRequest) -> Candidates:
    """Returns one candidate set per slot of the hero's best template.

    The template is the caller's; else the templates are the contract's, else the learnt ones, else
    the default, and within each those for the hero's product type in its department, for its
    product type, for any hero in its department, for any hero: the first group with an eligible
    item counts. Of its templates the first that can be filled whole is taken, else the one with the
    most filled slots. A slot takes every item of its product type, of the hero's department (or a
    shared one, or none), that passes the filters; a slot without any is omitted by name.
    """
    rules = resolved.rules.outfit
    assert rules is not None  # the contract's cross-field check
    types = _TypeItems(resolved.catalogue, _eligible(resolved, rules))
    best: Sequence[str] = ()
    best_filled = 0
    for templates in _template_groups(resolved, rules):
        for template in templates[:_MAX_TEMPLATES_TRIED]:
            num_filled = sum(len(types.of(name)) > 0 for name in template)
            is_whole = num_filled == len(template)
            if is_whole or num_filled > best_filled or not best:
                best, best_filled = template, num_filled
            if is_whole:
                break
        if best_filled:
            break
    sets = [(name, types.of(name)) for name in best]
    return Candidates(
        sets=tuple(
            # One name for one type, however the template spells it.
            CandidateSet(types.name_of(name), items, len(items))
            for name, items in sets
            if len(items)
        ),
        omitted={name: types.why_empty(name) for name, items in sets if not len(items)},
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


@dataclass(frozen=True)
class _TypeItems:
    """Eligible items per product type, looked up once per request."""

    catalogue: Catalogue
    eligible: Eligibility
    found: dict[int, NDArray[np.int64]] = field(default_factory=dict)

    def of(self, name: str) -> NDArray[np.int64]:
        """Returns a type's eligible items, most popular first."""
        code = self.catalogue.product_type_code(name)
        if code not in self.found:
            items = self.catalogue.by_product_type.of(code)
            self.found[code] = self.eligible.first(items, len(items))
        return self.found[code]

    def name_of(self, name: str) -> str:
        """Returns a type's name as the catalogue spells it."""
        code = self.catalogue.product_type_code(name)
        return self.catalogue.product_types[code]

    def why_empty(self, name: str) -> str:
        """Returns why a type has no items."""
        is_known = self.catalogue.product_type_code(name) != MISSING_CODE
        return "no_eligible_items" if is_known else "unknown_product_type"


def _template_groups(
    resolved: ResolvedRequest, rules: OutfitRules
) -> Iterator[Sequence[Sequence[str]]]:
    if resolved.request.template:
        yield [resolved.request.template]
        return
    catalogue, hero = resolved.catalogue, resolved.hero
    own_type = catalogue.product_types[catalogue.product_type[hero]]
    department = catalogue.departments[catalogue.department[hero]]
    written = {name.casefold(): listed for name, listed in rules.templates.items()}
    for source in (written, catalogue.templates):
        for hero_type in (own_type, ANY_HERO):
            for key in (template_key(hero_type, department), hero_type):
                yield source.get(key.casefold(), ())
    yield [complement_types(catalogue, hero, max_slots=rules.max_slots)]


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
    if not price > 0:
        return eligible
    if rules.min_price_ratio is not None:
        eligible = replace(eligible, min_price=rules.min_price_ratio * price)
    if rules.max_price_ratio is not None:
        eligible = eligible.below(rules.max_price_ratio * price)
    return eligible
