import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from stylerec.data import splits
from stylerec.data.histories import Histories
from stylerec.data.splits import (
    Split,
    SplitConfig,
    Targets,
    is_within,
    leave_one_out,
    make_split,
    temporal,
    training_counts,
)
from stylerec.errors import DataError

DAY_S = 86_400
START_S = 1_700_000_000


def _histories(lengths: list[int], days: list[float] | None = None) -> Histories:
    """Customers with items 2, 3, 4, ... one after another, at the given days after the start."""
    total = sum(lengths)
    times = [0] * total if days is None else [START_S + int(day * DAY_S) for day in days]
    return Histories(
        item_index=np.arange(2, 2 + total, dtype=np.int32),
        event_type=np.ones(total, dtype=np.int8),
        timestamp_s=np.array(times, dtype=np.int64),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )


def _pairs(targets: Targets) -> list[tuple[int, int]]:
    return list(zip(targets.customer.tolist(), targets.place.tolist(), strict=True))


class TestTargets:
    def test_some_are_taken_by_slice_mask_or_rows(self):
        targets = Targets(np.array([0, 2, 5]), np.array([9, 8, 7]))
        assert len(targets) == 3
        assert _pairs(targets[1:]) == [(2, 8), (5, 7)]
        assert _pairs(targets[np.array([True, False, True])]) == [(0, 9), (5, 7)]
        assert _pairs(targets[np.array([2, 0])]) == [(5, 7), (0, 9)]


class TestLeaveOneOut:
    def test_holds_out_the_last_two_interactions(self):
        split = leave_one_out(_histories([5, 3]))
        assert split.train_lengths.tolist() == [5 - 2, 3 - 2]
        assert _pairs(split.validation) == [(0, 5 - 2), (1, 5 + 3 - 2)]
        assert _pairs(split.test) == [(0, 5 - 1), (1, 5 + 3 - 1)]

    def test_short_histories_only_train(self):
        split = leave_one_out(_histories([1, 2, 3]))
        assert split.train_lengths.tolist() == [1, 2, 1]
        assert _pairs(split.test) == [(2, 1 + 2 + 3 - 1)]

    def test_is_empty_without_customers(self):
        split = leave_one_out(_histories([]))
        assert split.train_lengths.shape == (0,)
        assert len(split.validation) == len(split.test) == 0

    @settings(deadline=None)
    @given(st.lists(st.integers(min_value=1, max_value=20), max_size=30))
    def test_every_interaction_has_exactly_one_role(self, lengths):
        histories = _histories(lengths)
        split = leave_one_out(histories)
        trained = [
            place
            for first, length in zip(histories.offsets, split.train_lengths, strict=False)
            for place in range(first, first + length)
        ]
        roles = trained + split.validation.place.tolist() + split.test.place.tolist()
        assert sorted(roles) == list(range(sum(lengths)))
        assert all(split.train_lengths >= 1)
        assert split.train_lengths.dtype == split.test.place.dtype == np.int64


class TestTemporal:
    """The log ends on day 10; with 2 + 3 days validation starts on day 5 and test on day 7."""

    @staticmethod
    def _split(lengths: list[int], days: list[float]) -> Split:
        return temporal(_histories(lengths, days), validation_days=2, test_days=3)

    def test_the_first_interaction_of_each_window_is_the_target(self):
        split = self._split([6], [1, 4, 5.5, 6, 8, 10])
        assert split.train_lengths.tolist() == [2]
        assert _pairs(split.validation) == [(0, 2)]
        assert _pairs(split.test) == [(0, 4)]

    def test_a_window_holds_its_beginning_and_not_its_end(self):
        split = self._split([4], [1, 5, 7, 10])
        assert split.train_lengths.tolist() == [1]
        assert _pairs(split.validation) == [(0, 1)]
        assert _pairs(split.test) == [(0, 2)]

    def test_a_customer_without_a_history_before_the_window_has_no_target(self):
        # The second customer appears within the test window: nothing to predict from.
        split = self._split([1, 2], [10, 8, 9])
        assert len(split.validation) == len(split.test) == 0
        assert split.train_lengths.tolist() == [0, 0]

    def test_a_customer_new_in_the_validation_window_is_tested_and_never_trains(self):
        split = self._split([3], [6, 8, 10])
        assert split.train_lengths.tolist() == [0]
        assert len(split.validation) == 0
        assert _pairs(split.test) == [(0, 1)]

    def test_a_customer_who_stops_early_only_trains(self):
        split = self._split([2, 2], [1, 2, 1, 10])
        assert split.train_lengths.tolist() == [2, 1]
        assert _pairs(split.test) == [(1, 3)]

    def test_counting_in_blocks_changes_nothing(self, monkeypatch):
        generator = np.random.default_rng(0)
        lengths = generator.integers(1, 9, 23).tolist()
        days = np.concatenate([np.sort(generator.uniform(0, 10, n)) for n in lengths]).tolist()
        whole = self._split(lengths, days)
        monkeypatch.setattr(splits, "_CUSTOMERS_PER_BLOCK", 4)
        parts = self._split(lengths, days)
        assert whole.train_lengths.tolist() == parts.train_lengths.tolist()
        assert _pairs(whole.validation) == _pairs(parts.validation)
        assert _pairs(whole.test) == _pairs(parts.test)

    @settings(deadline=None)
    @given(st.lists(st.lists(st.floats(0, 10), min_size=1, max_size=8), min_size=1, max_size=12))
    def test_nothing_that_trains_is_later_than_any_target(self, days):
        flat = [day for customer in days for day in sorted(customer)]
        histories = _histories([len(customer) for customer in days], flat)
        split = temporal(histories, validation_days=2, test_days=3)
        times = histories.timestamp_s
        trained = times[is_within(histories.lengths, split.train_lengths)]
        for earlier, later in (
            (trained, times[split.validation.place]),
            (times[split.validation.place], times[split.test.place]),
            (trained, times[split.test.place]),
        ):
            assert not len(earlier) or not len(later) or earlier.max() < later.min()
        for targets in (split.validation, split.test):
            assert (targets.place > histories.offsets[targets.customer]).all()
            assert (targets.place < histories.offsets[targets.customer + 1]).all()

    def test_refuses_a_log_without_times(self):
        with pytest.raises(DataError, match=r"interactions\.timestamp: expected times.*got none"):
            temporal(_histories([4]), validation_days=1, test_days=1)

    def test_refuses_an_empty_log(self):
        with pytest.raises(DataError, match="leave_one_out"):
            temporal(_histories([]), validation_days=1, test_days=1)


