from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stylerec.data.histories import Histories
from stylerec.features.assemble import MAX_AGE_DAYS, SECONDS_PER_DAY, assemble_history
from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.events import EVENT_CODES
from stylerec.schema.tensors import HISTORY_AGE_DAYS, HISTORY_EVENT_TYPE, HISTORY_ITEM_INDEX

DAY = int(SECONDS_PER_DAY)
NOW = 1_800_000_000
ITEM_IDS = tuple(f"i{n}" for n in range(9))

EVENT = st.tuples(
    st.sampled_from((*ITEM_IDS, "not in the catalogue")),
    st.sampled_from(sorted(EVENT_CODES)),
    st.one_of(st.just(0), st.integers(NOW - 4_000 * DAY, NOW + DAY)),
)
CUSTOMERS = st.lists(st.lists(EVENT, max_size=12), max_size=6)


@dataclass(frozen=True)
class Loop:
    """The specification as plain loops, one customer and one interaction at a time."""

    max_len: int

    def assemble(self, customers, as_of_s):
        shape = (len(customers), self.max_len)
        item, event = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        age = np.zeros(shape, np.float32)
        for row, (events, now) in enumerate(zip(customers, as_of_s, strict=True)):
            for back, (index, code, time) in enumerate(reversed(events)):
                if back >= self.max_len:
                    break
                column = self.max_len - 1 - back
                item[row, column], event[row, column] = index, code
                if time > 0:
                    age[row, column] = min(max((now - time) / DAY, 0.0), MAX_AGE_DAYS)
        return {HISTORY_ITEM_INDEX: item, HISTORY_EVENT_TYPE: event, HISTORY_AGE_DAYS: age}


def _assembled(customers, as_of_s, max_len):
    flat = [event for events in customers for event in events]
    return assemble_history(
        item_index=[index for index, _, _ in flat],
        event_type=[code for _, code, _ in flat],
        timestamp_s=[time for _, _, time in flat],
        lengths=[len(events) for events in customers],
        as_of_s=as_of_s,
        max_len=max_len,
    )


def _coded(customers):
    vocabulary = Vocabulary(ITEM_IDS)
    return [
        [(vocabulary.item_index(item), EVENT_CODES[event], time) for item, event, time in events]
        for events in customers
    ]


class TestAssembleHistory:
    def test_pads_on_the_left_and_keeps_the_newest(self):
        tensors = _assembled([[(5, 1, 0)], [(6, 2, 0), (7, 3, 0), (8, 4, 0)]], [NOW, NOW], 2)
        assert tensors[HISTORY_ITEM_INDEX].tolist() == [[0, 5], [7, 8]]
        assert tensors[HISTORY_EVENT_TYPE].tolist() == [[0, 1], [3, 4]]

    def test_age_is_in_days_and_bounded(self):
        times = [NOW + DAY, NOW, NOW - DAY // 2, NOW - 10_000 * DAY]
        tensors = _assembled([[(2, 1, time) for time in times]], [NOW], 4)
        assert tensors[HISTORY_AGE_DAYS].tolist() == [[0, 0, 0.5, 3_650]]

    def test_age_is_zero_without_a_timestamp(self):
        assert _assembled([[(2, 1, 0)]], [NOW], 1)[HISTORY_AGE_DAYS].tolist() == [[0]]

    def test_an_empty_history_is_all_padding(self):
        for array in _assembled([[], []], [NOW, NOW], 3).values():
            assert array.shape == (2, 3)
            assert not array.any()

    def test_no_customers_give_no_rows(self):
        assert _assembled([], [], 3)[HISTORY_ITEM_INDEX].shape == (0, 3)

    def test_dtypes_are_those_of_the_graphs(self):
        tensors = _assembled([[(2, 1, NOW)]], [NOW], 2)
        assert {name: str(array.dtype) for name, array in tensors.items()} == {
            HISTORY_ITEM_INDEX: "int64",
            HISTORY_EVENT_TYPE: "int64",
            HISTORY_AGE_DAYS: "float32",
        }

    @settings(deadline=None)
    @given(CUSTOMERS, st.integers(1, 8))
    def test_equals_a_plain_loop(self, customers, max_len):
        coded = _coded(customers)
        as_of_s = [NOW + row * DAY for row in range(len(coded))]
        expected = Loop(max_len).assemble(coded, as_of_s)
        for name, array in _assembled(coded, as_of_s, max_len).items():
            np.testing.assert_array_equal(array, expected[name])

    @settings(deadline=None)
    @given(CUSTOMERS, st.integers(1, 8))
    def test_older_interactions_than_the_newest_max_len_change_nothing(self, customers, max_len):
        coded = _coded(customers)
        cut = [events[-max_len:] for events in coded]
        as_of_s = [NOW] * len(coded)
        whole, short = _assembled(coded, as_of_s, max_len), _assembled(cut, as_of_s, max_len)
        for name, array in whole.items():
            np.testing.assert_array_equal(array, short[name])

    def test_raises_when_the_arrays_disagree(self):
        with pytest.raises(ValueError, match="expected 2 interactions in each, got 1, 2 and 2"):
            assemble_history(
                item_index=[2],
                event_type=[1, 1],
                timestamp_s=[0, 0],
                lengths=[2],
                as_of_s=[NOW],
                max_len=3,
            )

    def test_raises_when_a_time_is_missing(self):
        with pytest.raises(ValueError, match="as_of_s: expected 2 values, got 1"):
            _assembled([[(2, 1, 0)], [(2, 1, 0)]], [NOW], 3)


class TestTrainingServingParity:
    @settings(deadline=None)
    @given(CUSTOMERS, st.integers(1, 8))
    def test_stored_histories_and_served_ids_give_equal_tensors(
        self, tmp_path_factory, customers, max_len
    ):
        """Training slices memory-mapped arrays; serving maps the store's strings one by one."""
        coded = [event for events in _coded(customers) for event in events]
        lengths = [len(events) for events in customers]
        folder = tmp_path_factory.mktemp("histories")
        Histories(
            item_index=np.array([index for index, _, _ in coded], np.int32),
            event_type=np.array([code for _, code, _ in coded], np.int8),
            timestamp_s=np.array([time for _, _, time in coded], np.int64),
            offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        ).save(folder)
        stored = Histories.load(folder)
        vocabulary = Vocabulary(ITEM_IDS)
        for row, events in enumerate(customers):
            start, end = stored.offsets[row : row + 2]
            trained = assemble_history(
                item_index=stored.item_index[start:end],
                event_type=stored.event_type[start:end],
                timestamp_s=stored.timestamp_s[start:end],
                lengths=[end - start],
                as_of_s=[NOW],
                max_len=max_len,
            )
            served = assemble_history(
                item_index=vocabulary.encode_items(item for item, _, _ in events),
                event_type=[EVENT_CODES[event] for _, event, _ in events],
                timestamp_s=[time for _, _, time in events],
                lengths=[len(events)],
                as_of_s=[NOW],
                max_len=max_len,
            )
            for name, array in trained.items():
                np.testing.assert_array_equal(array, served[name])
                assert array.dtype == served[name].dtype
