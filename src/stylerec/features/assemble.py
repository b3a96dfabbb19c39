"""The only code that turns interaction rows into model input arrays.

Training calls it with slices of the memory-mapped histories, serving with what Feast returned,
so the two cannot drift apart. B batch, L history length.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stylerec.schema.tensors import HISTORY_AGE_DAYS, HISTORY_EVENT_TYPE, HISTORY_ITEM_INDEX

SECONDS_PER_DAY = 86_400.0
MAX_AGE_DAYS = 3_650.0
NO_TIMESTAMP_S = 0
"""Timestamp of an interaction whose log has no times; its age is 0."""


def assemble_history(
    *,
    item_index: ArrayLike,
    event_type: ArrayLike,
    timestamp_s: ArrayLike,
    lengths: ArrayLike,
    as_of_s: ArrayLike,
    max_len: int,
) -> dict[str, NDArray[np.int64] | NDArray[np.float32]]:
    """Returns the three history tensors, left padded to `max_len`, newest interaction last.

    The first three arguments hold the interactions of all B customers one after another, each
    customer's oldest first; only the newest `max_len` of a customer are used.

    Args:
        item_index: Item indices, `[sum(lengths)]`.
        event_type: Event codes (`schema.events.EVENT_CODES`), `[sum(lengths)]`.
        timestamp_s: Unix seconds, `[sum(lengths)]`; 0 where the log has no times.
        lengths: Interactions per customer, `[B]`.
        as_of_s: Unix seconds at which the model is asked, `[B]`.
        max_len: L.

    Returns:
        `history_item_index` and `history_event_type` int64 `[B, L]`, 0 in padding;
        `history_age_days` float32 `[B, L]`, 0 to 3,650, 0 in padding and without times.

    Raises:
        ValueError: The arrays' sizes do not agree.
    """
    flat_item = np.asarray(item_index, dtype=np.int64)
    flat_event = np.asarray(event_type, dtype=np.int64)
    flat_time = np.asarray(timestamp_s, dtype=np.int64)
    length = np.asarray(lengths, dtype=np.int64)
    as_of = np.asarray(as_of_s, dtype=np.float64)
    if not len(flat_item) == len(flat_event) == len(flat_time) == int(length.sum()):
        raise ValueError(
            f"history arrays: expected {int(length.sum())} interactions in each, got "
            f"{len(flat_item)}, {len(flat_event)} and {len(flat_time)}"
        )
    if len(as_of) != len(length):
        raise ValueError(f"as_of_s: expected {len(length)} values, got {len(as_of)}")

    ends = np.cumsum(length)
    # Column l of customer b holds interaction ends[b] - L + l, if that is still b's own.
    source = ends[:, None] - max_len + np.arange(max_len)
    is_real = source >= (ends - length)[:, None]
    source = np.where(is_real, source, 0)

    def gather(flat: NDArray[np.int64]) -> NDArray[np.int64]:
        if not len(flat):
            return np.zeros(source.shape, dtype=np.int64)
        return np.where(is_real, flat[source], 0)

    time = gather(flat_time)
    age = np.clip((as_of[:, None] - time) / SECONDS_PER_DAY, 0.0, MAX_AGE_DAYS)
    return {
        HISTORY_ITEM_INDEX: gather(flat_item),
        HISTORY_EVENT_TYPE: gather(flat_event),
        HISTORY_AGE_DAYS: np.where(time > NO_TIMESTAMP_S, age, 0.0).astype(np.float32),
    }
