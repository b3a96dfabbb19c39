"""The event types of an interaction and their integer codes in model inputs."""

from enum import StrEnum


class EventType(StrEnum):
    """A logged customer action, ordered from weakest to strongest intent."""

    VIEW = "view"
    SAVE = "save"
    ADD_TO_BAG = "add_to_bag"
    PURCHASE = "purchase"


PADDING_EVENT_CODE = 0
EVENT_CODES: dict[str, int] = {event.value: code for code, event in enumerate(EventType, start=1)}
NUM_EVENT_CODES = len(EVENT_CODES) + 1

DEFAULT_EVENT_TYPE = EventType.PURCHASE
"""Stands in when a retailer's log has no event types; the run's summary says so."""
