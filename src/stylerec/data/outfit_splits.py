"""Splits of outfits for benchmarks: at random by seed, and with no item on two sides.

The pipeline's own split is `data.outfits.split_outfits`, which keeps an outfit's side as the table
grows; a benchmark wants several splits instead, to say how far a figure depends on them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stylerec.data.outfits import MIN_OUTFIT_ITEMS, Outfit, OutfitSplit

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.1
"""Of what is not test."""
TEST_ITEM_SHARE = 0.3
"""Of all items, in the item-disjoint split."""


def random_split(outfits: Sequence[Outfit], *, seed: int) -> OutfitSplit:
    """Returns distinct outfits split 72/8/20 at random: validation is carved out of training.

    Most items of a held-out outfit are in training outfits too: on MANGO 85 %.

    Args:
        outfits: Distinct outfits, as `distinct_outfits` returns them.
        seed: The same seed gives the same split.
    """
    sides = _sides(len(outfits), np.random.default_rng(seed))
    train, validation, test = (
        [outfit for outfit, own in zip(outfits, sides, strict=True) if own == side]
        for side in range(3)
    )
    return OutfitSplit(train, validation, test, {})


def item_disjoint_split(
    outfits: Sequence[Outfit], *, num_items: int, seed: int
) -> tuple[OutfitSplit, NDArray[np.bool_]]:
    """Returns outfits whose test side shares no outfit and no item with the other two.

    Stylists' favourites tie nearly all outfits together, so keeping only outfits whose items are
    all on one side would leave next to none. Outfits are therefore split at random first and items
    too, and an outfit keeps the items of its own side; fewer than two left drop it. The first item
    left stands in for a hero that is gone. Validation is carved out of training's items: three
    disjoint sets of items would leave too few whole outfits to validate on.

    Args:
        outfits: Distinct outfits.
        num_items: V.
        seed: The same seed gives the same split.

    Returns:
        The split, and which items are test items, bool `[V]`.
    """
    generator = np.random.default_rng(seed)
    sides = _sides(len(outfits), generator)
    is_test_V = generator.random(num_items) < TEST_ITEM_SHARE
    kept: tuple[list[Outfit], list[Outfit], list[Outfit]] = ([], [], [])
    num_dropped = 0
    for outfit, side in zip(outfits, sides, strict=True):
        own = outfit[is_test_V[outfit] == (side == 2)]
        if len(own) < MIN_OUTFIT_ITEMS:
            num_dropped += 1
        else:
            kept[side].append(own)
    return OutfitSplit(*kept, {"fewer_than_two_items_of_its_side": num_dropped}), is_test_V


def _sides(count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Returns 0 (train), 1 (validation) or 2 (test) per outfit."""
    num_test = round(TEST_SHARE * count)
    num_validation = round(VALIDATION_SHARE * (count - num_test))
    sides = np.zeros(count, dtype=np.int64)
    order = generator.permutation(count)
    sides[order[:num_test]] = 2
    sides[order[num_test : num_test + num_validation]] = 1
    return sides
