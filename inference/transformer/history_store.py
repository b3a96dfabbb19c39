"""Customers' histories in Feast's online store: read in requests, pushed as interactions come."""

import asyncio
import errno
import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import compress
from pathlib import Path
from weakref import WeakValueDictionary

import pandas as pd
from feast import FeatureStore, FeatureView
from feast.errors import FeastObjectNotFoundException, PushSourceNotFoundException
from feast.infra.online_stores.helpers import _redis_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from google.protobuf.message import DecodeError
from redis.exceptions import RedisError, ResponseError

from inference.feature_store.repository import open_store
from inference.transformer.interactions import Interaction, merge_interactions
from inference.transformer.seen_events import SeenEvents
from stylerec.errors import StackError
from stylerec.schema.columns import CUSTOMER_ID
from stylerec.schema.features import (
    CUSTOMER_HISTORY_FEATURES,
    CUSTOMER_HISTORY_PUSH_SOURCE,
    CUSTOMER_HISTORY_VIEW,
    EVENT_TIMESTAMP,
    HISTORY_EVENT_TYPES,
    HISTORY_ITEM_IDS,
    HISTORY_TIMESTAMPS_S,
    HISTORY_UPDATED_S,
)
from stylerec.serving.history import CustomerHistory
from stylerec.settings import Settings

# Encoding a long history takes a quarter of a millisecond, and requests wait for it.
_PUSHED_AT_ONCE = 16
# Nobody's id: requests hold at least one character.
_PROBE_CUSTOMER = ""
# Redis' own word for a key that holds something else than a hash.
_WRONG_TYPE = "WRONGTYPE"
# Python's own words for seconds beyond the year 9999.
_NO_DATE = "out of range"
_NEVER = datetime.fromtimestamp(0, UTC)
_Row = tuple[datetime | None, dict[str, Value] | None]
# The time is None where the stored value cannot be decoded.
_Stored = tuple[datetime | None, CustomerHistory | None]


class FeatureStoreUnavailableError(Exception):
    """The feature store did not take or give a history; says why, names no customer."""


class _UndecodableError(Exception):
    """A stored value is not what Feast wrote."""


