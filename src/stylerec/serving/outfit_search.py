"""Beam search for outfits over every item that may be shown, in plain numpy.

Bettaney et al., ECML PKDD 2020, generate outfits by filling a template of product types one slot at
a time and keeping the best beams; adding an item costs one dot product with the sum of the
embeddings already there. Differences: the customer's style starts that sum beside the hero's, a
slot nobody can fill is skipped, the same items in other slots count once, and each further outfit
is searched for under a bound on the items it shares with those before.

Nothing here is random: the same release and
request give the same outfits.

Legend: V rows of the vocabulary, D style, C items of a slot, W beams, S slots.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from stylerec.schema.tensors import PADDING_INDEX
from stylerec.serving.style_index import IMPOSSIBLE, Floats, Slot, best_places, dot_products


@dataclass(frozen=True)
class FoundOutfit:
    """One outfit.

    Attributes:
        items: Item index per slot, 0 for a slot that nobody can fill.
        sum_of_pairs: Dot products of all pairs, hero included, and of each item with the
            customer's weighted style.
    """

    items: tuple[int, ...]
    sum_of_pairs: float


@dataclass
class _Beam:
    places: list[int]
    """Place of the item of each slot so far, -1 where the slot is skipped."""
    sum_D: Floats
    score: float
    shared: list[int] = field(default_factory=list)
    """Items in common with each earlier outfit."""


def search_outfits(
    start_D: Floats,
    slots: Sequence[Slot],
    *,
    count: int,
    beam_width: int,
    max_shared_items: int | None = None,
) -> list[FoundOutfit]:
    """Returns at most `count` outfits, best first.

    The first is the best that the beams find; each further one the best that shares at most
    `max_shared_items` items with every one before. Where there is none, the bound is raised by one.
    Without a bound, one search gives them all. With beams for every combination the search is
    exhaustive.

    Args:
        start_D: Sum of the hero's style and the customer's weighted style.
        slots: One per product type of the template, in the order they are filled.
        count: Outfits wanted.
        beam_width: W, beams kept per slot.
        max_shared_items: Bound on common items; None for none.
    """
    scores = _Scores()
    if max_shared_items is None:
        width = max(beam_width, count)
        beams = _search(start_D, slots, scores, width=width, earlier=[], bound=0)
        return [_found(beam, slots) for beam in beams[:count]]
    chosen = _search(start_D, slots, scores, width=beam_width, earlier=[], bound=0)[:1]
    num_items = sum(place >= 0 for beam in chosen for place in beam.places)
    # Two outfits with all items in common would be one.
    bound = min(max_shared_items, num_items - 1)
    while len(chosen) < count and bound < num_items:
        beams = _search(start_D, slots, scores, width=beam_width, earlier=chosen, bound=bound)
        if beams:
            chosen.append(beams[0])
        else:
            bound += 1
    return sorted((_found(beam, slots) for beam in chosen), key=lambda found: -found.sum_of_pairs)


def _found(beam: _Beam, slots: Sequence[Slot]) -> FoundOutfit:
    items = tuple(
        PADDING_INDEX if place < 0 else int(slot.items_C[place])
        for place, slot in zip(beam.places, slots, strict=True)
    )
    return FoundOutfit(items, beam.score)


class _Scores:
    """Scores of a slot's items after each beam; searches of one request share most beams."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], Floats] = {}

    def after(self, beams: Sequence[_Beam], slot: Slot, same: Sequence[int]) -> Floats:
        """Returns float32 `[W, C]`, minus infinity where a beam holds the item already.

        Args:
            beams: W outfits that end before the slot.
            slot: C items.
            same: Earlier slots that are the same one.
        """
        missing = [beam for beam in beams if tuple(beam.places) not in self._known]
        if missing:
            score_WC = dot_products(slot.rows_CD, np.stack([beam.sum_D for beam in missing]))
            score_WC += np.array([[beam.score] for beam in missing], dtype=np.float32)
            score_WC += slot.penalty_C
            for row_C, beam in zip(score_WC, missing, strict=True):
                places = [beam.places[other] for other in same]
                row_C[[place for place in places if place >= 0]] = IMPOSSIBLE
                self._known[tuple(beam.places)] = row_C
        return np.stack([self._known[tuple(beam.places)] for beam in beams])


def _search(
    start_D: Floats,
    slots: Sequence[Slot],
    scores: _Scores,
    *,
    width: int,
    earlier: Sequence[_Beam],
    bound: int,
) -> list[_Beam]:
    """Returns at most `width` beams that share at most `bound` items with each earlier outfit."""
    beams = [_Beam([], start_D, 0.0, [0] * len(earlier))]
    for position, slot in enumerate(slots):
        same = [other for other in range(position) if slots[other] is slot]
        score_WC = scores.after(beams, slot, same)
        if score_WC.max(initial=IMPOSSIBLE) == IMPOSSIBLE:
            for beam in beams:
                beam.places.append(-1)
            continue
        worn = [_places_in(slot, slots, outfit) for outfit in earlier]
        for row_C, beam in zip(score_WC, beams, strict=True):
            for outfit, places in enumerate(worn):
                if beam.shared[outfit] >= bound:
                    row_C[places] = IMPOSSIBLE
        beams = _extended(beams, slot, score_WC, worn, width=width, same=same)
        if not beams:
            return []
    return [beam for beam in beams if max(beam.places, default=-1) >= 0]


def _extended(
    beams: Sequence[_Beam],
    slot: Slot,
    score_WC: Floats,
    worn: Sequence[Sequence[int]],
    *,
    width: int,
    same: Sequence[int],
) -> list[_Beam]:
    """Returns the best beams with one more item each; the same items in other slots count once."""
    flat = score_WC.ravel()
    found: list[_Beam] = []
    used: set[tuple[tuple[int, ...], tuple[int, ...]]] = set()
    # An outfit comes up at most once per slot of this type, so that many suffice.
    for extension in best_places(flat, width * (1 + len(same))):
        parent, place = divmod(int(extension), score_WC.shape[1])
        beam = beams[parent]
        if same:
            others = [p for n, p in enumerate(beam.places) if n not in same]
            key = (tuple(others), tuple(sorted([*(beam.places[n] for n in same), place])))
            if key in used:
                continue
            used.add(key)
        shared = [n + (place in places) for n, places in zip(beam.shared, worn, strict=True)]
        sum_D = beam.sum_D + slot.rows_CD[place]
        found.append(_Beam([*beam.places, place], sum_D, float(flat[extension]), shared))
        if len(found) == width:
            break
    return found


def _places_in(slot: Slot, slots: Sequence[Slot], outfit: _Beam) -> list[int]:
    """Returns the places of an outfit's items in a slot."""
    return [
        place
        for other, place in zip(slots, outfit.places, strict=True)
        if other is slot and place >= 0
    ]
