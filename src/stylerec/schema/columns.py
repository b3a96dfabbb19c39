"""Every column of every canonical table: its type, whether it must exist, and what it may hold."""

from dataclasses import dataclass
from typing import Literal

from stylerec.schema.events import EventType

ColumnKind = Literal["string", "float", "integer", "boolean", "timestamp", "string_list"]


@dataclass(frozen=True)
class Column:
    """One column of a canonical table.

    Attributes:
        name: Column name in parquet and CSV.
        kind: Logical type; a CSV is parsed to it, a parquet file must already hold it.
        is_required: The table is refused without it.
        is_nullable: Empty cells are allowed.
        is_unique: A repeated value refuses the table.
        minimum: Smallest allowed number.
        maximum: Largest allowed number.
        allowed: The only values the column may hold, empty for no restriction.
        is_past: A time later than now refuses the table.
    """

    name: str
    kind: ColumnKind
    is_required: bool = True
    is_nullable: bool = False
    is_unique: bool = False
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    is_past: bool = False


@dataclass(frozen=True)
class Table:
    """A canonical table.

    Attributes:
        name: File stem.
        columns: Every column it may hold.
        key: Columns that identify a row; a repeat refuses the table.
        is_required: A retailer must have it.
        required_unless: Table that makes up for a missing required one.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    is_required: bool = False
    required_unless: str | None = None

    def column(self, name: str) -> Column:
        """Returns the column called `name`.

        Raises:
            KeyError: The table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")


CUSTOMER_ID = "customer_id"
ITEM_ID = "item_id"
EVENT_TYPE = "event_type"
TIMESTAMP = "timestamp"
SESSION_ID = "session_id"
TOUCHPOINT = "touchpoint"
POSITION = "position"
MARKET = "market"
PRICE = "price"
EVENT_ID = "event_id"
TITLE = "title"
DESCRIPTION = "description"
BRAND = "brand"
CATEGORY = "category"
PRODUCT_TYPE = "product_type"
DEPARTMENT = "department"
COLOUR = "colour"
SALE_PRICE = "sale_price"
IN_STOCK = "in_stock"
FIRST_SEEN = "first_seen"
IMAGE_PATH = "image_path"
MARKETS = "markets"
ATTRIBUTES = "attributes"
OUTFIT_ID = "outfit_id"
IS_HERO = "is_hero"
REQUEST_ID = "request_id"
PROPENSITY = "propensity"
CLICKED = "clicked"


def _optional(
    name: str,
    kind: ColumnKind,
    *,
    is_unique: bool = False,
    minimum: float | None = None,
    maximum: float | None = None,
) -> Column:
    return Column(
        name,
        kind,
        is_required=False,
        is_nullable=True,
        is_unique=is_unique,
        minimum=minimum,
        maximum=maximum,
    )


INTERACTIONS = Table(
    "interactions",
    (
        Column(CUSTOMER_ID, "string"),
        Column(ITEM_ID, "string"),
        # A log may lack these two: prepare then leaves their branch out and says so.
        Column(
            EVENT_TYPE,
            "string",
            is_required=False,
            allowed=tuple(event.value for event in EventType),
        ),
        Column(TIMESTAMP, "timestamp", is_required=False, is_past=True),
        _optional(SESSION_ID, "string"),
        _optional(TOUCHPOINT, "string"),
        _optional(POSITION, "integer", minimum=0),
        _optional(MARKET, "string"),
        _optional(PRICE, "float", minimum=0.0),
        _optional(EVENT_ID, "string", is_unique=True),
    ),
    is_required=True,
    # Outfits alone still train the outfit model; an interactions file that is there but empty
    # is refused all the same.
    required_unless="outfits",
)

ITEMS = Table(
    "items",
    (
        Column(ITEM_ID, "string", is_unique=True),
        _optional(TITLE, "string"),
        _optional(DESCRIPTION, "string"),
        _optional(BRAND, "string"),
        _optional(CATEGORY, "string"),
        _optional(PRODUCT_TYPE, "string"),
        _optional(DEPARTMENT, "string"),
        _optional(COLOUR, "string"),
        _optional(PRICE, "float", minimum=0.0),
        _optional(SALE_PRICE, "float", minimum=0.0),
        _optional(IN_STOCK, "boolean"),
        _optional(FIRST_SEEN, "timestamp"),
        _optional(IMAGE_PATH, "string"),
        _optional(MARKETS, "string_list"),
        _optional(ATTRIBUTES, "string_list"),
    ),
    key=(ITEM_ID,),
    is_required=True,
)

OUTFITS = Table(
    "outfits",
    (
        Column(OUTFIT_ID, "string"),
        Column(ITEM_ID, "string"),
        Column(IS_HERO, "boolean", is_required=False),
    ),
    key=(OUTFIT_ID, ITEM_ID),
)

IMPRESSIONS = Table(
    "impressions",
    (
        Column(REQUEST_ID, "string"),
        Column(CUSTOMER_ID, "string"),
        Column(TOUCHPOINT, "string"),
        Column(ITEM_ID, "string"),
        Column(POSITION, "integer", minimum=0),
        _optional(PROPENSITY, "float", minimum=0.0, maximum=1.0),
        Column(CLICKED, "boolean"),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table for table in (INTERACTIONS, ITEMS, OUTFITS, IMPRESSIONS)
}

CATEGORICAL_ITEM_COLUMNS = (BRAND, CATEGORY, PRODUCT_TYPE, DEPARTMENT, COLOUR)
"""Item columns that become categorical model inputs, in the order of their tensor columns."""
