"""From scores to what is shown: order, caps per brand and product type, outfits that differ."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stylerec.schema.tensors import PADDING_INDEX
from stylerec.serving.catalogue import Catalogue
from stylerec.serving.contract_parts import Diversity
from stylerec.serving.postings import MISSING_CODE
from stylerec.serving.scoring import ScoredOutfit


def ranked_positions(
    scores: NDArray[np.float32], *, num_matching: int, count: int
) -> NDArray[np.int64]:
    """Returns at least `count` positions (or all), best score first.

    Positions from `num_matching` on only fill up and come after all others. Equal scores stay in
    their given order, so the same request gets the same answer.
    """
    matching = _best(scores[:num_matching], count)
    filling = _best(scores[num_matching:], count - len(matching)) + num_matching
    return np.concatenate([matching, filling])


def pick_diverse(
    items: NDArray[np.int64], *, limit: int, diversity: Diversity, catalogue: Catalogue
) -> tuple[list[int], int]:
    """Returns which of the ranked items to show, greedily, and how many break a cap.

    An item over a cap is put aside; if slots would stay empty, those put aside follow at the end.

    Args:
        items: Distinct item indices, best first.
        limit: Slots to fill.
        diversity: Caps; items without a brand or product type count against none.
        catalogue: Where brands and product types stand.

    Returns:
        Positions in `items`, and the number of the last ones that are over a cap.
    """
    caps = [
        (catalogue.brand[items].tolist(), diversity.max_per_brand),
        (catalogue.product_type[items].tolist(), diversity.max_per_product_type),
    ]
    active = [(codes, cap, Counter[int]()) for codes, cap in caps if cap is not None]
    chosen: list[int] = []
    aside: list[int] = []
    for position in range(len(items)):
        if len(chosen) == limit:
            break
        if any(
            codes[position] != MISSING_CODE and used[codes[position]] >= cap
            for codes, cap, used in active
        ):
            aside.append(position)
            continue
        chosen.append(position)
        for codes, _, used in active:
            used[codes[position]] += 1
    relaxed = aside[: limit - len(chosen)]
    return chosen + relaxed, len(relaxed)


def pick_diverse_outfits(
    outfits: Sequence[ScoredOutfit], *, limit: int, max_shared_items: int | None
) -> tuple[list[ScoredOutfit], int]:
    """Returns which outfits to show, and how many of them are more alike than asked for.

    An outfit that shares too many items with a better one is put aside; if there would be fewer
    than `limit`, the best of those put aside are shown after all.

    Args:
        outfits: Best first.
        limit: Most outfits.
        max_shared_items: Most items that two of them have in common; None for no bound.

    Returns:
        Outfits, best first, and the number of those that were put aside before.
    """
    if max_shared_items is None:
        return list(outfits[:limit]), 0
    chosen: list[ScoredOutfit] = []
    aside: list[ScoredOutfit] = []
    for outfit in outfits:
        items = set(outfit.items) - {PADDING_INDEX}
        is_new = all(len(items & set(other.items)) <= max_shared_items for other in chosen)
        (chosen if is_new else aside).append(outfit)
    relaxed = aside[: max(0, limit - len(chosen))]
    kept = chosen[:limit] + relaxed
    return sorted(kept, key=lambda outfit: -outfit.score), len(relaxed)


def _best(scores: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Returns the positions of the `count` best scores and of all that equal the last of them."""
    if count <= 0:
        return np.zeros(0, dtype=np.int64)
    positions = np.arange(len(scores), dtype=np.int64)
    if count < len(scores):
        threshold = np.partition(scores, len(scores) - count)[len(scores) - count]
        positions = np.flatnonzero(scores >= threshold)
    return positions[np.argsort(-scores[positions], kind="stable")]
