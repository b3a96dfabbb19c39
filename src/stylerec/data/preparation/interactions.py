"""Runs the interaction queries and collects histories, popularity and neighbours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ibis.expr.types import Table as Expression
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.preparation import queries
from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.engine import Engine, fetch
from stylerec.data.preparation.mapped import mapped_array
from stylerec.errors import DataError
from stylerec.schema.columns import (
    CUSTOMER_ID,
    EVENT_ID,
    EVENT_TYPE,
    INTERACTIONS,
    MARKET,
    TIMESTAMP,
)
from stylerec.schema.events import EVENT_CODES, EventType

_FETCH_ROWS = 2_000_000
_HISTORY_TYPES: dict[str, type[np.generic]] = {
    "item_index": np.int32,
    "event_code": np.int8,
    "timestamp_s": np.int64,
}


@dataclass(frozen=True)
class InteractionLog:
    """The events of the histories, still in the engine.

    Attributes:
        events: What `queries.histories` returns.
        customers: `customer_id`, `customer_index` and more.
    """

    events: Expression
    customers: Expression


@dataclass(frozen=True)
class PreparedInteractions:
    """What the interactions table says.

    Attributes:
        histories: Every customer's events, oldest first, memory-mapped in the scratch folder.
        customers: `customer_id`, `market`, one row per history.
        popularity: `market` (null for all), `item_index`, `num_customers`.
        neighbours: `item_index`, `neighbour_index`, `score`, `position`.
        has_event_types: The file has event types.
        has_timestamps: The file has timestamps.
        dropped: Rows left out, by reason.
        log: The same events as tables; None without any.
    """

    histories: Histories
    customers: pd.DataFrame
    popularity: pd.DataFrame
    neighbours: pd.DataFrame
    has_event_types: bool
    has_timestamps: bool
    dropped: dict[str, int]
    log: InteractionLog | None

    @property
    def latest_timestamp_s(self) -> int:
        """Unix seconds of the newest event, 0 without timestamps or events."""
        return int(self.histories.timestamp_s.max()) if len(self.histories.timestamp_s) else 0


def prepare_interactions(
    engine: Engine,
    interactions: Expression,
    present: frozenset[str],
    item_index: Expression,
    config: PrepareConfig,
    *,
    scratch: Path,
    progress: Callable[[str], None],
) -> PreparedInteractions:
    """Returns the prepared interactions of a table.

    Args:
        engine: Where the queries run.
        interactions: Canonical columns plus `row`.
        present: Columns that the retailer's file has.
        item_index: `item_id`, `item_index` of the catalogue.
        config: Bounds.
        scratch: Folder for the memory-mapped histories.
        progress: Takes one line per step.

    Raises:
        DataError: No interaction names a known item.
    """
    events, dropped = _clean(engine, interactions, item_index, present)
    kept = engine.materialise(queries.newest_events(events, max_len=config.max_history_len))
    num_kept = _count(kept)
    dropped["interactions_beyond_max_history_len"] = _count(events) - num_kept
    if not num_kept:
        raise DataError(
            INTERACTIONS.name,
            expected="interactions with items of the items table",
            got=f"none in {sum(dropped.values()):,} rows",
            fix="check that both tables use the same item ids",
        )
    customers = engine.materialise(queries.with_customer_index(queries.customers(kept)))
    rows = engine.materialise(queries.histories(kept, customers))
    customer_frame = fetch(customers.order_by("customer_index"))
    progress(f"prepare: {num_kept:,} interactions of {len(customer_frame):,} customers")
    histories = _fetch_histories(rows, customer_frame["length"].to_numpy(), scratch)
    prepared = PreparedInteractions(
        histories=histories,
        customers=customer_frame[[CUSTOMER_ID, MARKET]],
        popularity=_popularity(rows, histories, config),
        neighbours=_neighbours(engine, rows, config),
        has_event_types=EVENT_TYPE in present,
        has_timestamps=TIMESTAMP in present,
        dropped={reason: number for reason, number in dropped.items() if number},
        log=InteractionLog(rows, customers),
    )
    progress(f"prepare: {len(prepared.neighbours):,} bought-together pairs")
    return prepared


def _clean(
    engine: Engine, interactions: Expression, item_index: Expression, present: frozenset[str]
) -> tuple[Expression, dict[str, int]]:
    """Returns usable events as a table, and how many rows each reason left out."""
    num_rows = _count(interactions)
    if EVENT_ID in present:
        interactions = engine.materialise(queries.without_repeated_events(interactions))
    num_distinct = _count(interactions)
    coded = engine.materialise(
        queries.coded_events(
            interactions,
            item_index,
            has_event_types=EVENT_TYPE in present,
            has_timestamps=TIMESTAMP in present,
        )
    )
    is_typed, is_timed = coded.event_code.notnull(), coded.timestamp_s.notnull()
    is_owned = coded[CUSTOMER_ID].notnull()
    dropped = {
        "interactions_with_repeated_event_id": num_rows - num_distinct,
        "interactions_with_unknown_items": num_distinct - _count(coded),
        "interactions_with_unknown_event_type": _count(coded.filter(~is_typed)),
        "interactions_without_timestamp": _count(coded.filter(is_typed & ~is_timed)),
        "interactions_without_customer": _count(coded.filter(is_typed & is_timed & ~is_owned)),
    }
    return coded.filter(is_typed & is_timed & is_owned), dropped


def _count(table: Expression) -> int:
    return int(table.count().to_pandas())


def _fetch_histories(rows: Expression, lengths: NDArray[np.int64], scratch: Path) -> Histories:
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    arrays = fetch_in_order(rows, offsets, _HISTORY_TYPES, scratch)
    return Histories(
        item_index=arrays["item_index"],
        event_type=arrays["event_code"],
        timestamp_s=arrays["timestamp_s"],
        offsets=offsets,
    )


def fetch_in_order(
    events: Expression,
    offsets: NDArray[np.int64],
    columns: Mapping[str, type[np.generic]],
    scratch: Path,
) -> dict[str, NDArray[Any]]:
    """Returns columns of the events in the order of the histories, memory-mapped in `scratch`.

    Args:
        events: With `customer_index` and `age_rank`.
        offsets: First event of each customer, `[num_customers + 1]`.
        columns: Name to type.
        scratch: Folder for the arrays; some customers are fetched at a time.
    """
    arrays = {
        name: mapped_array(scratch / f"{name}.npy", dtype, (int(offsets[-1]),))
        for name, dtype in columns.items()
    }
    first = 0
    while first < len(offsets) - 1:
        last = int(np.searchsorted(offsets, offsets[first] + _FETCH_ROWS, side="right")) - 1
        last = max(last, first + 1)
        chunk = events.filter((events.customer_index >= first) & (events.customer_index < last))
        chunk = chunk.order_by(["customer_index", chunk.age_rank.desc()])
        fetched = chunk.select(*arrays).to_pyarrow()
        for name, array in arrays.items():
            array[offsets[first] : offsets[last]] = fetched[name].to_numpy()
        first = last
    return arrays


def _popularity(rows: Expression, histories: Histories, config: PrepareConfig) -> pd.DataFrame:
    window_s = config.popularity_days * queries.SECONDS_PER_DAY
    since_s = int(histories.timestamp_s.max()) - window_s
    return fetch(queries.popularity(rows, since_s=since_s))


def _neighbours(engine: Engine, rows: Expression, config: PrepareConfig) -> pd.DataFrame:
    """Returns items bought by the same customers, or met by them where nothing was bought."""
    purchases = rows.filter(rows.event_code == EVENT_CODES[EventType.PURCHASE.value])
    groups = engine.materialise(
        queries.customer_groups(
            purchases if _count(purchases) else rows, max_items=config.neighbour_history_len
        )
    )
    return fetch(
        queries.neighbours(
            groups, num_neighbours=config.num_neighbours, shrinkage=config.neighbour_shrinkage
        )
    )


def no_interactions(*, popularity: pd.DataFrame, neighbours: pd.DataFrame) -> PreparedInteractions:
    """Returns the empty interactions of a retailer without any, with figures from elsewhere."""
    return PreparedInteractions(
        histories=Histories(
            item_index=np.zeros(0, np.int32),
            event_type=np.zeros(0, np.int8),
            timestamp_s=np.zeros(0, np.int64),
            offsets=np.zeros(1, np.int64),
        ),
        customers=pd.DataFrame({CUSTOMER_ID: [], MARKET: []}, dtype=object),
        popularity=popularity,
        neighbours=neighbours,
        has_event_types=False,
        has_timestamps=False,
        dropped={},
        log=None,
    )
