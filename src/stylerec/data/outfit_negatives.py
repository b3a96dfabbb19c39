"""Counter-examples to outfits by rule, and the questions asked of held-out outfits.

A counter-example keeps an outfit's hero and replaces every other item by one that only taste can
tell apart. What each rule would leak:

- `type`, as Bettaney et al. (ECML PKDD 2020) draw them: the same product type. On MANGO "is all of
  one catalogue era?" alone then has an AUC of .95, as no stylist mixes eras.
- `era`: also the catalogue era, where items name one. Popularity alone then has an AUC of .84:
  stylists return to the same few accessories.
- `popularity`: also as many training outfits. What is left is which items go together. An item
  that no training outfit wears is matched with others such, so newness says nothing either.

Counter-examples that a model finds hard are mined from these rules' draws
(`models.outfit.batches`); what that leaks is in the labels: the best-scored draw is the most likely
to be an outfit that a stylist would accept too.

B outfits, N items of the longest outfit, V rows of the vocabulary, Q questions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.data.outfits import ITEM_INDEX, Outfit, pad_outfits
from stylerec.schema.columns import ATTRIBUTES, PRODUCT_TYPE

NegativeRule = Literal["type", "era", "popularity"]
ERA_PREFIX = "era:"
"""An attribute that starts so names the catalogue an item was photographed for."""
NUM_OPTIONS = 4
"""Options of a fill-in-the-blank question: the true item and three others."""
_NUM_DRAWS = 32
"""Tries to replace an item by one that is not in the outfit yet."""


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
    """Draws replacements by rule: of the same product type, then also era, then also popularity.

    Popularity is the number of training outfits an item is in; the buckets are 0, 1, 2, 3-4, 5-8
    and so on. Where an item is alone in its bucket, the nearest bucket of the same type and era
    stands in (of two, the less popular); where it is alone in its type and era, it is left as it
    is. Items without a product type count as one type, and items without an era as one era.

    A model that reads in how many other outfits two items meet must not count the outfit it is
    asked about, and then a stylist's item is worn once less than its popularity says. With
    `leave_one_out` its replacements are matched on what is left, so that "worn less than usual"
    says nothing either.

    Args:
        items: Canonical item columns plus `item_index`.
        train: Training outfits, for the popularity.
        num_items: V.
        rule: The last thing that a replacement has in common with the item; see the module.
        leave_one_out: For training outfits scored without themselves.
    """

    def __init__(
        self,
        items: pd.DataFrame,
        train: Iterable[Outfit],
        *,
        num_items: int,
        rule: NegativeRule = "popularity",
        leave_one_out: bool = False,
    ) -> None:
        index = items[ITEM_INDEX].to_numpy(dtype=np.int64)
        worn = np.concatenate([np.zeros(0, np.int64), *train])
        popularity = np.bincount(worn, minlength=num_items)[:num_items]
        popularity = popularity if rule == "popularity" else np.zeros_like(popularity)
        bucket = _bucket(popularity)
        cells = pd.factorize(_cell_names(items, has_era=rule != "type"))[0].astype(np.int64)
        order = np.lexsort((index, bucket[index], cells))
        keys = np.stack([cells[order], bucket[index[order]]])
        pools, starts, sizes = np.unique(keys, axis=1, return_index=True, return_counts=True)
        # np.unique sorts by cell then bucket, as `order` does, so pool p is a run of `_members`.
        self._members = index[order]
        self._start, self._size = starts.astype(np.int64), sizes.astype(np.int64)
        self._neighbours = [
            _nearest_first(pools, cell=cell, bucket=bucket) for cell, bucket in pools.T
        ]
        self._pool = np.full(num_items, -1, dtype=np.int64)
        self._rank = np.zeros(num_items, dtype=np.int64)
        self._pool[self._members] = np.repeat(np.arange(len(sizes)), sizes)
        self._rank[self._members] = np.arange(len(index)) - np.repeat(starts, sizes)
        wanted = _bucket(np.maximum(popularity - 1, 0)) if leave_one_out else bucket
        self._source = np.full(num_items, -1, dtype=np.int64)
        self._source[index] = self._sources(pools, self._pool[index], wanted[index])

    def _sources(
        self,
        pools: NDArray[np.int64],
        own: NDArray[np.int64],
        wanted: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Returns the pool each item is replaced from, -1 for none: the nearest to its bucket."""
        pairs, place = np.unique(np.stack([own, wanted]), axis=1, return_inverse=True)
        found = []
        for pool, bucket in pairs.T:
            others = _nearest_first(pools, cell=pools[0, pool], bucket=bucket)
            has_other = self._size[others] - (others == pool) > 0
            found.append(others[has_other][0] if has_other.any() else -1)
        return np.array(found, dtype=np.int64)[place.ravel()]

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
        is_replaceable: NDArray[np.bool_] = self._source[items] >= 0
        return is_replaceable

    def _draw(self, items: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
        """Returns one random alternative per item, never the item itself."""
        source = self._source[items]
        is_own = source == self._pool[items]
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


def _bucket(popularity: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns 0, 1, 2, 3, 3, 4, ... for 0, 1, 2, 3, 4, 5, ... outfits."""
    doublings = np.ceil(np.log2(np.maximum(popularity, 1))).astype(np.int64)
    return np.where(popularity > 0, doublings + 1, 0)


def _cell_names(items: pd.DataFrame, *, has_era: bool) -> pd.Series:
    """Returns product type and era of every row as one comparable value."""
    types = items[PRODUCT_TYPE].fillna("") if PRODUCT_TYPE in items else [""] * len(items)
    is_known = has_era and ATTRIBUTES in items
    eras = map(_era, items[ATTRIBUTES]) if is_known else [""] * len(items)
    return pd.Series(list(zip(types, eras, strict=True)), dtype=object)


def _era(attributes: object) -> str:
    if not isinstance(attributes, list | tuple | np.ndarray):
        return ""
    return next((str(a) for a in attributes if str(a).startswith(ERA_PREFIX)), "")


def _nearest_first(pools: NDArray[np.int64], *, cell: int, bucket: int) -> NDArray[np.int64]:
    """Returns the pools of a type and era, nearest to a bucket first, of two the less popular.

    Args:
        pools: Type-and-era codes and buckets, int64 `[2, number of pools]`.
        cell: Code of the type and era.
        bucket: The bucket asked about.
    """
    same = np.flatnonzero(pools[0] == cell)
    own = pools[1, same]
    return same[np.lexsort((own, np.abs(own - bucket)))]
