"""Outfits for a request: its candidates, its customer and the release's style embeddings."""

from collections.abc import Sequence

from stylerec.serving.candidates import CandidateSet
from stylerec.serving.outfit_search import FoundOutfit, search_outfits
from stylerec.serving.resolved import ResolvedRequest
from stylerec.serving.scoring import history_items
from stylerec.serving.style_index import Slot, StyleIndex


def generate_outfits(
    resolved: ResolvedRequest, style: StyleIndex, sets: Sequence[CandidateSet], *, max_len: int
) -> list[FoundOutfit]:
    """Returns at most `limit` outfits of one item per set, as different as the contract asks for.

    Args:
        resolved: Hero, history and rules.
        style: The release's style embeddings.
        sets: Eligible items of each slot, none of them the hero; sets of one product type hold the
            same items.
        max_len: Interactions that stand for the customer, as in the outfit model.
    """
    rules = resolved.rules.outfit
    assert rules is not None  # the contract's cross-field check
    hero_D, customer_D = style.start(
        resolved.hero,
        history_items(resolved, max_len=max_len),
        customer_weight=resolved.customer_weight,
    )
    start_D = hero_D + customer_D
    slots: dict[str, Slot] = {}
    for found in sets:
        if found.rule not in slots:
            slot = style.slot(found.items)
            slots[found.rule] = slot.nearest(start_D, rules.candidates_per_slot)
    return search_outfits(
        start_D,
        [slots[found.rule] for found in sets],
        count=resolved.request.limit,
        beam_width=rules.beam_width,
        max_shared_items=rules.max_shared_items,
    )
