"""What changes about an item between releases: price, stock, and where it is filed."""

from datetime import timedelta

from entities import item
from feast import FeatureView, Field, FileSource
from feast.types import Bool, Float64, String

from stylerec.schema.columns import IN_STOCK, PRICE, SALE_PRICE
from stylerec.schema.features import (
    EVENT_TIMESTAMP,
    ITEM_ATTRIBUTE_FEATURES,
    ITEM_ATTRIBUTES_VIEW,
)

_TYPES = {PRICE: Float64, SALE_PRICE: Float64, IN_STOCK: Bool}

item_attributes_file = FileSource(
    name="item_attributes_file",
    path=f"{ITEM_ATTRIBUTES_VIEW}.parquet",
    timestamp_field=EVENT_TIMESTAMP,
)

item_attributes = FeatureView(
    name=ITEM_ATTRIBUTES_VIEW,
    entities=[item],
    schema=[
        Field(name=feature, dtype=_TYPES.get(feature, String))
        for feature in ITEM_ATTRIBUTE_FEATURES
    ],
    source=item_attributes_file,
    ttl=timedelta(0),
)
