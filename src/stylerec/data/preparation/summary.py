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
    markets: Sequence[str],
    dropped: dict[str, int],
) -> DatasetSummary:
    """Returns the summary, every missing piece under `omitted` with its reason."""
    has_interactions = interactions.histories.num_customers > 0
    has_prices = any(value is not None for value in column_values(items, PRICE))
    no_interactions = "there is no interactions table"
    reasons = {
        RANKING: "" if has_interactions else no_interactions,
        NEXT_ITEM: "" if has_interactions else no_interactions,
        OUTFIT: "" if len(outfits) else "there is no outfit of two or more known items",
        "event_types": ""
        if interactions.has_event_types
        else f"interactions have no event_type; each counts as {DEFAULT_EVENT_TYPE.value}"
        if has_interactions
        else no_interactions,
        "time_gaps": ""
        if interactions.has_timestamps
        else "interactions have no timestamp; their order in the file is the time order"
        if has_interactions
        else no_interactions,
        "markets": "" if markets else "neither interactions nor items name a market",
        "prices": "" if has_prices else "no item has a price",
        "pictures": "" if has_images else "no item has a readable picture",
        "content": "" if has_content else "items have no text or category in common",
    }
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
        omitted={branch: reason for branch, reason in reasons.items() if reason},
    )
