"""Why a rung did not answer: the words of `fallback_reason`, `skipped` and `notes.history`."""

from enum import StrEnum


class FallbackReason(StrEnum):
    """Why a rung was passed over, or why a customer's history could not be used."""

    NO_HISTORY = "no_history"
    """No customer in the request, a customer nobody knows, or none of their items is known."""
    SHORT_HISTORY = "short_history"
    """Fewer interactions than the contract's `next_item_min_interactions`."""
    STALE_HISTORY = "stale_history"
    """The history is older than the contract's `history_ttl_days`."""
    HISTORY_TIMEOUT = "history_timeout"
    HISTORY_UNAVAILABLE = "history_unavailable"
    HISTORY_INVALID = "history_invalid"
    """The store's lists of items, event types and timestamps do not fit together."""
    MODEL_ABSENT = "model_absent"
    """The release holds no such model."""
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    INVALID_ANSWER = "invalid_answer"
    """The model answered with a wrong shape, a number that is not finite, or a foreign item."""
    NO_TIME_LEFT = "no_time_left"
    """The deadline leaves no time to ask a dependency."""
    UNKNOWN_HERO = "unknown_hero"
    UNKNOWN_BAG = "unknown_bag"
    NO_CO_PURCHASES = "no_co_purchases"
    NO_CONTENT = "no_content"
    NO_CANDIDATES = "no_candidates"
