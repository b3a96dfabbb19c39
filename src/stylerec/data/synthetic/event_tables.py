"""Turns the pages of a block into rows: interactions, impressions, and the session ground truth.

N page requests of the block, P positions on a page.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stylerec.data.arrow_types import arrow_schema
from stylerec.data.synthetic.assortment import DEPARTMENTS, MISSIONS
from stylerec.data.synthetic.catalogue import Catalogue
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.customers import Profiles, Requests
from stylerec.data.synthetic.impressions import SLOTS, TOUCHPOINTS, examination
from stylerec.data.synthetic.randomness import BoolArray, Float64Array, IntArray
from stylerec.data.synthetic.shopping import NO_ITEM, Pages
from stylerec.schema import columns
from stylerec.schema.events import EventType

SECONDS_PER_POSITION = 8
"""Customers look down the page at this pace; a save or a bag follows its view within it."""
_SAVE_AFTER_S, _BAG_AFTER_S = 3, 5
_EVENT_NAMES = pa.array([event.value for event in EventType])
_TOUCHPOINT_NAMES = pa.array([touchpoint.value for touchpoint in TOUCHPOINTS])


def _numbers(values: IntArray, width: int) -> pa.Array:
    """Returns numbers as text, zero padded."""
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), width, "0")


def _joined(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def item_ids(numbers: IntArray) -> pa.Array:
    """Returns the ids of item numbers, such as `i000042`."""
    return _joined("i", _numbers(numbers, 6))


def outfit_ids(numbers: IntArray) -> pa.Array:
    """Returns the ids of outfit numbers, such as `o0000042`."""
    return _joined("o", _numbers(numbers, 7))


def customer_ids(profiles: Profiles) -> pa.Array:
    """Returns the ids of the block's customers, such as `c0000042`."""
    return _joined("c", _numbers(profiles.first + np.arange(profiles.num_customers) + 1, 7))


def _session_ids(customer: pa.Array, session: IntArray) -> pa.Array:
    return _joined(customer, "-s", _numbers(session + 1, 3))


def _market_ids(config: SyntheticConfig, profiles: Profiles, customer: IntArray) -> pa.Array:
    return pa.array(config.markets).take(pa.array(profiles.market[customer]))


def interactions_table(
    catalogue: Catalogue,
    config: SyntheticConfig,
    profiles: Profiles,
    requests: Requests,
    pages: Pages,
) -> pa.Table:
    """Returns the block's interactions: customers one after another, each in order of time.

    Timestamps of a customer strictly increase: views follow the pace down the page, a save or an
    add-to-bag its view, and all purchases of a session its end.
    """
    event, page, position, time_s = _events(requests, pages)
    customer = requests.customer[pages.request[page]]
    order = np.lexsort((time_s, customer))
    event, page, position = event[order], page[order], position[order]
    time_s, customer = time_s[order], customer[order]
    item = pages.item[page, position]
    touchpoint = pages.touchpoint[page]
    is_direct = touchpoint == NO_ITEM
    customer_id = customer_ids(profiles).take(pa.array(customer))
    first_row = np.searchsorted(customer, customer)
    names = pa.array(np.maximum(touchpoint, 0), mask=is_direct)
    return pa.table(
        {
            columns.CUSTOMER_ID: customer_id,
            columns.ITEM_ID: item_ids(catalogue.item_number[item]),
            columns.EVENT_TYPE: _EVENT_NAMES.take(pa.array(event)),
            columns.TIMESTAMP: _timestamps(time_s),
            columns.SESSION_ID: _session_ids(customer_id, requests.session[pages.request[page]]),
            columns.TOUCHPOINT: _TOUCHPOINT_NAMES.take(names),
            columns.POSITION: pa.array(position, mask=is_direct),
            columns.MARKET: _market_ids(config, profiles, customer),
            columns.PRICE: catalogue.price_at(item, time_s),
            columns.EVENT_ID: _joined(
                customer_id, "-e", _numbers(np.arange(len(customer)) - first_row + 1, 5)
            ),
        },
        schema=arrow_schema(columns.INTERACTIONS),
    )


def _timestamps(time_s: IntArray) -> pa.Array:
    return pa.array(time_s * 1_000_000).cast(pa.timestamp("us", tz="UTC"))


