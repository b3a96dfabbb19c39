"""What a data set holds, what was left out of it, and which branches it cannot feed."""

from collections.abc import Sequence

import pandas as pd

from stylerec.data.preparation.interactions import PreparedInteractions
from stylerec.data.prepared import DatasetSummary
from stylerec.features.content import column_values
from stylerec.schema.columns import OUTFIT_ID, PRICE
from stylerec.schema.events import DEFAULT_EVENT_TYPE
from stylerec.schema.tensors import NEXT_ITEM, OUTFIT, RANKING


def summarise(
    *,
    items: pd.DataFrame,
    interactions: PreparedInteractions,
    outfits: pd.DataFrame,
    has_images: bool,
    has_content: bool,
    missing_propensities: str,
    markets: Sequence[str],
    dropped: dict[str, int],
) -> DatasetSummary:
    """Returns the summary, every missing piece under `omitted` with its reason."""
    has_prices = any(value is not None for value in column_values(items, PRICE))
    omitted = _missing_histories(interactions)
    if not len(outfits):
        omitted[OUTFIT] = "there is no outfit of two or more known items"
    if not markets:
        omitted["markets"] = "neither interactions nor items name a market"
    if not has_prices:
        omitted["prices"] = "no item has a price"
    if not has_images:
        omitted["pictures"] = "no item has a readable picture"
    if not has_content:
        omitted["content"] = "items have no text or category in common"
    if missing_propensities:
        omitted["position_bias"] = missing_propensities
    return DatasetSummary(
        num_customers=interactions.histories.num_customers,
        num_items=len(items),
        num_interactions=len(interactions.histories.item_index),
        num_outfits=int(outfits[OUTFIT_ID].nunique()),
        has_timestamps=interactions.has_timestamps,
        has_event_types=interactions.has_event_types,
        has_outfits=len(outfits) > 0,
        has_images=has_images,
        has_prices=has_prices,
        markets=tuple(markets),
        latest_timestamp_s=interactions.latest_timestamp_s,
        dropped=dropped,
        omitted=omitted,
    )


def _missing_histories(interactions: PreparedInteractions) -> dict[str, str]:
    """Returns the branches that the interactions cannot feed, with reasons."""
    if not interactions.histories.num_customers:
        branches = (RANKING, NEXT_ITEM, "event_types", "time_gaps")
        return dict.fromkeys(branches, "there is no interactions table")
    omitted = {}
    if not interactions.has_event_types:
        default = DEFAULT_EVENT_TYPE.value
        omitted["event_types"] = f"interactions have no event_type; each counts as {default}"
    if not interactions.has_timestamps:
        omitted["time_gaps"] = (
            "interactions have no timestamp; their order in the file is the time order"
        )
    return omitted