class HistoryStore:
    """Reads and pushes histories through Feast; one instance per event loop.

    Args:
        settings: Where the feature store is.
        on_invalid: Called once per stored history that cannot be used.
    """

    def __init__(
        self, settings: Settings, *, on_invalid: Callable[[], None] = lambda: None
    ) -> None:
        self._settings = settings
        self._on_invalid = on_invalid
        self._store: FeatureStore | None = None
        self._view: FeatureView | None = None
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._seen_events = SeenEvents()

    def connect(self) -> None:
        """Reads the registered definitions; blocks, and may be called again after a failure.

        Raises:
            StackError: The definitions were never applied.
            ConfigError: The Feast configuration cannot be used.
        """
        store = open_store(self._settings, with_offline=False)
        registry = store.config.registry.path
        try:
            # Feast would write an empty registry where there is none.
            if "://" not in registry and not Path(registry).exists():
                raise FileNotFoundError(registry)
            self._view = store.get_feature_view(CUSTOMER_HISTORY_VIEW)
        except (OSError, FeastObjectNotFoundException, DecodeError) as error:
            raise StackError(
                "feature store",
                expected=f"a registered view {CUSTOMER_HISTORY_VIEW}",
                got=type(error).__name__,
                fix="run the pipeline's materialise step",
            ) from error
        self._store = store

    @property
    def is_connected(self) -> bool:
        """Whether the definitions have been read."""
        return self._store is not None

    async def read(
        self, customer_ids: Sequence[str], timeout_s: float
    ) -> dict[str, CustomerHistory]:
        """Returns the histories of the customers that are known.

        A stored value that cannot be decoded is absent and counted; lists that do not fit
        together are returned as they are and counted.

        Raises:
            TimeoutError: Feast did not answer in time.
            FeatureStoreUnavailableError: Feast failed.
        """
        distinct = list(dict.fromkeys(customer_ids))
        async with asyncio.timeout(timeout_s):
            rows = await self._read_stored(distinct)
        return {
            customer: history
            for customer, (_, history) in zip(distinct, rows, strict=True)
            if history is not None
        }

    async def push(self, interactions: Sequence[Interaction], timeout_s: float) -> list[bool]:
        """Stores interactions, so that the customer's next request sees them.

        Per customer the list is read, extended and written under a lock of this process. Two
        processes that take interactions of one customer in the same millisecond can lose one:
        route them by customer.

        Args:
            interactions: In any order.
            timeout_s: Longest wait for the store, per `_PUSHED_AT_ONCE` customers.

        Returns:
            Per interaction whether it was new; a repeat changes nothing.

        Raises:
            TimeoutError: Feast did not answer in time; some may be stored, sending all again is
                safe.
            FeatureStoreUnavailableError: Feast failed; likewise.
        """
        by_customer: dict[str, list[int]] = defaultdict(list)
        for position, interaction in enumerate(interactions):
            by_customer[interaction.customer_id].append(position)
        # One order of locking for all callers, so that they cannot wait for each other.
        customers = sorted(by_customer)
        is_new = [False] * len(interactions)
        for start in range(0, len(customers), _PUSHED_AT_ONCE):
            block = customers[start : start + _PUSHED_AT_ONCE]
            positions = [position for customer in block for position in by_customer[customer]]
            async with asyncio.timeout(timeout_s):
                flags = await self._push_block(block, [interactions[p] for p in positions])
            for position, flag in zip(positions, flags, strict=True):
                is_new[position] = flag
        return is_new

    async def _push_block(
        self, customers: list[str], interactions: Sequence[Interaction]
    ) -> list[bool]:
        """Stores the interactions of a few customers, which come customer by customer."""
        flags: list[bool] = []
        changed: list[dict[str, object]] = []
        async with AsyncExitStack() as stack:
            for customer in customers:
                lock = self._locks.setdefault(customer, asyncio.Lock())
                await stack.enter_async_context(lock)
            stored = await self._read_stored(customers)
            for customer, (event_time, history) in zip(customers, stored, strict=True):
                own = [one for one in interactions if one.customer_id == customer]
                is_first = self._seen_events.are_first(own)
                merged, is_merged = merge_interactions(
                    history if _is_consistent(history) else None,
                    list(compress(own, is_first)),
                    now_s=time.time(),
                )
                remaining = iter(is_merged)
                flags.extend(is_unseen and next(remaining) for is_unseen in is_first)
                if merged is not None:
                    changed.append(_pushed_row(customer, merged, event_time or _NEVER))
            rows = zip(customers, stored, strict=True)
            if garbage := [customer for customer, (event_time, _) in rows if event_time is None]:
                await self._delete(garbage)
            if changed:
                await self._push_rows(changed)
            self._seen_events.remember(interactions)
        return flags

    async def is_ready(self, timeout_s: float) -> bool:
        """Returns whether the store answers a read in time."""
        try:
            await self.read([_PROBE_CUSTOMER], timeout_s)
        except (TimeoutError, FeatureStoreUnavailableError):
            return False
        return True

    async def close(self) -> None:
        """Closes the connections to the online store."""
        if self._store is not None:
            await self._store.close()

    async def _read_stored(self, customer_ids: list[str]) -> list[_Stored]:
        """Returns event time and history of each customer, None where there is none."""
        try:
            rows: Sequence[_Row | None] = await self._online_read(customer_ids)
        except _UndecodableError:
            # One bad value fails Feast's whole read: find it by reading one customer at a time.
            rows = [await self._online_read_one(customer) for customer in customer_ids]
        return [self._stored(row) for row in rows]

    async def _online_read_one(self, customer_id: str) -> _Row | None:
        try:
            return (await self._online_read([customer_id]))[0]
        except _UndecodableError:
            return None

    async def _online_read(self, customer_ids: list[str]) -> Sequence[_Row]:
        store, view = self._connected()
        keys = [_entity_key(customer) for customer in customer_ids]
        try:
            # Half the time of get_online_features_async, which builds a response of columns
            # that would only be taken apart again. Feast appends to the list of features.
            rows: Sequence[_Row] = await store.provider.online_read_async(
                store.config, view, keys, list(CUSTOMER_HISTORY_FEATURES)
            )
        except (DecodeError, OverflowError, ValueError, RedisError, OSError) as error:
            if _is_garbage(error):
                raise _UndecodableError from error
            raise FeatureStoreUnavailableError(type(error).__name__) from error
        return rows

    def _stored(self, row: _Row | None) -> _Stored:
        if row is None:
            self._on_invalid()
            return None, None
        event_time, values = row
        # Feast reports a missing customer as a row of values that are not set.
        if not values or not any(value.WhichOneof("val") for value in values.values()):
            return _NEVER, None
        history = CustomerHistory(
            item_ids=tuple(values[HISTORY_ITEM_IDS].string_list_val.val),
            event_types=tuple(values[HISTORY_EVENT_TYPES].string_list_val.val),
            timestamps_s=tuple(values[HISTORY_TIMESTAMPS_S].int64_list_val.val),
            updated_s=values[HISTORY_UPDATED_S].double_val,
        )
        if not _is_consistent(history):
            self._on_invalid()
        return event_time or _NEVER, history

    async def _delete(self, customer_ids: list[str]) -> None:
        """Deletes what cannot be decoded: Feast reads the old time before it writes a row."""
        store, _ = self._connected()
        version = store.config.entity_key_serialization_version
        keys = [
            _redis_key(
                store.project, _entity_key(customer), entity_key_serialization_version=version
            )
            for customer in customer_ids
        ]
        try:
            # Feast itself deletes whole views only.
            online = store.provider.online_store
            client = await online._get_client_async(store.config.online_store)
            await client.delete(*keys)
        except (RedisError, OSError) as error:
            raise FeatureStoreUnavailableError(type(error).__name__) from error

    async def _push_rows(self, rows: list[dict[str, object]]) -> None:
        store, _ = self._connected()
        try:
            await store.push_async(CUSTOMER_HISTORY_PUSH_SOURCE, pd.DataFrame(rows))
        except (RedisError, OSError, DecodeError, PushSourceNotFoundException) as error:
            raise FeatureStoreUnavailableError(type(error).__name__) from error

    def _connected(self) -> tuple[FeatureStore, FeatureView]:
        if self._store is None or self._view is None:
            raise FeatureStoreUnavailableError("the feature definitions are not applied yet")
        return self._store, self._view


