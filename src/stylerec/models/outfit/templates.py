"""Which product types stylists put around each type of hero."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from stylerec.data.outfits import Outfit

ANY_HERO = "*"
"""Key of the templates for hero types that are in no outfit."""

Templates = dict[str, list[list[str]]]


def learn_templates(
    outfits: Sequence[Outfit],
    product_types: Sequence[str | None],
    *,
    max_slots: int,
    max_templates: int,
) -> Templates:
    """Returns the most frequent templates of each hero type, most frequent first.

    A template is the product types of an outfit's other items, most usual type first; a type stands
    in it as often as in the outfit. The hero's own type and items without a type are left out, and
    of more than `max_slots` types the most usual stay. A type that is in outfits but never their
    hero gets the templates it would have as one. Ties go to the alphabet.

    Args:
        outfits: Distinct item indices each, hero first.
        product_types: Product type per item index, None for none.
        max_slots: Longest template.
        max_templates: Templates kept per hero type.
    """
    typed = [[product_types[item] for item in outfit] for outfit in outfits]
    usual = Counter(name for names in typed for name in names if name)
    as_hero: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    as_any: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for names in typed:
        for hero in dict.fromkeys(name for name in names if name):
            others = [name for name in names if name and name != hero]
            template = tuple(sorted(others, key=lambda name: (-usual[name], name))[:max_slots])
            if template:
                as_any[hero][template] += 1
                if hero == names[0]:
                    as_hero[hero][template] += 1
    anywhere: Counter[tuple[str, ...]] = Counter()
    for counts in as_hero.values():
        anywhere.update(counts)
    learnt = {hero: as_hero.get(hero, counts) for hero, counts in sorted(as_any.items())}
    if anywhere:
        learnt[ANY_HERO] = anywhere
    return {hero: _most_frequent(counts, max_templates) for hero, counts in learnt.items()}


def _most_frequent(counts: Counter[tuple[str, ...]], limit: int) -> list[list[str]]:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return [list(template) for template, _ in ordered[:limit]]
