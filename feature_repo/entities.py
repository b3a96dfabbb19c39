"""Who features belong to: customers and items, both keyed by the retailer's own string ids."""

from feast import Entity, ValueType

from stylerec.schema.columns import CUSTOMER_ID, ITEM_ID
from stylerec.schema.features import CUSTOMER_ENTITY, ITEM_ENTITY

customer = Entity(
    name=CUSTOMER_ENTITY,
    join_keys=[CUSTOMER_ID],
    value_type=ValueType.STRING,
    description="A customer of the retailer.",
)

item = Entity(
    name=ITEM_ENTITY,
    join_keys=[ITEM_ID],
    value_type=ValueType.STRING,
    description="An item of the catalogue.",
)