class TestMakeSplit:
    def test_makes_the_configured_kind(self):
        histories = _histories([4], [0, 1, 2, 10])
        plain = make_split(histories, SplitConfig())
        assert _pairs(plain.validation) == [(0, 2)]
        windows = SplitConfig(kind="temporal", validation_days=8.5, test_days=1)
        assert _pairs(make_split(histories, windows).validation) == [(0, 1)]

    @pytest.mark.parametrize(
        "wrong", [{"kind": "random"}, {"test_days": 0}, {"validation_days": -1}, {"days": 3}]
    )
    def test_refuses_what_cannot_work(self, wrong):
        with pytest.raises(ValidationError):
            SplitConfig(**wrong)


class TestSplit:
    @pytest.mark.parametrize("lengths", [[5, 2, 3], [1], []])
    def test_reloads_equal(self, lengths, tmp_path):
        split = leave_one_out(_histories(lengths))
        split.save(tmp_path / "split")
        again = Split.load(tmp_path / "split")
        assert again.train_lengths.tolist() == split.train_lengths.tolist()
        assert _pairs(again.validation) == _pairs(split.validation)
        assert _pairs(again.test) == _pairs(split.test)

    def test_names_its_targets(self):
        split = leave_one_out(_histories([3]))
        assert split.targets("validation") is split.validation
        assert split.targets("test") is split.test


class TestTrainingCounts:
    def test_counts_the_training_part_alone(self, monkeypatch):
        histories = Histories(
            item_index=np.array([2, 3, 2, 4, 3, 3, 5], np.int32),
            event_type=np.ones(7, np.int8),
            timestamp_s=np.zeros(7, np.int64),
            offsets=np.array([0, 4, 5, 7], np.int64),
        )
        split = Split(np.array([3, 0, 1]), *[Targets(np.zeros(0, int), np.zeros(0, int))] * 2)
        # Trained: 2, 3, 2 of the first customer, nothing of the second, 3 of the third.
        for per_block in (1, 2, 100):
            monkeypatch.setattr(splits, "_CUSTOMERS_PER_BLOCK", per_block)
            counts = training_counts(histories, split, num_items=7)
            assert counts.tolist() == [0, 0, 2, 1 + 1, 0, 0, 0]

    def test_padding_and_unknown_items_do_not_count(self):
        histories = Histories(
            item_index=np.array([0, 1, 2], np.int32),
            event_type=np.ones(3, np.int8),
            timestamp_s=np.zeros(3, np.int64),
            offsets=np.array([0, 3], np.int64),
        )
        split = Split(np.array([3]), *[Targets(np.zeros(0, int), np.zeros(0, int))] * 2)
        assert training_counts(histories, split, num_items=4).tolist() == [0, 0, 1, 0]


class TestIsWithin:
    def test_marks_the_leading_interactions_of_each_customer(self):
        marks = is_within(np.array([3, 0, 2]), np.array([1, 0, 5]))
        assert marks.tolist() == [True, False, False, True, True]
