"""Fills the feature store from prepared data: offline files first, then Redis."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from feast import FeatureStore
from pydantic import BaseModel, ConfigDict
from redis.exceptions import RedisError

from inference.feature_store.offline import (
    HISTORY_SCHEMA,
    ITEM_SCHEMA,
    history_blocks,
    item_table,
    log_end,
    prepared_at,
)
from inference.feature_store.repository import apply_definitions, open_store
from stylerec.aside import written_file_aside
from stylerec.data.prepared import PreparedData
from stylerec.errors import DataError, StackError
from stylerec.schema.features import CUSTOMER_HISTORY_VIEW, ITEM_ATTRIBUTES_VIEW
from stylerec.settings import Settings

BLOCK_ROWS = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MaterialiseReport(BaseModel):
    """What was written.

    Attributes:
        num_customers: Histories offered to the online store; newer pushed ones were kept.
        num_items: Items whose attributes were offered.
        as_of: Time up to which the histories are complete (ISO 8601).
        seconds: Wall time of the whole step.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_customers: int
    num_items: int
    as_of: str
    seconds: float


def materialise(prepared: Path | PreparedData, settings: Settings) -> MaterialiseReport:
    """Writes the offline files, applies the definitions and fills the online store.

    Every history carries the end of the log as its event time, and Redis keeps the row with the
    later event time. So what a customer did after the log ended stays, and a newer log replaces
    what was pushed before it ended. `updated_s`, which serving checks against the ttl, is the
    time of the customer's newest interaction; without times in the log it is now.

    Args:
        prepared: What the `prepare` step wrote.
        settings: Where the feature store is.

    Returns:
        Counts and times.

    Raises:
        ConfigError: The Feast configuration cannot be used.
        DataError: The offline files cannot be written.
        StackError: Redis does not answer; the offline files are then already in place.
    """
    started = time.monotonic()
    data = prepared if isinstance(prepared, PreparedData) else PreparedData(prepared)
    store = open_store(settings, with_offline=False)
    as_of = log_end(data)
    blocks = history_blocks(data, as_of=as_of, now_s=time.time(), block=BLOCK_ROWS)
    items = item_table(data, as_of=prepared_at(data)).to_batches(BLOCK_ROWS)
    tables = {
        CUSTOMER_HISTORY_VIEW: (HISTORY_SCHEMA, blocks),
        ITEM_ATTRIBUTES_VIEW: (ITEM_SCHEMA, (pa.Table.from_batches([batch]) for batch in items)),
    }
    for view, (schema, rows) in tables.items():
        _write_offline(_offline_file(settings, view), schema, rows)
    try:
        apply_definitions(store, settings)
        written = {view: _fill_online(store, settings, view) for view in tables}
    except (RedisError, OSError) as error:
        raise StackError(
            f"redis {settings.redis_host}:{settings.redis_port}",
            expected="an online store that takes the features",
            got=type(error).__name__,
            fix="start Redis, or correct STYLEREC_REDIS_HOST and STYLEREC_REDIS_PORT",
        ) from error
    return MaterialiseReport(
        num_customers=written[CUSTOMER_HISTORY_VIEW],
        num_items=written[ITEM_ATTRIBUTES_VIEW],
        as_of=as_of.isoformat(),
        seconds=round(time.monotonic() - started, 3),
    )


def _offline_file(settings: Settings, view: str) -> Path:
    return settings.feast_workdir / f"{view}.parquet"


def _write_offline(path: Path, schema: pa.Schema, blocks: Iterable[pa.Table]) -> None:
    fix = "free some space or set STYLEREC_FEAST_WORKDIR; what was there is untouched"
    with (
        written_file_aside(path, error=DataError, fix=fix) as aside,
        pq.ParquetWriter(aside, schema) as writer,
    ):
        for block in blocks:
            writer.write_table(block)


def _fill_online(store: FeatureStore, settings: Settings, view: str) -> int:
    """Writes an offline file to the online store by blocks; returns its number of rows."""
    # Feast's own materialize() takes twice as long and holds the whole file in memory.
    count = 0
    with pq.ParquetFile(_offline_file(settings, view)) as file:
        for batch in file.iter_batches(BLOCK_ROWS):
            store.write_to_online_store(view, df=batch.to_pandas())
            count += batch.num_rows
    feature_view = store.get_feature_view(view)
    store.registry.apply_materialization(feature_view, store.project, _EPOCH, datetime.now(UTC))
    return count
