"""Posted interactions: checked field by field, and merged into a customer's stored history."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from stylerec.errors import RequestError
from stylerec.schema.columns import CUSTOMER_ID, EVENT_ID, EVENT_TYPE, ITEM_ID, TIMESTAMP
from stylerec.schema.events import EventType
from stylerec.schema.features import MAX_STORED_HISTORY
from stylerec.serving.history import CustomerHistory
from stylerec.serving.request_fields import mapping, shown, text

MAX_INTERACTIONS = 1_000
MAX_CLOCK_SKEW_S = 60
_EARLIEST_S = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_FIELDS = (CUSTOMER_ID, ITEM_ID, EVENT_TYPE, TIMESTAMP, EVENT_ID)
_BODY_FIX = 'send {"instances": [{"customer_id": ..., "item_id": ..., "event_type": ...}]}'


@dataclass(frozen=True)
class Interaction:
    """One action of a customer.

    Attributes:
        customer_id: Who.
        item_id: On which item; it need not be known to the current release.
        event_type: What.
        timestamp_s: When, in unix seconds.
        event_id: The caller's id of this event; a repeat of it is not stored twice.
    """

    customer_id: str
    item_id: str
    event_type: EventType
    timestamp_s: int
    event_id: str | None = None


def parse_interactions(payload: object, *, now_s: float) -> list[Interaction]:
    """Returns the interactions of a V1 body, `{"instances": [...]}`.

    Raises:
        RequestError: Anything wrong; `where` is the field, such as `instances[2].event_type`.
    """
    body = mapping(payload, "body", fix=_BODY_FIX)
    _refuse_unknown(body, ("instances",), "")
    instances = body.get("instances")
    if not isinstance(instances, list) or not 1 <= len(instances) <= MAX_INTERACTIONS:
        raise RequestError(
            "instances",
            expected=f"a list of 1 to {MAX_INTERACTIONS} interactions",
            got="none" if instances is None else shown(instances),
            fix=_BODY_FIX,
        )
    return [
        _parse_interaction(instance, f"instances[{position}]", now_s)
        for position, instance in enumerate(instances)
    ]


def merge_interactions(
    history: CustomerHistory | None, interactions: Sequence[Interaction], *, now_s: float
) -> tuple[CustomerHistory | None, list[bool]]:
    """Returns a customer's history with `interactions` in it, and which of them were new.

    The result is in time order and holds the newest `MAX_STORED_HISTORY`. An interaction with the
    item, event type and second of a stored one is the same interaction.

    Args:
        history: As stored; None for a new customer.
        interactions: All of this customer.
        now_s: `updated_s` of the result.

    Returns:
        The new history, None if it is as it was; and per interaction whether it was new.
    """
    rows: list[tuple[int, str, str]] = []
    if history is not None:
        rows = list(zip(history.timestamps_s, history.item_ids, history.event_types, strict=True))
    stored, is_new = set(rows), []
    for interaction in interactions:
        row = (interaction.timestamp_s, interaction.item_id, interaction.event_type.value)
        is_new.append(row not in stored)
        if row not in stored:
            stored.add(row)
            rows.insert(bisect_right(rows, row[0], key=lambda other: other[0]), row)
    rows = rows[-MAX_STORED_HISTORY:]
    if not any(is_new):
        return None, is_new
    times, items, events = zip(*rows, strict=True)
    return CustomerHistory(items, events, times, now_s), is_new


def _parse_interaction(instance: object, where: str, now_s: float) -> Interaction:
    given = mapping(instance, where, fix='send an object such as {"customer_id": ..., ...}')
    fields = {name: value for name, value in given.items() if value is not None}
    _refuse_unknown(fields, _FIELDS, f"{where}.")
    event_type = _required_text(fields, EVENT_TYPE, where)
    if event_type not in tuple(EventType):
        raise RequestError(
            f"{where}.{EVENT_TYPE}",
            expected=f"one of {', '.join(EventType)}",
            got=shown(event_type),
            fix="check the spelling",
        )
    return Interaction(
        customer_id=_required_text(fields, CUSTOMER_ID, where),
        item_id=_required_text(fields, ITEM_ID, where),
        event_type=EventType(event_type),
        timestamp_s=_timestamp_s(fields.get(TIMESTAMP), f"{where}.{TIMESTAMP}", now_s),
        event_id=text(fields[EVENT_ID], f"{where}.{EVENT_ID}") if EVENT_ID in fields else None,
    )


def _required_text(fields: dict[str, object], name: str, where: str) -> str:
    if not isinstance(fields.get(name), str):
        # The value itself stays out of the message: it may be a customer's id.
        got = type(fields[name]).__name__ if name in fields else "nothing"
        raise RequestError(f"{where}.{name}", expected="text", got=got, fix="send a JSON string")
    return text(fields[name], f"{where}.{name}")


def _timestamp_s(value: object, where: str, now_s: float) -> int:
    if value is None:
        return int(now_s)
    time_s = _seconds(value)
    if time_s is None:
        raise RequestError(
            where,
            expected="ISO 8601 text or unix seconds",
            got=shown(value),
            fix='send text such as "2026-11-21T09:30:00Z", or leave it out for now',
        )
    if not _EARLIEST_S <= time_s <= now_s + MAX_CLOCK_SKEW_S:
        raise RequestError(
            where,
            expected="a time between the year 2000 and now",
            got=shown(value),
            fix="send seconds, not milliseconds, in UTC, or leave it out for now",
        )
    return int(time_s)


def _seconds(value: object) -> float | None:
    if isinstance(value, str):
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            return None
        # A time without an offset is UTC, as in the interactions table.
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return None


def _refuse_unknown(fields: dict[str, object], known: Sequence[str], prefix: str) -> None:
    unknown = sorted(name for name in fields if name not in known)
    if unknown:
        raise RequestError(
            f"{prefix}{shown(unknown[0])[1:-1]}",
            expected=f"only {', '.join(known)}",
            got=f"{len(unknown)} unknown fields" if len(unknown) > 1 else "an unknown field",
            fix="remove it or check the spelling",
        )
