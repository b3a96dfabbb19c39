"""Which product types stylists put around each type of hero, in each department."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from stylerec.data.outfits import Outfit
from stylerec.schema.outfits import ANY_HERO, template_key

MIN_DEPARTMENT_OUTFITS = 5
"""With fewer outfits in one department, a hero type has its templates of all departments only."""

Templates = dict[str, list[list[str]]]
_Counts = dict[str, Counter[tuple[str, ...]]]


def learn_templates(
    outfits: Sequence[Outfit],
    product_types: Sequence[str | None],
    departments: Sequence[str | None],
    *,
    max_slots: int,
    max_templates: int,
) -> Templates:
    """Returns the most frequent templates of each hero type, most frequent first.

    A template is the product types of an outfit's other items, most usual type first; a type stands
    in it as often as in the outfit. The hero's own type and items without a type are left out, and
    of more than `max_slots` types the most usual stay. A type that is in outfits but never their
    hero gets the templates it would have as one. Ties go to the alphabet.

    Keys are hero types, hero types within a department (see `template_key`) where there are enough
    outfits of them, and for heroes of other types `*`, also within each department.

    Args:
        outfits: Distinct item indices each, hero first.
        product_types: Product type per item index, None for none.
        departments: Department per item index, None for none; the hero's counts.
        max_slots: Longest template.
        max_templates: Templates kept per key.
    """
    typed = [[product_types[item] for item in outfit] for outfit in outfits]
    usual = Counter(name for names in typed for name in names if name)
    as_hero: _Counts = defaultdict(Counter)
    as_any: _Counts = defaultdict(Counter)
    for outfit, names in zip(outfits, typed, strict=True):
        for item, hero in _first_of_type(outfit, names):
            others = [name for name in names if name and name != hero]
            template = tuple(sorted(others, key=lambda name: (-usual[name], name))[:max_slots])
            if not template:
                continue
            keys = [hero]
            department = departments[item]
            if department:
                keys.append(template_key(hero, department))
            for key in keys:
                as_any[key][template] += 1
            if item == outfit[0]:
                for key in [*keys, ANY_HERO, *_any_of(department)]:
                    as_hero[key][template] += 1
    learnt = {**as_any, **as_hero}
    whole = {*usual, ANY_HERO}
    return {
        key: _most_frequent(counts, max_templates)
        for key, counts in sorted(learnt.items())
        if key in whole or counts.total() >= MIN_DEPARTMENT_OUTFITS
    }


def _first_of_type(outfit: Outfit, names: Sequence[str | None]) -> Iterator[tuple[int, str]]:
    """Yields the first item of each product type, and the type."""
    seen: set[str] = set()
    for item, name in zip(outfit.tolist(), names, strict=True):
        if name and name not in seen:
            seen.add(name)
            yield item, name


def _any_of(department: str | None) -> list[str]:
    return [template_key(ANY_HERO, department)] if department else []


def _most_frequent(counts: Counter[tuple[str, ...]], limit: int) -> list[list[str]]:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return [list(template) for template, _ in ordered[:limit]]
