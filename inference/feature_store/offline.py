"""Prepared data as the rows of Feast's offline store, built block by block.

C customers, n interactions of all customers in a block.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.schema.columns import CUSTOMER_ID, IN_STOCK, ITEM_ID, PRICE, SALE_PRICE
from stylerec.schema.events import EVENT_CODES
from stylerec.schema.features import (
    EVENT_TIMESTAMP,
    HISTORY_EVENT_TYPES,
    HISTORY_ITEM_IDS,
    HISTORY_TIMESTAMPS_S,
    HISTORY_UPDATED_S,
    ITEM_ATTRIBUTE_FEATURES,
    MAX_STORED_HISTORY,
)
from stylerec.schema.tensors import FIRST_ITEM_INDEX

_UTC_MICROSECONDS = pa.timestamp("us", tz="UTC")
_ATTRIBUTE_TYPES = {PRICE: pa.float64(), SALE_PRICE: pa.float64(), IN_STOCK: pa.bool_()}

HISTORY_SCHEMA = pa.schema(
    [
        (CUSTOMER_ID, pa.string()),
        (HISTORY_ITEM_IDS, pa.list_(pa.string())),
        (HISTORY_EVENT_TYPES, pa.list_(pa.string())),
        (HISTORY_TIMESTAMPS_S, pa.list_(pa.int64())),
        (HISTORY_UPDATED_S, pa.float64()),
        (EVENT_TIMESTAMP, _UTC_MICROSECONDS),
    ]
)
ITEM_SCHEMA = pa.schema(
    [
        (ITEM_ID, pa.string()),
        *((name, _ATTRIBUTE_TYPES.get(name, pa.string())) for name in ITEM_ATTRIBUTE_FEATURES),
        (EVENT_TIMESTAMP, _UTC_MICROSECONDS),
    ]
)


def history_blocks(
    prepared: PreparedData, *, as_of: datetime, now_s: float, block: int
) -> Iterator[pa.Table]:
    """Yields the newest `MAX_STORED_HISTORY` interactions of all customers.

    Args:
        prepared: Histories, customers and vocabulary.
        as_of: `event_timestamp` of every row.
        now_s: `updated_s` of customers whose interactions have no times; else it is the time of
            their newest interaction.
        block: Customers per yielded table, which bounds the memory used.

    Yields:
        Tables of `HISTORY_SCHEMA`; customers without a known item are left out.
    """
    histories = prepared.histories
    customer_ids = pa.array(prepared.customers[CUSTOMER_ID], pa.string())
    item_ids = pa.array(prepared.vocabulary.item_ids, pa.string())
    event_types = pa.array(list(EVENT_CODES), pa.string())
    for start in range(0, histories.num_customers, block):
        stop = min(start + block, histories.num_customers)
        source, lengths = _newest(histories, start, stop)
        kept = np.flatnonzero(lengths)
        if not len(kept):
            continue
        ends = np.cumsum(lengths[kept])
        offsets = pa.array(np.concatenate([[0], ends]), pa.int32())
        time = np.asarray(histories.timestamp_s[source], dtype=np.int64)
        newest = np.maximum.reduceat(time, ends - lengths[kept])
        items = item_ids.take(pa.array(histories.item_index[source] - FIRST_ITEM_INDEX))
        events = event_types.take(pa.array(histories.event_type[source] - 1))
        columns = [
            customer_ids.take(pa.array(kept + start)),
            pa.ListArray.from_arrays(offsets, items),
            pa.ListArray.from_arrays(offsets, events),
            pa.ListArray.from_arrays(offsets, pa.array(time)),
            pa.array(np.where(newest > 0, newest, now_s)),
            pa.array([as_of] * len(kept), _UTC_MICROSECONDS),
        ]
        yield pa.Table.from_arrays(columns, schema=HISTORY_SCHEMA)


def item_table(prepared: PreparedData, *, as_of: datetime) -> pa.Table:
    """Returns the attributes of all items as of one time; what the retailer lacks is null."""
    columns = [ITEM_ID, *ITEM_ATTRIBUTE_FEATURES]
    items = prepared.items.reindex(columns=columns).assign(**{EVENT_TIMESTAMP: as_of})
    return pa.Table.from_pandas(items, schema=ITEM_SCHEMA, preserve_index=False)


def log_end(prepared: PreparedData) -> datetime:
    """Returns the time up to which the interactions are complete.

    A log without times is taken to be complete when it was prepared.
    """
    summary = prepared.summary
    if summary.has_timestamps:
        return datetime.fromtimestamp(summary.latest_timestamp_s, UTC)
    return prepared_at(prepared)


def prepared_at(prepared: PreparedData) -> datetime:
    """Returns when the data was prepared."""
    return datetime.fromtimestamp((prepared.folder / "dataset.json").stat().st_mtime, UTC)


def _newest(
    histories: Histories, start: int, stop: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns positions of the newest interactions of customers start to stop, and counts `[C]`.

    Positions are `[n]`, each customer's oldest first. Interactions whose item is unknown are not
    counted.
    """
    bounds = np.asarray(histories.offsets[start : stop + 1])
    position = np.arange(bounds[0], bounds[-1])
    owner = np.repeat(np.arange(stop - start), np.diff(bounds))
    is_known = np.asarray(histories.item_index[bounds[0] : bounds[-1]]) >= FIRST_ITEM_INDEX
    position, owner = position[is_known], owner[is_known]
    counts = np.bincount(owner, minlength=stop - start)
    rank_from_newest = np.cumsum(counts)[owner] - 1 - np.arange(len(position))
    is_kept = rank_from_newest < MAX_STORED_HISTORY
    return position[is_kept], np.minimum(counts, MAX_STORED_HISTORY)
