import numpy as np
import pytest

from stylerec.features.assemble import assemble_history
from stylerec.schema.events import EVENT_CODES, EventType
from stylerec.serving.history import CustomerHistory, KnownHistory, known_history
from stylerec.serving.reasons import FallbackReason

DAY_S = 86_400


def known(shop, history: CustomerHistory | None, **options: object) -> KnownHistory:
    return known_history(
        history, vocabulary=shop.vocabulary, now_s=shop.now_s, **{"ttl_days": 30, **options}
    )


class TestKnownHistory:
    def test_holds_indices_codes_and_age(self, shop) -> None:
        history = known(shop, shop.history("dress-0", "ring-3", event="save", age_s=7.0))
        assert history.item_index.tolist() == shop.indices("dress-0", "ring-3")
        assert history.event_type.tolist() == [EVENT_CODES[EventType.SAVE]] * 2
        assert (history.age_s, history.absent) == (7.0, None)

    def test_drops_items_and_event_types_that_the_release_lacks(self, shop) -> None:
        history = known(
            shop, shop.history("dress-0", "gone", "ring-1", event=["view", "view", "wish"])
        )
        assert history.item_index.tolist() == [shop.index("dress-0")]
        assert history.num_dropped == 2

    def test_puts_late_events_in_order(self, shop) -> None:
        history = CustomerHistory(("dress-0", "dress-1"), ("view", "view"), (200, 100), shop.now_s)
        assert known(shop, history).item_index.tolist() == shop.indices("dress-1", "dress-0")

    def test_keeps_the_order_of_a_log_without_times(self, shop) -> None:
        history = CustomerHistory(("ring-1", "dress-1"), ("view", "view"), (0, 0), shop.now_s)
        assert known(shop, history).item_index.tolist() == shop.indices("ring-1", "dress-1")

    def test_has_no_times_where_the_models_never_saw_any(self, shop) -> None:
        history = known(shop, shop.history("dress-0", "dress-1"), has_timestamps=False)
        assert history.timestamp_s.tolist() == [0, 0]

    @pytest.mark.parametrize(
        ("age_s", "reason"),
        [(30 * DAY_S, None), (30 * DAY_S + 1, FallbackReason.STALE_HISTORY)],
    )
    def test_is_absent_beyond_the_ttl(self, shop, age_s: float, reason: object) -> None:
        history = known(shop, shop.history("dress-0", age_s=age_s))
        assert history.absent == reason
        assert history.age_s == age_s
        assert history.length == (0 if reason else 1)

    def test_of_a_change_in_the_future_is_0_seconds_old(self, shop) -> None:
        assert known(shop, shop.history("dress-0", age_s=-5.0)).age_s == 0.0

    def test_of_an_unknown_customer_is_absent(self, shop) -> None:
        assert known(shop, None).absent == FallbackReason.NO_HISTORY

    @pytest.mark.parametrize("item_ids", [(), ("gone",)])
    def test_without_a_known_item_is_absent(self, shop, item_ids: tuple[str, ...]) -> None:
        history = known(shop, shop.history(*item_ids))
        assert history.absent == FallbackReason.NO_HISTORY
        assert history.num_dropped == len(item_ids)

    @pytest.mark.parametrize(
        "history",
        [
            CustomerHistory(("dress-0",), (), (1,), 1.8e9),
            CustomerHistory(("dress-0",), ("view",), (1, 2), 1.8e9),
            CustomerHistory(("dress-0",), ("view",), ("soon",), 1.8e9),  # type: ignore[arg-type]
            CustomerHistory(("dress-0",), ("view",), (None,), 1.8e9),  # type: ignore[arg-type]
            CustomerHistory((["a"],), ("view",), (1,), 1.8e9),  # type: ignore[arg-type]
            CustomerHistory(("dress-0",), ("view",), (2**70,), 1.8e9),
            CustomerHistory(("dress-0",), ("view",), (1,), float("nan")),
        ],
    )
    def test_that_does_not_fit_together_is_absent(self, shop, history: CustomerHistory) -> None:
        assert known(shop, history).absent == FallbackReason.HISTORY_INVALID

    def test_assembles_to_the_arrays_that_training_makes_of_the_same_rows(self, shop) -> None:
        history = known(shop, shop.history("dress-0", "ring-1", event=["view", "purchase"]))
        serving = assemble_history(
            item_index=history.item_index,
            event_type=history.event_type,
            timestamp_s=history.timestamp_s,
            lengths=[history.length],
            as_of_s=[shop.now_s],
            max_len=4,
        )
        training = assemble_history(
            item_index=np.array(shop.indices("dress-0", "ring-1"), dtype=np.int32),
            event_type=np.array([1, 4], dtype=np.int8),
            timestamp_s=[shop.now_s - 70, shop.now_s - 10],
            lengths=[2],
            as_of_s=[shop.now_s],
            max_len=4,
        )
        for name, array in training.items():
            np.testing.assert_array_equal(serving[name], array)


class TestNewest:
    def test_lists_distinct_items_newest_first(self, shop) -> None:
        history = known(shop, shop.history("ring-1", "dress-0", "ring-1", "ring-2"))
        assert shop.ids(history.newest(9)) == ["ring-2", "ring-1", "dress-0"]
        assert shop.ids(history.newest(2)) == ["ring-2", "ring-1"]

    def test_of_one_event_type(self, shop) -> None:
        history = known(shop, shop.history("ring-1", "dress-0", event=["save", "view"]))
        assert shop.ids(history.newest(9, event=EventType.SAVE)) == ["ring-1"]
