"""The preparation itself, as Ibis expressions: tables in, tables out, any engine.

Nothing here executes. DuckDB runs the expressions in process (`engine.py`); an engine that Ibis
supports, such as PySpark, can run the same ones. Counts stay integers until the last step, so an
engine's parallelism cannot change a result.
"""

import ibis
from ibis import _
from ibis.expr.types import IntegerScalar, Table

from stylerec.schema.columns import (
    CLICKED,
    CUSTOMER_ID,
    EVENT_ID,
    EVENT_TYPE,
    ITEM_ID,
    MARKET,
    POSITION,
    PROPENSITY,
    REQUEST_ID,
    TIMESTAMP,
    TOUCHPOINT,
)
from stylerec.schema.events import DEFAULT_EVENT_TYPE, EVENT_CODES

ROW = "row"
"""Position of a row in its file: the time order where timestamps are equal or absent."""
SECONDS_PER_DAY = 86_400


def without_repeated_events(interactions: Table) -> Table:
    """Returns the interactions without later copies of an `event_id`; missing ids never repeat."""
    window = ibis.window(group_by=EVENT_ID, order_by=ROW)
    identified = interactions.filter(_[EVENT_ID].notnull())
    first = identified.mutate(copy=ibis.row_number().over(window)).filter(_.copy == 0).drop("copy")
    return interactions.filter(_[EVENT_ID].isnull()).union(first)


def coded_events(
    interactions: Table, item_index: Table, *, has_event_types: bool, has_timestamps: bool
) -> Table:
    """Returns interactions with known items as codes and unix seconds.

    Args:
        interactions: Canonical columns plus `row`.
        item_index: `item_id`, `item_index` of the catalogue.
        has_event_types: Otherwise every interaction counts as `DEFAULT_EVENT_TYPE`.
        has_timestamps: Otherwise every interaction has time 0.

    Returns:
        `customer_id`, `item_index`, `event_code`, `timestamp_s`, `market`, `touchpoint`,
        `position`, `row`. `event_code` is null for an event type that does not exist, `timestamp_s`
        for a missing time.
    """
    default_code = EVENT_CODES[DEFAULT_EVENT_TYPE.value]
    if has_event_types:
        code = interactions[EVENT_TYPE].cases(*EVENT_CODES.items(), else_=None)
    else:
        code = ibis.literal(default_code)
    time = interactions[TIMESTAMP].epoch_seconds() if has_timestamps else ibis.literal(0)
    return interactions.join(item_index, ITEM_ID).select(
        CUSTOMER_ID,
        "item_index",
        MARKET,
        TOUCHPOINT,
        POSITION,
        ROW,
        event_code=code.cast("int8"),
        timestamp_s=time.cast("int64"),
    )


def newest_events(events: Table, *, max_len: int) -> Table:
    """Returns each customer's newest `max_len` events with their `age_rank`, 0 = newest.

    Events are ordered by time, and by their row in the file where times are equal.
    """
    newest_first = ibis.window(
        group_by=CUSTOMER_ID, order_by=[ibis.desc("timestamp_s"), ibis.desc(ROW)]
    )
    ranked = events.mutate(age_rank=ibis.row_number().over(newest_first))
    return ranked.filter(_.age_rank < max_len)


def customers(events: Table) -> Table:
    """Returns `customer_id`, `length` and `market`, the newest known one or an empty string."""
    market = events[MARKET].argmin(events.age_rank, where=events[MARKET].notnull())
    return events.group_by(CUSTOMER_ID).agg(length=events.count(), market=market.fill_null(""))


def with_customer_index(customers: Table) -> Table:
    """Returns the customers numbered from 0 in the order of their ids."""
    by_id = ibis.window(order_by=CUSTOMER_ID)
    return customers.mutate(customer_index=ibis.row_number().over(by_id))


def histories(events: Table, customer_index: Table) -> Table:
    """Returns events with `customer_index` in place of `customer_id`, to be fetched in order."""
    return events.join(customer_index, CUSTOMER_ID).select(
        "customer_index",
        "item_index",
        "event_code",
        "timestamp_s",
        "age_rank",
        MARKET,
        TOUCHPOINT,
        POSITION,
    )


