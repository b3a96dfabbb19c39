"""The newest interactions of each customer, pushed as they happen and backfilled in batch."""

from datetime import timedelta

from entities import customer
from feast import FeatureView, Field, FileSource, PushSource
from feast.types import Array, Float64, Int64, String

from stylerec.schema.features import (
    CUSTOMER_HISTORY_PUSH_SOURCE,
    CUSTOMER_HISTORY_VIEW,
    EVENT_TIMESTAMP,
    HISTORY_EVENT_TYPES,
    HISTORY_ITEM_IDS,
    HISTORY_TIMESTAMPS_S,
    HISTORY_UPDATED_S,
)

customer_history_file = FileSource(
    name="customer_history_file",
    path=f"{CUSTOMER_HISTORY_VIEW}.parquet",
    timestamp_field=EVENT_TIMESTAMP,
)

customer_history_push = PushSource(
    name=CUSTOMER_HISTORY_PUSH_SOURCE,
    batch_source=customer_history_file,
)

customer_history = FeatureView(
    name=CUSTOMER_HISTORY_VIEW,
    entities=[customer],
    # Three lists of one length, oldest interaction first.
    schema=[
        Field(name=HISTORY_ITEM_IDS, dtype=Array(String)),
        Field(name=HISTORY_EVENT_TYPES, dtype=Array(String)),
        Field(name=HISTORY_TIMESTAMPS_S, dtype=Array(Int64)),
        Field(name=HISTORY_UPDATED_S, dtype=Float64),
    ],
    source=customer_history_push,
    # Feast does not enforce a ttl online; the touchpoint contract's is checked where it is used.
    ttl=timedelta(0),
)
