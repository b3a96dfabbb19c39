"""REES46 multi-category store (Kaggle, mkechinov): a shop's log with brand, price and session.

Source: CSV files such as `2019-Oct.csv` with the columns `event_time, event_type, product_id,
category_id, category_code, brand, price, user_id, user_session` and the events `view`, `cart`,
`purchase` (`remove_from_cart` undoes an interaction and is skipped). Items are what the log names,
with the attributes and price last seen. Of a `category_code` such as `furniture.kitchen.table` the
whole is the category, its first part the department and its last the product type; a product
without a code has its `category_id` as category.
"""

from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow as pa

from stylerec.data.csv_files import CsvFile
from stylerec.data.readers.sources import (
    MALFORMED_ROW,
    ReadResult,
    find_file,
    nothing_read,
    usable_rows,
)
from stylerec.data.table_writer import TableWriter
from stylerec.data.text_values import parse_text
from stylerec.errors import DataError
from stylerec.schema.columns import (
    BRAND,
    CATEGORY,
    CUSTOMER_ID,
    DEPARTMENT,
    EVENT_TYPE,
    INTERACTIONS,
    ITEM_ID,
    ITEMS,
    PRICE,
    PRODUCT_TYPE,
    SESSION_ID,
    TIMESTAMP,
)
from stylerec.schema.events import EventType

_EVENT_TYPES = {
    "view": EventType.VIEW.value,
    "cart": EventType.ADD_TO_BAG.value,
    "purchase": EventType.PURCHASE.value,
}
_CATEGORY_ID, _CATEGORY_CODE = "category_id", "category_code"
_NAMES = {
    "event_time": TIMESTAMP,
    "event_type": EVENT_TYPE,
    "product_id": ITEM_ID,
    _CATEGORY_ID: _CATEGORY_ID,
    _CATEGORY_CODE: _CATEGORY_CODE,
    "brand": BRAND,
    "price": PRICE,
    "user_id": CUSTOMER_ID,
    "user_session": SESSION_ID,
}
_ITEM_COLUMNS = [ITEM_ID, BRAND, _CATEGORY_ID, _CATEGORY_CODE, PRICE]


def read(source: Path, output: Path) -> ReadResult:
    """Writes `interactions` and `items` from the log.

    Args:
        source: The CSV file, or the folder that holds it.
        output: Existing folder for the tables.

    Raises:
        DataError: The file is missing, unreadable, lacks a column, or holds no usable row.
    """
    path = find_file(source, "*.csv", preferred="events.csv")
    file = CsvFile(path)
    _refuse_missing_columns(file)
    skipped: Counter[str] = Counter()
    num_without_price = 0
    last_seen: dict[str, tuple[object, ...]] = {}
    columns = (CUSTOMER_ID, ITEM_ID, EVENT_TYPE, TIMESTAMP, SESSION_ID, PRICE)
    with TableWriter(output / f"{INTERACTIONS.name}.parquet", INTERACTIONS, columns) as writer:
        for cells in file.batches():
            events = _events(cells.select(list(_NAMES)).rename_columns(_NAMES), skipped)
            num_without_price += int(events[PRICE].isna().sum())
            writer.write(events)
            newest = events.drop_duplicates(ITEM_ID, keep="last")[_ITEM_COLUMNS]
            last_seen.update((row[0], row) for row in newest.itertuples(index=False, name=None))
    if file.malformed_rows:
        skipped[MALFORMED_ROW] = len(file.malformed_rows)
    if not last_seen:
        raise nothing_read(path, layout=", ".join(_NAMES))
    items = _items(pd.DataFrame(last_seen.values(), columns=_ITEM_COLUMNS))
    with TableWriter(output / f"{ITEMS.name}.parquet", ITEMS, items.columns) as writer:
        writer.write(items)
    notes = (
        (f"{num_without_price:,} events have no price, or none of 0 or more; it is left empty",)
        if num_without_price
        else ()
    )
    return ReadResult(skipped=dict(skipped), notes=notes)


def _refuse_missing_columns(file: CsvFile) -> None:
    missing = [name for name in _NAMES if name not in file.columns]
    if missing:
        raise DataError(
            f"{file.path}, column {missing[0]}",
            expected=f"the REES46 columns {', '.join(_NAMES)}",
            got=f"no {', '.join(missing)}",
            fix="check the file and the format's name",
        )


def _events(cells: pa.Table, skipped: Counter[str]) -> pd.DataFrame:
    rows = cells.to_pandas()
    rows[TIMESTAMP] = parse_text(cells[TIMESTAMP], "timestamp").values.to_pandas()
    price = parse_text(cells[PRICE], "float").values.to_pandas()
    rows[PRICE] = price.where(price >= 0)
    checks = {
        "no customer or item": rows[CUSTOMER_ID].notna() & rows[ITEM_ID].notna(),
        "event that is no view, cart or purchase": rows[EVENT_TYPE].isin(_EVENT_TYPES),
        "unreadable time": rows[TIMESTAMP].notna(),
    }
    events = usable_rows(rows, checks, skipped)
    return events.assign(**{EVENT_TYPE: events[EVENT_TYPE].map(_EVENT_TYPES)})


def _items(last_seen: pd.DataFrame) -> pd.DataFrame:
    code = last_seen[_CATEGORY_CODE].astype("string")
    parts = code.str.split(".")
    return pd.DataFrame(
        {
            ITEM_ID: last_seen[ITEM_ID],
            BRAND: last_seen[BRAND],
            CATEGORY: code.fillna(last_seen[_CATEGORY_ID]),
            PRODUCT_TYPE: parts.str[-1],
            DEPARTMENT: parts.str[0],
            PRICE: last_seen[PRICE],
        }
    )
