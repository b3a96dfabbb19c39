"""Beam search for outfits over every item that may be shown, in plain numpy.

Bettaney et al., ECML PKDD 2020, generate outfits by filling a template of product types one slot at
a time and keeping the best beams; adding an item costs one dot product with the sum of the
embeddings already there. Differences: the customer's style starts that sum beside the hero's, a
slot nobody can fill is skipped, the same items in other slots count once, and each further outfit
is searched for under a bound on the items it shares with those before.

The items of a product type lie together in the style table, so a slot is read as one block where
gathering its rows costs several times the arithmetic. Nothing here is random: the same release and
request give the same outfits.

Legend: V rows of the vocabulary, D style, C items of a slot, W beams, S slots.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from stylerec.schema.tensors import FIRST_ITEM_INDEX, PADDING_INDEX

_BLOCK_SHARE = 0.2
"""From this share of a block on, reading all of it is faster than gathering the rows wanted."""
_CHUNK = 64
_IMPOSSIBLE = np.float32(-np.inf)
_TINY = 1e-12

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class StyleIndex:
    """Every item's style embedding, grouped by product type.

    Attributes:
        table_VD: float32 `[V - 2, D]`, one row per item in the order of grouping.
        row_of: int64 `[V]`, an item's row; -1 for padding and unknown.
        scale: Factor of the summed dot products in an outfit's logit.
        bias: Added to them.
        customer_norm: Length that a customer's style is given: that of a usual item.
    """

    table_VD: Floats
    row_of: NDArray[np.int64]
    scale: float
    bias: float
    customer_norm: float

    @classmethod
    def build(
        cls,
        style_VD: Floats,
        order: NDArray[np.int32],
        *,
        scale: float,
        bias: float,
        customer_norm: float,
    ) -> Self:
        """Returns the index of a release.

        Args:
            style_VD: float32 `[V, D]` in index order.
            order: int32 `[V - 2]`, every item once, those of a product type together.
            scale: See above.
            bias: See above.
            customer_norm: See above.
        """
        row_of = np.full(len(style_VD), -1, dtype=np.int64)
        row_of[order] = np.arange(len(order))
        table_VD = np.ascontiguousarray(style_VD[order], dtype=np.float32)
        return cls(table_VD, row_of, scale, bias, customer_norm)

    def rows(self, items: NDArray[np.int64]) -> Floats:
        """Returns style embeddings `[len(items), D]`, zero for padding and unknown items."""
        found: Floats = self.table_VD[self.row_of[items]]
        found[items < FIRST_ITEM_INDEX] = 0.0
        return found

    def start(
        self, hero: int, history: NDArray[np.int64], *, customer_weight: float
    ) -> tuple[Floats, Floats]:
        """Returns the hero's embedding and the customer's weighted one, `[D]` each.

        The customer's is the mean direction of the history's items, as long as a usual item's:
        weight 1 counts as much as one more item in the outfit. Zero without a history.
        """
        hero_D = self.rows(np.array([hero], dtype=np.int64))[0]
        total_D = self.rows(history).sum(axis=0)
        norm = max(float(np.linalg.norm(total_D)), _TINY)
        return hero_D, total_D * np.float32(customer_weight * self.customer_norm / norm)

    def slot(self, items: NDArray[np.int64]) -> "Slot":
        """Returns the slot that takes one of `items`, which must lie near each other to be fast."""
        row = self.row_of[items]
        low, high = int(row.min()), int(row.max()) + 1
        if len(items) < _BLOCK_SHARE * (high - low):
            return Slot(self.table_VD[row], items, np.zeros(len(items), dtype=np.float32))
        block_items = np.full(high - low, PADDING_INDEX, dtype=np.int64)
        block_items[row - low] = items
        penalty_C = np.where(block_items == PADDING_INDEX, _IMPOSSIBLE, np.float32(0.0))
        return Slot(self.table_VD[low:high], block_items, penalty_C)


@dataclass(frozen=True, eq=False)
class Slot:
    """The items that can stand in one place of an outfit.

    Two slots either share no item or are the same object.

    Attributes:
        rows_CD: Their style embeddings.
        items_C: int64 item indices; 0 where the row is none of the slot's.
        penalty_C: float32, 0 for an item, minus infinity for any other row.
    """

    rows_CD: Floats
    items_C: NDArray[np.int64]
    penalty_C: Floats

    def nearest(self, query_D: Floats, count: int) -> "Slot":
        """Returns the slot with only the `count` items that go best with a query."""
        if len(self.items_C) <= count:
            return self
        places = np.sort(_best_places(self.rows_CD @ query_D + self.penalty_C, count))
        return Slot(self.rows_CD[places], self.items_C[places], self.penalty_C[places])


@dataclass(frozen=True)
class FoundOutfit:
    """One outfit.

    Attributes:
        items: Item index per slot, 0 for a slot that nobody can fill.
        sum_of_pairs: Dot products of all pairs, hero included, and of each item with the
            customer's weighted style.
        is_relaxed: It shares more items with another outfit than was asked for.
    """

    items: tuple[int, ...]
    sum_of_pairs: float
    is_relaxed: bool = False


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
    `max_shared_items` items with every one before. Where there is none, the bound is raised by one
    and what is then found is marked. Without a bound, one search gives them all. With beams for
    every combination the search is exhaustive.

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
    found = [_found(beam, slots) for beam in chosen]
    num_items = sum(item != PADDING_INDEX for outfit in found for item in outfit.items)
    # Two outfits with all items in common would be one.
    bound = min(max_shared_items, num_items - 1)
    while found and len(found) < count and bound < num_items:
        beams = _search(start_D, slots, scores, width=beam_width, earlier=chosen, bound=bound)
        if beams:
            chosen.append(beams[0])
            found.append(_found(beams[0], slots, is_relaxed=bound > max_shared_items))
        else:
            bound += 1
    return sorted(found, key=lambda outfit: -outfit.sum_of_pairs)


def _found(beam: _Beam, slots: Sequence[Slot], *, is_relaxed: bool = False) -> FoundOutfit:
    items = tuple(
        PADDING_INDEX if place < 0 else int(slot.items_C[place])
        for place, slot in zip(beam.places, slots, strict=True)
    )
    return FoundOutfit(items, beam.score, is_relaxed)


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
            score_WC = np.stack([beam.sum_D for beam in missing]) @ slot.rows_CD.T
            score_WC += np.array([[beam.score] for beam in missing], dtype=np.float32)
            score_WC += slot.penalty_C
            for row_C, beam in zip(score_WC, missing, strict=True):
                places = [beam.places[other] for other in same]
                row_C[[place for place in places if place >= 0]] = _IMPOSSIBLE
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
        if score_WC.max(initial=_IMPOSSIBLE) == _IMPOSSIBLE:
            for beam in beams:
                beam.places.append(-1)
            continue
        worn = [_places_in(slot, slots, outfit) for outfit in earlier]
        for row_C, beam in zip(score_WC, beams, strict=True):
            for outfit, places in enumerate(worn):
                if beam.shared[outfit] >= bound:
                    row_C[places] = _IMPOSSIBLE
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
    for extension in _best_places(flat, width * (1 + len(same))):
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


def _best_places(scores: Floats, count: int) -> NDArray[np.int64]:
    """Returns the places of the `count` best scores, best first, the first of equal ones first.

    Fewer where fewer are possible. The k-th best maximum of all chunks is a bound that no less than
    k scores reach, so only those are sorted.
    """
    num_chunks = len(scores) // _CHUNK
    bound = _IMPOSSIBLE
    if num_chunks > count:
        highest = scores[: num_chunks * _CHUNK].reshape(num_chunks, _CHUNK).max(axis=1)
        bound = np.partition(highest, num_chunks - count)[num_chunks - count]
    elif len(scores) > count:
        bound = np.partition(scores, len(scores) - count)[len(scores) - count]
    reaching = scores > bound if bound == _IMPOSSIBLE else scores >= bound
    places = np.flatnonzero(reaching)
    return places[np.argsort(-scores[places], kind="stable")[:count]]