def page_impressions(
    impressions: Table, item_index: Table, customer_index: Table, *, every: int
) -> Table:
    """Returns the impressions of every so many-th customer as numbers, to be fetched in order.

    Whole customers are taken, so that what is left of each is complete; those without interactions
    are left out.

    Args:
        impressions: Canonical columns plus `row`.
        item_index: `item_id`, `item_index` of the catalogue.
        customer_index: `customer_id`, `customer_index`.
        every: 1 takes all customers.

    Returns:
        `page` from 0, `customer_index`, `item_index`, `touchpoint`, `position`, `clicked`, `row`.
    """
    some = customer_index.filter(_.customer_index % every == 0)
    needed = (REQUEST_ID, TOUCHPOINT, POSITION, CLICKED)
    known = (
        impressions.filter([impressions[name].notnull() for name in needed])
        .join(some.select(CUSTOMER_ID, "customer_index"), CUSTOMER_ID)
        .join(item_index.select(ITEM_ID, "item_index"), ITEM_ID)
    )
    pages = ibis.window(order_by=["customer_index", REQUEST_ID, TOUCHPOINT])
    return known.select(
        "customer_index",
        "item_index",
        TOUCHPOINT,
        POSITION,
        CLICKED,
        ROW,
        page=ibis.dense_rank().over(pages),
    )


def with_propensity(events: Table, propensities: Table) -> Table:
    """Returns the events with the `propensity` of their touchpoint and position, 1 where unknown.

    Args:
        events: What `histories` returns.
        propensities: `touchpoint`, `position` from 0 without gaps, `propensity`. What lies further
            down than a touchpoint's last position takes the last one's.
    """
    known = propensities.select(
        known_at=propensities[TOUCHPOINT], place=propensities[POSITION], value=_[PROPENSITY]
    )
    last = known.group_by("known_at").agg(last_place=known.place.max())
    # A plain left join: interactions of other touchpoints, or without a position, stay.
    bounded = events.left_join(last, events[TOUCHPOINT] == last.known_at).drop("known_at")
    is_below = bounded[POSITION] > bounded.last_place
    bounded = bounded.mutate(bounded_place=is_below.ifelse(bounded.last_place, bounded[POSITION]))
    found = bounded.left_join(
        known,
        [bounded[TOUCHPOINT] == known.known_at, bounded.bounded_place == known.place],
    )
    return found.mutate(propensity=found.value.fill_null(1.0).cast("float32")).drop(
        "known_at", "place", "value", "last_place", "bounded_place"
    )


def popularity(events: Table, *, since_s: int) -> Table:
    """Returns `market`, `item_index`, `num_customers` of the events since a time.

    The row with a null market counts the customers of all markets, each once.
    """
    recent = events.filter(_.timestamp_s >= since_s)
    num_customers: IntegerScalar = recent.customer_index.nunique()
    per_market = recent.filter(_[MARKET].notnull()).group_by([MARKET, "item_index"])
    overall = recent.group_by("item_index").agg(num_customers=num_customers)
    return (
        overall.mutate(**{MARKET: ibis.null("string")})
        .select(MARKET, "item_index", "num_customers")
        .union(per_market.agg(num_customers=num_customers))
    )


def customer_groups(events: Table, *, max_items: int) -> Table:
    """Returns each customer's newest `max_items` distinct items as `group_index`, `item_index`."""
    distinct = events.group_by(["customer_index", "item_index"]).agg(newest=events.age_rank.min())
    newest_first = ibis.window(group_by="customer_index", order_by="newest")
    ranked = distinct.mutate(position=ibis.row_number().over(newest_first))
    return ranked.filter(_.position < max_items).select("item_index", group_index=_.customer_index)


def neighbours(groups: Table, *, num_neighbours: int, shrinkage: float) -> Table:
    """Returns the items most often found in the same group, best first.

    The score of items a and b is `n_ab / (sqrt(n_a * n_b) + shrinkage)`, n the groups that hold
    them: the cosine of their group vectors, shrunk where few groups support it.

    Args:
        groups: `group_index`, `item_index`, each pair once: a customer's or an outfit's items.
        num_neighbours: Kept per item; ties go to the lower index.
        shrinkage: See above.

    Returns:
        `item_index`, `neighbour_index`, `score`, `position` from 0.
    """
    other = groups.view()
    pairs = (
        groups.join(
            other,
            [
                groups.group_index == other.group_index,
                groups.item_index < other.item_index,
            ],
        )
        .select(left=groups.item_index, right=other.item_index)
        .group_by(["left", "right"])
        .agg(together=_.count())
    )
    counts = groups.group_by("item_index").agg(total=groups.count())
    scored = (
        pairs.join(counts.select(left=_.item_index, left_total=_.total), "left")
        .join(counts.select(right=_.item_index, right_total=_.total), "right")
        .mutate(
            score=_.together / ((_.left_total * _.right_total).cast("float64").sqrt() + shrinkage)
        )
    )
    both_ways = scored.select("score", item_index=_.left, neighbour_index=_.right).union(
        scored.select("score", item_index=_.right, neighbour_index=_.left)
    )
    best_first = ibis.window(
        group_by="item_index", order_by=[ibis.desc("score"), "neighbour_index"]
    )
    ranked = both_ways.mutate(position=ibis.row_number().over(best_first))
    return ranked.filter(_.position < num_neighbours)