def _events(requests: Requests, pages: Pages) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Returns event type, page, position and unix seconds of every event, in no order."""
    stages: list[tuple[BoolArray, int]] = [
        (pages.is_clicked, 0),
        (pages.is_saved, _SAVE_AFTER_S),
        (pages.is_bagged, _BAG_AFTER_S),
    ]
    parts = []
    for code, (happened, delay_s) in enumerate(stages):
        page, position = np.nonzero(happened)
        seen_s = requests.time_s[pages.request[page]] + SECONDS_PER_POSITION * (position + 1)
        parts.append((np.full(len(page), code), page, position, seen_s + delay_s))
    page, position = np.nonzero(pages.is_purchased)
    parts.append((np.full(len(page), len(stages)), page, position, _paid_s(requests, pages, page)))
    event, page, position, time_s = (np.concatenate(column) for column in zip(*parts, strict=True))
    return event, page, position, time_s


def _paid_s(requests: Requests, pages: Pages, page: IntArray) -> IntArray:
    """Returns when each purchase is paid for: at the session's end, one second after another."""
    request = pages.request[page]
    end_s = requests.session_end_s[request]
    # Purchases come in order of customer and session, so a basket is a run of equal keys.
    starts_basket = np.ones(len(page), dtype=np.bool_)
    starts_basket[1:] = (np.diff(requests.customer[request]) != 0) | (np.diff(end_s) != 0)
    row = np.arange(len(page))
    return end_s + 1 + row - np.maximum.accumulate(np.where(starts_basket, row, 0))


def impressions_table(
    catalogue: Catalogue,
    config: SyntheticConfig,
    profiles: Profiles,
    requests: Requests,
    pages: Pages,
) -> pa.Table:
    """Returns what the logged requests showed, by request and position.

    `propensity` is the true probability that the customer looks at the position at all.
    """
    is_logged = requests.draw("logged", pages.request)[:, 0] < config.impressions_share
    is_logged &= pages.touchpoint != NO_ITEM
    page, position = np.nonzero(pages.is_shown & is_logged[:, None])
    request = pages.request[page]
    customer = requests.customer[request]
    customer_id = customer_ids(profiles).take(pa.array(customer))
    touchpoint = pages.touchpoint[page]
    return pa.table(
        {
            columns.REQUEST_ID: _joined(
                customer_id, "-r", _numbers(request - requests.offsets[customer] + 1, 4)
            ),
            columns.CUSTOMER_ID: customer_id,
            columns.TOUCHPOINT: _TOUCHPOINT_NAMES.take(pa.array(touchpoint)),
            columns.ITEM_ID: item_ids(catalogue.item_number[pages.item[page, position]]),
            columns.POSITION: position,
            columns.PROPENSITY: examination(config)[touchpoint, position],
            columns.CLICKED: pages.is_clicked[page, position],
        },
        schema=arrow_schema(columns.IMPRESSIONS),
    )


def sessions_table(profiles: Profiles, requests: Requests, pages: Pages) -> pa.Table:
    """Returns the ground truth of every session: when it began and what it was for."""
    start = np.flatnonzero(requests.is_session_start)
    customer = requests.customer[start]
    customer_id = customer_ids(profiles).take(pa.array(customer))
    missions = pa.array([mission.name for mission in MISSIONS])
    return pa.table(
        {
            columns.SESSION_ID: _session_ids(customer_id, requests.session[start]),
            columns.CUSTOMER_ID: customer_id,
            "started": _timestamps(requests.time_s[start]),
            "mission": missions.take(pa.array(pages.mission[start])),
        }
    )


def customers_table(config: SyntheticConfig, profiles: Profiles) -> pa.Table:
    """Returns the ground truth of every customer: taste at both ends of the period."""
    everyone = np.arange(profiles.num_customers)
    return pa.table(
        {
            columns.CUSTOMER_ID: customer_ids(profiles),
            columns.MARKET: _market_ids(config, profiles, everyone),
            columns.DEPARTMENT: pa.array(DEPARTMENTS).take(pa.array(profiles.department)),
            "style_start": vectors(profiles.style_start),
            "style_end": vectors(profiles.style_end),
            "price_level": profiles.price_level,
            "thrift": profiles.thrift,
        }
    )


def examination_table(config: SyntheticConfig) -> pa.Table:
    """Returns the true position bias: how likely each position of a touchpoint is looked at."""
    probability = examination(config)
    touchpoint, position = np.nonzero(np.arange(probability.shape[1]) < SLOTS[:, None])
    return pa.table(
        {
            columns.TOUCHPOINT: _TOUCHPOINT_NAMES.take(pa.array(touchpoint)),
            columns.POSITION: position,
            "probability": probability[touchpoint, position],
        }
    )


def vectors(rows: NDArray[np.float32] | Float64Array) -> pa.Array:
    """Returns a column of lists, one per row of a matrix."""
    flat = pa.array(np.ascontiguousarray(rows).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, rows.shape[1])
