"""Stylists' outfits as item sets: their split, their counter-examples, the questions asked of them.

A counter-example keeps an outfit's hero and replaces every other item by one that only taste can
tell apart: of the same product type, worn equally often, and of the same catalogue era where items
have one. On a real catalogue popularity alone otherwise scores an AUC of .84, the era alone .95.
B outfits, N items of the longest outfit, V rows of the vocabulary, Q questions.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.schema.columns import ATTRIBUTES, IS_HERO, OUTFIT_ID, PRODUCT_TYPE
from stylerec.schema.tensors import FIRST_ITEM_INDEX, PADDING_INDEX

ITEM_INDEX = "item_index"
MIN_OUTFIT_ITEMS = 2
ERA_PREFIX = "era:"
"""An attribute that starts so names the catalogue an item was photographed for."""
NUM_OPTIONS = 4
"""Options of a fill-in-the-blank question: the true item and three others."""
_NUM_DRAWS = 32
"""Tries to replace an item by one that is not in the outfit yet."""

Outfit = NDArray[np.int64]
"""Distinct item indices of one outfit, its hero first."""


@dataclass(frozen=True)
class OutfitSplit:
    """Outfits by use; `dropped` counts those left out, by reason."""

    train: list[Outfit]
    validation: list[Outfit]
    test: list[Outfit]
    dropped: dict[str, int]


def split_outfits(outfits: pd.DataFrame) -> OutfitSplit:
    """Returns the distinct outfits split 80/10/10 by a hash of their items.

    An outfit keeps its side whatever else the table holds, in every process. Two outfits with the
    same items are one, and the first one's hero counts. An outfit that names no hero has its first
    item as hero.

    Args:
        outfits: Columns `outfit_id`, `item_index` and optionally `is_hero`; rows in any order of
            outfits. Items that are not known (index below 2) and repeats are left out.
    """
    known = outfits[outfits[ITEM_INDEX] >= FIRST_ITEM_INDEX].drop_duplicates(
        [OUTFIT_ID, ITEM_INDEX]
    )
    if IS_HERO in known:
        is_hero = known[IS_HERO].eq(True)
        known = known.assign(**{IS_HERO: is_hero}).sort_values(
            IS_HERO, ascending=False, kind="stable"
        )
    grouped = known.groupby(OUTFIT_ID, sort=False)[ITEM_INDEX]
    members = {outfit_id: group.to_numpy(dtype=np.int64) for outfit_id, group in grouped}
    sides: tuple[list[Outfit], list[Outfit], list[Outfit]] = ([], [], [])
    num_small, seen = 0, set()
    for outfit_id in outfits[OUTFIT_ID].drop_duplicates():
        outfit = members.get(outfit_id)
        if outfit is None or len(outfit) < MIN_OUTFIT_ITEMS:
            num_small += 1
            continue
        key = np.sort(outfit).astype("<i8").tobytes()
        if key not in seen:
            seen.add(key)
            sides[_side(key)].append(outfit)
    num_repeated = outfits[OUTFIT_ID].nunique() - num_small - len(seen)
    dropped = {"fewer_than_two_known_items": num_small, "same_items_as_another": num_repeated}
    return OutfitSplit(*sides, dropped)


def _side(key: bytes) -> int:
    """Returns 0 (train), 1 (validation) or 2 (test) with odds 8 : 1 : 1."""
    tenth = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") % 10
    return max(0, tenth - 7)


def pad_outfits(outfits: Sequence[Outfit]) -> NDArray[np.int64]:
    """Returns outfits as int64 `[B, N]`, right padded with 0."""
    padded = np.full(
        (len(outfits), max((len(o) for o in outfits), default=0)), PADDING_INDEX, dtype=np.int64
    )
    for row, outfit in enumerate(outfits):
        padded[row, : len(outfit)] = outfit
    return padded


def compatibility_auc(
    true_scores: NDArray[np.floating], false_scores: NDArray[np.floating]
) -> float:
    """Returns the share of (true, false) outfit pairs that the scores order rightly, ties half.

    Raises:
        ValueError: One of the sides is empty.
    """
    if not len(true_scores) or not len(false_scores):
        raise ValueError("compatibility_auc: expected scores on both sides")
    ordered = np.sort(false_scores)
    below = np.searchsorted(ordered, true_scores, side="left")
    not_above = np.searchsorted(ordered, true_scores, side="right")
    return float((below + not_above).mean() / (2 * len(ordered)))


@dataclass(frozen=True)
class Questions:
    """Fill-in-the-blank questions.

    Attributes:
        context: int64 `[Q, N]`, the outfit's other items, hero first, right padded with 0.
        options: int64 `[Q, 4]`, the outfit's own item in column 0.
        num_skipped: Outfits for which there were not three alternatives.
    """

    context: NDArray[np.int64]
    options: NDArray[np.int64]
    num_skipped: int


class Negatives:
    """Draws replacements of the same product type, era and popularity bucket.

    Popularity is the number of training outfits an item is in; the buckets are 0, 1, 2, 3-4, 5-8
    and so on. Where an item is alone in its bucket, the nearest bucket of the same type and era
    stands in (of two, the less popular); where it is alone in its type and era, it is left as it
    is. Items without a product type count as one type, and items without an era as one era.

    Args:
        items: Canonical item columns plus `item_index`.
        train: Training outfits, for the popularity.
        num_items: V.
    """

    def __init__(self, items: pd.DataFrame, train: Iterable[Outfit], *, num_items: int) -> None:
        index = items[ITEM_INDEX].to_numpy(dtype=np.int64)
        worn = np.concatenate([np.zeros(0, np.int64), *train])
        popularity = np.bincount(worn, minlength=num_items)[:num_items]
        bucket = np.where(popularity > 0, np.ceil(np.log2(np.maximum(popularity, 1))) + 1, 0)
        cells = pd.factorize(_cell_names(items))[0].astype(np.int64)
        order = np.lexsort((index, bucket[index], cells))
        keys = np.stack([cells[order], bucket[index[order]].astype(np.int64)])
        pools, starts, sizes = np.unique(keys, axis=1, return_index=True, return_counts=True)
        # np.unique sorts by cell then bucket, as `order` does, so pool p is a run of `_members`.
        self._members = index[order]
        self._start, self._size = starts.astype(np.int64), sizes.astype(np.int64)
        self._neighbours = [_nearest_first(pools, pool) for pool in range(len(sizes))]
        self._pool = np.full(num_items, -1, dtype=np.int64)
        self._rank = np.zeros(num_items, dtype=np.int64)
        self._pool[self._members] = np.repeat(np.arange(len(sizes)), sizes)
        self._rank[self._members] = np.arange(len(index)) - np.repeat(starts, sizes)
        self._source = np.array([self._source_of(pool) for pool in range(len(sizes))], np.int64)

    def _source_of(self, pool: int) -> int:
        """Returns the pool that a pool's items are replaced from, -1 for none."""
        if self._size[pool] > 1:
            return pool
        others = [other for other in self._neighbours[pool] if other != pool]
        return int(others[0]) if others else -1

    def replace(
        self, outfits: NDArray[np.int64], generator: np.random.Generator
    ) -> NDArray[np.int64]:
        """Returns the outfits with every item but the first replaced, int64 `[B, N]`.

        A replacement is never an item of the original outfit or one already drawn for it. An item
        without such a replacement stays, so an outfit may come back unchanged.

        Args:
            outfits: int64 `[B, N]`, heroes in column 0, right padded with 0.
            generator: Source of the draws.
        """
        replaced = outfits.copy()
        for column in range(1, outfits.shape[1]):
            rows = np.flatnonzero(self.has_alternative(outfits[:, column]))
            for _ in range(_NUM_DRAWS):
                drawn = self._draw(outfits[rows, column], generator)
                taken = np.concatenate([outfits[rows], replaced[rows]], axis=1)
                is_free = ~(taken == drawn[:, None]).any(axis=1)
                replaced[rows[is_free], column] = drawn[is_free]
                rows = rows[~is_free]
                if not len(rows):
                    break
        return replaced

    def replace_one(
        self, outfits: NDArray[np.int64], generator: np.random.Generator
    ) -> NDArray[np.int64]:
        """Returns the outfits with one random item replaced, never the hero, int64 `[B, N]`.

        Otherwise like `replace`.
        """
        replaced = self.replace(outfits, generator)
        lottery = generator.random(outfits.shape) * (replaced != outfits)
        is_drawn = np.arange(outfits.shape[1]) == lottery.argmax(axis=1)[:, None]
        return np.where(is_drawn, replaced, outfits)

    def has_alternative(self, items: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Returns which items could be replaced, any shape; padding and unknown items cannot."""
        pool = self._pool[items]
        return (pool >= 0) & (self._source[pool] >= 0)

    def _draw(self, items: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
        """Returns one random alternative per item, never the item itself."""
        own = self._pool[items]
        source = self._source[own]
        is_own = source == own
        choices = self._size[source] - is_own
        draw = np.floor(generator.random(len(items)) * choices).astype(np.int64)
        # Stepping over the item's own place leaves the others equally likely.
        draw += is_own & (draw >= self._rank[items])
        drawn: NDArray[np.int64] = self._members[self._start[source] + draw]
        return drawn

    def alternatives(
        self, item: int, taken: Outfit, generator: np.random.Generator, *, count: int
    ) -> NDArray[np.int64]:
        """Returns at most `count` distinct items like `item`, from the nearest buckets first.

        Args:
            item: Item index; neither it nor an item of `taken` is returned.
            taken: Items that may not be returned.
            generator: Source of the draws.
            count: Items wanted; fewer are returned where the type and era have no more.
        """
        found: list[int] = []
        for pool in self._neighbours[self._pool[item]] if self._pool[item] >= 0 else ():
            start = self._start[pool]
            members = self._members[start : start + self._size[pool]]
            free = members[~np.isin(members, [item, *taken])]
            found += generator.permutation(free)[: count - len(found)].tolist()
            if len(found) == count:
                break
        return np.array(found, dtype=np.int64)

    def questions(self, outfits: Sequence[Outfit], generator: np.random.Generator) -> Questions:
        """Returns one fill-in-the-blank question per outfit, about a random item but the hero."""
        contexts: list[Outfit] = []
        options: list[NDArray[np.int64]] = []
        for outfit in outfits:
            asked = int(generator.integers(1, len(outfit)))
            others = self.alternatives(outfit[asked], outfit, generator, count=NUM_OPTIONS - 1)
            if len(others) == NUM_OPTIONS - 1:
                contexts.append(np.delete(outfit, asked))
                options.append(np.concatenate([outfit[asked : asked + 1], others]))
        return Questions(
            context=pad_outfits(contexts),
            options=np.array(options, dtype=np.int64).reshape(-1, NUM_OPTIONS),
            num_skipped=len(outfits) - len(options),
        )


def _cell_names(items: pd.DataFrame) -> pd.Series:
    """Returns product type and era of every row as one comparable value."""
    types = items[PRODUCT_TYPE].fillna("") if PRODUCT_TYPE in items else [""] * len(items)
    eras = map(_era, items[ATTRIBUTES]) if ATTRIBUTES in items else [""] * len(items)
    return pd.Series(list(zip(types, eras, strict=True)), dtype=object)


def _era(attributes: object) -> str:
    if not isinstance(attributes, list | tuple | np.ndarray):
        return ""
    return next((str(a) for a in attributes if str(a).startswith(ERA_PREFIX)), "")


def _nearest_first(pools: NDArray[np.int64], pool: int) -> NDArray[np.int64]:
    """Returns the pools of a pool's type and era, nearest bucket first, itself before all.

    Args:
        pools: Type-and-era codes and buckets, int64 `[2, number of pools]`.
        pool: The pool asked about.
    """
    same = np.flatnonzero(pools[0] == pools[0, pool])
    bucket = pools[1, same]
    return same[np.lexsort((bucket, np.abs(bucket - pools[1, pool])))]
