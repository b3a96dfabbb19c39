"""The expressions on small tables, run by the in-process engine."""

import math

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stylerec.data.preparation import queries
from stylerec.data.preparation.engine import fetch


@pytest.fixture
def table(engine):
    return lambda **columns: engine.table_of(pd.DataFrame(columns))


def _rows(expression, *columns, by):
    frame = fetch(expression).sort_values(list(by))
    return list(frame[list(columns)].itertuples(index=False, name=None))


class TestWithoutRepeatedEvents:
    def test_keeps_the_first_row_of_each_id(self, table):
        events = table(row=[0, 1, 2, 3], event_id=["x", "y", "x", "y"], item_id=list("abcd"))
        kept = queries.without_repeated_events(events)
        assert _rows(kept, "row", "item_id", by=["row"]) == [(0, "a"), (1, "b")]

    def test_missing_ids_never_repeat(self, table):
        events = table(row=[0, 1, 2], event_id=[None, "x", None], item_id=["a", "a", "a"])
        kept = queries.without_repeated_events(events)
        assert _rows(kept, "row", by=["row"]) == [(0,), (1,), (2,)]


class TestNewestEvents:
    def test_orders_by_time_then_by_row(self, table):
        events = table(
            customer_id=["c"] * 4,
            item_index=[2, 3, 4, 5],
            timestamp_s=[9, 5, 5, 1],
            row=[0, 1, 2, 3],
        )
        ranked = queries.newest_events(events, max_len=10)
        # Newest first: time 9; then of the two at 5 the later row; then 1.
        assert _rows(ranked, "item_index", by=["age_rank"]) == [(2,), (4,), (3,), (5,)]

    def test_keeps_the_newest(self, table):
        events = table(
            customer_id=["c"] * 3 + ["d"],
            item_index=[2, 3, 4, 5],
            timestamp_s=[0, 0, 0, 0],
            row=[0, 1, 2, 3],
        )
        kept = queries.newest_events(events, max_len=2)
        assert _rows(kept, "item_index", by=["item_index"]) == [(3,), (4,), (5,)]


class TestCustomers:
    def test_takes_the_newest_known_market(self, table):
        events = table(
            customer_id=["c", "c", "c", "d"],
            age_rank=[2, 1, 0, 0],
            market=["GB", "DE", None, None],
        )
        found = queries.with_customer_index(queries.customers(events))
        columns = ("customer_id", "length", "market", "customer_index")
        assert _rows(found, *columns, by=["customer_id"]) == [("c", 3, "DE", 0), ("d", 1, "", 1)]


class TestPopularity:
    def test_counts_customers_once_per_market_and_overall(self, table):
        events = table(
            customer_index=[0, 0, 1, 1],
            item_index=[2, 2, 2, 3],
            market=["GB", "DE", "GB", None],
            timestamp_s=[5, 6, 7, 8],
        )
        counts = fetch(queries.popularity(events, since_s=0)).fillna({"market": "all"})
        found = {(m, i): n for m, i, n in counts.itertuples(index=False)}
        assert found == {("all", 2): 2, ("all", 3): 1, ("GB", 2): 2, ("DE", 2): 1}

    def test_leaves_out_what_is_too_old(self, table):
        events = table(
            customer_index=[0, 1], item_index=[2, 3], market=["GB", "GB"], timestamp_s=[4, 5]
        )
        assert fetch(queries.popularity(events, since_s=5)).item_index.tolist() == [3, 3]


class TestCustomerGroups:
    def test_keeps_the_newest_distinct_items(self, table):
        events = table(customer_index=[0] * 4, item_index=[2, 3, 2, 4], age_rank=[3, 2, 1, 0])
        groups = queries.customer_groups(events, max_items=2)
        assert _rows(groups, "group_index", "item_index", by=["item_index"]) == [(0, 2), (0, 4)]


class TestNeighbours:
    def test_scores_by_the_shrunk_cosine(self, table):
        groups = table(group_index=[0, 0, 1, 1, 2], item_index=[2, 3, 2, 3, 2])
        found = queries.neighbours(groups, num_neighbours=5, shrinkage=1.0)
        score = 2 / (math.sqrt(3 * 2) + 1)
        rows = _rows(found, "item_index", "neighbour_index", "score", "position", by=["item_index"])
        assert rows == [(2, 3, pytest.approx(score), 0), (3, 2, pytest.approx(score), 0)]

    def test_ties_go_to_the_lower_index_and_the_rest_is_cut(self, table):
        groups = table(group_index=[0] * 4, item_index=[2, 3, 4, 5])
        found = queries.neighbours(groups, num_neighbours=2, shrinkage=0.0)
        rows = _rows(found, "neighbour_index", by=["item_index", "position"])
        assert [n for (n,) in rows] == [3, 4, 2, 4, 2, 3, 2, 3]

    def test_is_empty_when_nobody_has_two_items(self, table):
        groups = table(group_index=[0, 1], item_index=[2, 2])
        assert fetch(queries.neighbours(groups, num_neighbours=2, shrinkage=0.0)).empty

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.sets(st.tuples(st.integers(0, 5), st.integers(2, 8)), min_size=1))
    def test_equals_counting_by_hand(self, engine, pairs):
        groups = engine.table_of(pd.DataFrame(sorted(pairs), columns=["group_index", "item_index"]))
        having = {i: {g for g, item in pairs if item == i} for _, i in pairs}
        expected = {
            (a, b): len(having[a] & having[b]) / (math.sqrt(len(having[a]) * len(having[b])) + 2)
            for a in having
            for b in having
            if a != b and having[a] & having[b]
        }
        found = fetch(queries.neighbours(groups, num_neighbours=50, shrinkage=2.0))
        keys = zip(found.item_index, found.neighbour_index, strict=True)
        assert dict(zip(keys, found.score, strict=True)) == pytest.approx(expected)


class TestPageImpressions:
    def test_numbers_pages_and_keeps_whole_customers(self, table):
        impressions = table(
            request_id=["r1", "r1", "r2", "r3", None, "r1"],
            customer_id=["a", "a", "b", "c", "c", "a"],
            touchpoint=["t", "t", "t", "t", "t", "u"],
            item_id=["x", "y", "x", "x", "x", "x"],
            position=[0, 1, 0, 0, 1, 0],
            clicked=[True, False, False, True, False, False],
            row=[0, 1, 2, 3, 4, 5],
        )
        items = table(item_id=["x"], item_index=[2])
        customers = table(customer_id=["a", "b", "c"], customer_index=[0, 1, 2])
        pages = queries.page_impressions(impressions, items, customers, every=2)
        # Customer 1 is not sampled, item y is unknown, one row has no request; touchpoint u of
        # request r1 is a page of its own.
        found = _rows(pages, "page", "customer_index", "touchpoint", "row", by=["row"])
        assert found == [(0, 0, "t", 0), (2, 2, "t", 3), (1, 0, "u", 5)]


class TestWithPropensity:
    def test_is_looked_up_and_1_where_unknown(self, table):
        events = table(
            touchpoint=["t", "t", "t", "u", None, "t"],
            position=[0, 1, 9, 0, 1, None],
            row=[0, 1, 2, 3, 4, 5],
        )
        propensities = table(touchpoint=["t", "t"], position=[0, 1], propensity=[1.0, 0.25])
        known = queries.with_propensity(events, propensities)
        assert _rows(known, "row", "propensity", by=["row"]) == [
            (0, 1.0),
            (1, 0.25),
            # Further down than any known position.
            (2, 0.25),
            (3, 1.0),
            (4, 1.0),
            (5, 1.0),
        ]