def _entity_key(customer_id: str) -> EntityKey:
    return EntityKey(join_keys=[CUSTOMER_ID], entity_values=[Value(string_val=customer_id)])


def _is_garbage(error: Exception) -> bool:
    """Whether Feast failed on the stored value: no protobuf, no date, or a key of another kind."""
    if isinstance(error, ResponseError):
        return _WRONG_TYPE in str(error)
    if isinstance(error, OSError):
        return error.errno == errno.EOVERFLOW
    is_no_date = isinstance(error, ValueError) and _NO_DATE in str(error)
    return is_no_date or isinstance(error, DecodeError | OverflowError)


def _is_consistent(history: CustomerHistory | None) -> bool:
    return history is None or (
        len(history.item_ids) == len(history.event_types) == len(history.timestamps_s)
        and math.isfinite(history.updated_s)
    )


def _pushed_row(customer_id: str, history: CustomerHistory, stored: datetime) -> dict[str, object]:
    # Redis keeps the later row: without this a clock behind the stored row's would lose the push.
    event_time = max(datetime.now(UTC), stored + timedelta(microseconds=1))
    return {
        CUSTOMER_ID: customer_id,
        HISTORY_ITEM_IDS: list(history.item_ids),
        HISTORY_EVENT_TYPES: list(history.event_types),
        HISTORY_TIMESTAMPS_S: list(history.timestamps_s),
        HISTORY_UPDATED_S: history.updated_s,
        EVENT_TIMESTAMP: event_time,
    }
