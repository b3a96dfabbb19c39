from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.transformer.interactions import (
    MAX_INTERACTIONS,
    Interaction,
    merge_interactions,
    parse_interactions,
)
from stylerec.errors import RequestError
from stylerec.schema.events import EventType
from stylerec.schema.features import MAX_STORED_HISTORY
from stylerec.serving.history import CustomerHistory

NOW_S = datetime(2026, 11, 21, 9, 30, tzinfo=UTC).timestamp()
GOOD = {"customer_id": "c1", "item_id": "i1", "event_type": "view"}


def parsed(**changes):
    body = {"instances": [{**GOOD, **changes}]}
    return parse_interactions(body, now_s=NOW_S)[0]


def viewed(item, second, event_id=None):
    return Interaction("c1", item, EventType.VIEW, second, event_id)


def history(*rows, updated_s=1.0):
    items, times = zip(*rows, strict=True)
    return CustomerHistory(items, ("view",) * len(items), times, updated_s)


class TestParseInteractions:
    def test_is_now_without_a_timestamp(self):
        assert parsed() == Interaction("c1", "i1", EventType.VIEW, int(NOW_S))

    def test_null_stands_for_a_field_left_out(self):
        assert parsed(timestamp=None, event_id=None) == parsed()

    @pytest.mark.parametrize(
        "timestamp",
        [
            "2026-11-21T09:00:00Z",
            "2026-11-21T09:00:00",
            "2026-11-21T10:00:00+01:00",
            NOW_S - 1_800,
            int(NOW_S) - 1_800,
        ],
    )
    def test_reads_iso_8601_and_unix_seconds(self, timestamp):
        assert parsed(timestamp=timestamp).timestamp_s == NOW_S - 1_800

    def test_keeps_the_order_of_the_instances(self):
        body = {"instances": [{**GOOD, "item_id": f"i{n}"} for n in range(3)]}
        assert [i.item_id for i in parse_interactions(body, now_s=NOW_S)] == ["i0", "i1", "i2"]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"customer_id": None}, "customer_id"),
            ({"customer_id": 7}, "customer_id"),
            ({"customer_id": ""}, "customer_id"),
            ({"customer_id": "x" * 257}, "customer_id"),
            ({"item_id": ["i1"]}, "item_id"),
            ({"event_type": "buy"}, "event_type"),
            ({"event_type": None}, "event_type"),
            ({"event_type": 1}, "event_type"),
            ({"timestamp": "yesterday"}, "timestamp"),
            ({"timestamp": True}, "timestamp"),
            ({"timestamp": float("nan")}, "timestamp"),
            ({"timestamp": float("inf")}, "timestamp"),
            ({"timestamp": NOW_S + 3_600}, "timestamp"),
            ({"timestamp": NOW_S * 1_000}, "timestamp"),
            ({"timestamp": -1}, "timestamp"),
            ({"timestamp": 10**400}, "timestamp"),
            ({"timestamp": "9999-12-31T23:59:59-14:00"}, "timestamp"),
            ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp"),
            ({"event_id": 5}, "event_id"),
            ({"price": 3}, "price"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, changes, field):
        with pytest.raises(RequestError) as caught:
            parsed(**changes)
        assert caught.value.where == f"instances[0].{field}"

    @pytest.mark.parametrize(
        "body",
        [
            None,
            [],
            "x",
            {},
            {"instances": []},
            {"instances": {}},
            {"instances": [GOOD] * (MAX_INTERACTIONS + 1)},
            {"instances": [GOOD], "more": 1},
            {"instances": ["x"]},
        ],
    )
    def test_raises_on_another_body(self, body):
        with pytest.raises(RequestError):
            parse_interactions(body, now_s=NOW_S)

    def test_does_not_repeat_a_wrong_customer_id(self):
        with pytest.raises(RequestError) as caught:
            parsed(customer_id=123_456)
        assert "123456" not in str(caught.value)


class TestMergeInteractions:
    def test_starts_a_history(self):
        merged, is_new = merge_interactions(None, [viewed("i1", 10)], now_s=50.0)
        assert merged == CustomerHistory(("i1",), ("view",), (10,), 50.0)
        assert is_new == [True]

    def test_newest_comes_last(self):
        merged, _ = merge_interactions(history(("i1", 10)), [viewed("i2", 20)], now_s=50.0)
        assert merged.item_ids == ("i1", "i2")

    def test_an_older_one_goes_where_it_belongs(self):
        old = history(("i1", 10), ("i3", 30))
        merged, _ = merge_interactions(old, [viewed("i2", 20)], now_s=50.0)
        assert merged.timestamps_s == (10, 20, 30)

    def test_goes_after_those_of_the_same_second(self):
        merged, _ = merge_interactions(history(("i1", 10)), [viewed("i2", 10)], now_s=50.0)
        assert merged.item_ids == ("i1", "i2")

    def test_goes_after_those_without_a_time(self):
        merged, _ = merge_interactions(history(("i1", 0), ("i2", 0)), [viewed("i0", 9)], now_s=1.0)
        assert merged.item_ids == ("i1", "i2", "i0")

    def test_a_repeat_changes_nothing(self):
        merged, is_new = merge_interactions(history(("i1", 10)), [viewed("i1", 10)], now_s=50.0)
        assert merged is None
        assert is_new == [False]

    def test_a_repeat_within_one_call_counts_once(self):
        merged, is_new = merge_interactions(None, [viewed("i1", 10)] * 3, now_s=50.0)
        assert merged.item_ids == ("i1",)
        assert is_new == [True, False, False]

    def test_keeps_the_newest(self):
        full = history(*((f"i{n}", n) for n in range(1, MAX_STORED_HISTORY + 1)))
        merged, _ = merge_interactions(full, [viewed("new", 10_000)], now_s=50.0)
        assert merged.timestamps_s == (*range(2, MAX_STORED_HISTORY + 1), 10_000)

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), max_size=30))
    def test_one_at_a_time_equals_all_at_once(self, rows):
        interactions = [viewed(item, second) for item, second in rows]
        stored = None
        for interaction in interactions:
            merged, _ = merge_interactions(stored, [interaction], now_s=50.0)
            stored = merged or stored
        at_once, _ = merge_interactions(None, interactions, now_s=50.0)
        assert stored == at_once
