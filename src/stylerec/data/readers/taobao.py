"""Taobao UserBehavior (Alibaba Tianchi, data set 649): a shop's log without a catalogue.

Source: `UserBehavior.csv` without a header, `user,item,category,behaviour,unixtime` per row, with
behaviour `pv`, `fav`, `cart` or `buy`. Items are what the log names, with their category (the last
one seen where it changes). Copies of the file end in the middle of a row, and the original holds
times decades away: such rows are skipped and counted.
"""

from collections import Counter
from datetime import UTC, datetime
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
from stylerec.schema.columns import (
    CATEGORY,
    CUSTOMER_ID,
    EVENT_TYPE,
    INTERACTIONS,
    ITEM_ID,
    ITEMS,
    TIMESTAMP,
)
from stylerec.schema.events import EventType

_LAYOUT = "user,item,category,behaviour,unixtime"
_TIME = "unixtime"
_EVENT_TYPES = {
    "pv": EventType.VIEW.value,
    "fav": EventType.SAVE.value,
    "cart": EventType.ADD_TO_BAG.value,
    "buy": EventType.PURCHASE.value,
}
_FIRST_S = datetime(2017, 1, 1, tzinfo=UTC).timestamp()
_END_S = datetime(2018, 1, 1, tzinfo=UTC).timestamp()


def read(source: Path, output: Path) -> ReadResult:
    """Writes `interactions` and `items` from the log.

    Args:
        source: `UserBehavior.csv`, or the folder that holds it.
        output: Existing folder for the tables.

    Raises:
        DataError: The file is missing, unreadable, or holds no row of this layout.
    """
    path = find_file(source, "*.csv", preferred="UserBehavior.csv")
    file = CsvFile(path, column_names=(CUSTOMER_ID, ITEM_ID, CATEGORY, EVENT_TYPE, _TIME))
    skipped: Counter[str] = Counter()
    categories: dict[str, str | None] = {}
    columns = (CUSTOMER_ID, ITEM_ID, EVENT_TYPE, TIMESTAMP)
    with TableWriter(output / f"{INTERACTIONS.name}.parquet", INTERACTIONS, columns) as writer:
        for cells in file.batches():
            events = _events(cells, skipped)
            writer.write(events)
            categories.update(zip(events[ITEM_ID], events[CATEGORY], strict=True))
    if file.malformed_rows:
        skipped[MALFORMED_ROW] = len(file.malformed_rows)
    if not categories:
        raise nothing_read(path, layout=_LAYOUT)
    with TableWriter(output / f"{ITEMS.name}.parquet", ITEMS, (ITEM_ID, CATEGORY)) as writer:
        writer.write({ITEM_ID: list(categories), CATEGORY: list(categories.values())})
    return ReadResult(skipped=dict(skipped))


def _events(cells: pa.Table, skipped: Counter[str]) -> pd.DataFrame:
    rows = cells.to_pandas()
    rows[EVENT_TYPE] = rows[EVENT_TYPE].map(_EVENT_TYPES)
    rows[_TIME] = parse_text(cells[_TIME], "integer").values.to_pandas()
    checks = {
        "no user or item": rows[CUSTOMER_ID].notna() & rows[ITEM_ID].notna(),
        "unknown behaviour": rows[EVENT_TYPE].notna(),
        "no time in 2017, the year of the log": rows[_TIME].between(
            _FIRST_S, _END_S, inclusive="left"
        ),
    }
    events = usable_rows(rows, checks, skipped)
    return events.assign(**{TIMESTAMP: pd.to_datetime(events[_TIME], unit="s", utc=True)})
