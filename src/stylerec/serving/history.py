"""A customer's interactions as the feature store returns them, made safe for the models."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stylerec.features.assemble import NO_TIMESTAMP_S, SECONDS_PER_DAY
from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.events import EVENT_CODES, PADDING_EVENT_CODE, EventType
from stylerec.schema.tensors import UNKNOWN_INDEX
from stylerec.serving.reasons import FallbackReason


@dataclass(frozen=True)
class CustomerHistory:
    """What the feature store knows about one customer, oldest interaction first.

    Attributes:
        item_ids: Items, in the retailer's ids.
        event_types: Event type of each interaction.
        timestamps_s: Unix seconds of each interaction, 0 where the log has no times.
        updated_s: Unix time of the last change.
    """

    item_ids: tuple[str, ...]
    event_types: tuple[str, ...]
    timestamps_s: tuple[int, ...]
    updated_s: float


class HistoryReader(Protocol):
    """Whoever reads histories from the online store."""

    async def read(
        self, customer_ids: Sequence[str], timeout_s: float
    ) -> dict[str, CustomerHistory]:
        """Returns the customers that are known; any exception means the store is unavailable."""
        ...


@dataclass(frozen=True)
class KnownHistory:
    """The usable part of a history, in indices. n interactions, oldest first.

    Attributes:
        item_index: int64 `[n]`, all of them items of the release.
        event_type: int64 `[n]`, codes of `schema.events.EVENT_CODES`.
        timestamp_s: int64 `[n]`, 0 where the log has no times.
        age_s: Seconds since the last change; None if nothing was read.
        absent: Why there is nothing usable; None if there is something.
        num_dropped: Interactions left out: an item or an event type that the release lacks.
    """

    item_index: NDArray[np.int64]
    event_type: NDArray[np.int64]
    timestamp_s: NDArray[np.int64]
    age_s: float | None = None
    absent: FallbackReason | None = None
    num_dropped: int = 0

    @property
    def length(self) -> int:
        """Usable interactions."""
        return len(self.item_index)

    def newest(self, count: int, *, event: EventType | None = None) -> NDArray[np.int64]:
        """Returns at most `count` distinct items, newest first, optionally of one event type."""
        items = self.item_index
        if event is not None:
            items = items[self.event_type == EVENT_CODES[event]]
        reversed_items = items[::-1]
        _, first = np.unique(reversed_items, return_index=True)
        return reversed_items[np.sort(first)[:count]]


def absent_history(
    reason: FallbackReason, *, age_s: float | None = None, num_dropped: int = 0
) -> KnownHistory:
    """Returns an empty history and why it is empty."""
    none = np.zeros(0, dtype=np.int64)
    return KnownHistory(none, none, none, age_s=age_s, absent=reason, num_dropped=num_dropped)


def known_history(
    history: CustomerHistory | None,
    *,
    vocabulary: Vocabulary,
    now_s: float,
    ttl_days: float,
    has_timestamps: bool = True,
) -> KnownHistory:
    """Returns the part of a history that models can take.

    Args:
        history: As read; None for a customer nobody knows.
        vocabulary: Items of the release; other items are dropped, as in training.
        now_s: Unix time.
        ttl_days: An older history is absent, with its age.
        has_timestamps: False for a release trained without times: they are then set to 0, as the
            models have never seen an age.
    """
    if history is None:
        return absent_history(FallbackReason.NO_HISTORY)
    age_s = max(0.0, now_s - history.updated_s)
    if age_s > ttl_days * SECONDS_PER_DAY:
        return absent_history(FallbackReason.STALE_HISTORY, age_s=age_s)
    try:
        item, event, time = _arrays(history, vocabulary)
    except (TypeError, ValueError, OverflowError):
        return absent_history(FallbackReason.HISTORY_INVALID)
    num_read = len(item)
    is_usable = (item > UNKNOWN_INDEX) & (event != PADDING_EVENT_CODE)
    num_dropped = num_read - int(is_usable.sum())
    if num_dropped == num_read:
        return absent_history(FallbackReason.NO_HISTORY, age_s=age_s, num_dropped=num_dropped)
    item, event, time = item[is_usable], event[is_usable], time[is_usable]
    # Events may reach the store out of order; a stable sort keeps a log without times as it is.
    order = np.argsort(time, kind="stable")
    return KnownHistory(
        item_index=item[order],
        event_type=event[order],
        timestamp_s=time[order] if has_timestamps else np.full_like(time, NO_TIMESTAMP_S),
        age_s=age_s,
        num_dropped=num_dropped,
    )


def _arrays(
    history: CustomerHistory, vocabulary: Vocabulary
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Returns items, event codes and times; whatever does not fit together raises."""
    item = vocabulary.encode_items(history.item_ids)
    event = np.fromiter(
        (EVENT_CODES.get(name, PADDING_EVENT_CODE) for name in history.event_types), dtype=np.int64
    )
    time = np.asarray(history.timestamps_s, dtype=np.int64)
    if (
        time.shape != item.shape
        or event.shape != item.shape
        or not math.isfinite(history.updated_s)
    ):
        raise ValueError("history: expected as many event types and timestamps as items")
    return item, event, time
