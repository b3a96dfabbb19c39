"""Names and sizes of the online features, shared by Feast's definitions and its readers."""

CUSTOMER_HISTORY_VIEW = "customer_history"
CUSTOMER_HISTORY_PUSH_SOURCE = "customer_history_push"
CUSTOMER_ENTITY = "customer"
HISTORY_ITEM_IDS = "item_ids"
HISTORY_EVENT_TYPES = "event_types"
HISTORY_TIMESTAMPS_S = "timestamps_s"
HISTORY_UPDATED_S = "updated_s"
CUSTOMER_HISTORY_FEATURES = (
    HISTORY_ITEM_IDS,
    HISTORY_EVENT_TYPES,
    HISTORY_TIMESTAMPS_S,
    HISTORY_UPDATED_S,
)

ITEM_ATTRIBUTES_VIEW = "item_attributes"
ITEM_ENTITY = "item"
ITEM_ATTRIBUTE_FEATURES = (
    "category",
    "product_type",
    "department",
    "price",
    "sale_price",
    "in_stock",
)

EVENT_TIMESTAMP = "event_timestamp"
MAX_STORED_HISTORY = 200
"""Interactions kept per customer online; models read their own, shorter, `max_len` of them."""

FEATURE_SERVICES = {"ranking": "ranking_v1", "next_item": "next_item_v1", "outfit": "outfit_v1"}
