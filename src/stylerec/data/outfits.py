"""Stylists' outfits as item sets: which are distinct, how they are split, how scores compare.

B outfits, N items of the longest outfit.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.schema.columns import IS_HERO, OUTFIT_ID
from stylerec.schema.tensors import FIRST_ITEM_INDEX, PADDING_INDEX

ITEM_INDEX = "item_index"
MIN_OUTFIT_ITEMS = 2

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

    An outfit keeps its side whatever else the table holds, in every process.

    Args:
        outfits: See `distinct_outfits`.
    """
    sides: tuple[list[Outfit], list[Outfit], list[Outfit]] = ([], [], [])
    distinct, dropped = distinct_outfits(outfits)
    for outfit in distinct:
        sides[_side(_key(outfit))].append(outfit)
    return OutfitSplit(*sides, dropped)


def distinct_outfits(outfits: pd.DataFrame) -> tuple[list[Outfit], dict[str, int]]:
    """Returns the outfits in file order, and how many were left out by reason.

    Two outfits with the same items are one, and the first one's hero counts. An outfit that names
    no hero has its first item as hero.

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
    distinct: dict[bytes, Outfit] = {}
    num_small = 0
    for outfit_id in outfits[OUTFIT_ID].drop_duplicates():
        outfit = members.get(outfit_id)
        if outfit is None or len(outfit) < MIN_OUTFIT_ITEMS:
            num_small += 1
        else:
            distinct.setdefault(_key(outfit), outfit)
    num_repeated = outfits[OUTFIT_ID].nunique() - num_small - len(distinct)
    dropped = {"fewer_than_two_known_items": num_small, "same_items_as_another": num_repeated}
    return list(distinct.values()), dropped


def _key(outfit: Outfit) -> bytes:
    """Returns the same bytes for the same items in any order."""
    return np.sort(outfit).astype("<i8").tobytes()


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
