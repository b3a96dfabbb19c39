import tracemalloc

import numpy as np
import pytest

from stylerec.data.splits import SECONDS_PER_DAY, temporal
from stylerec.evaluation.baselines.known import Known, history_matrix


def met(known):
    return np.argwhere(known.matrix.toarray()).tolist()


class TestKnown:
    def test_holds_what_came_before_the_targets(self, prepared):
        # The second customer is too short to hold anything out.
        data = prepared([2, 3, 4, 5], [2, 6], num_items=8)
        assert met(Known(data, "validation")) == [[0, 2], [0, 3], [1, 2], [1, 6]]
        assert met(Known(data, "test")) == [[0, 2], [0, 3], [0, 4], [1, 2], [1, 6]]

    def test_counts_the_training_part_alone_when_asked(self, prepared):
        data = prepared([2, 3, 4, 5], [2, 6], num_items=8)
        known = Known(data, "test", has_only_training=True)
        assert met(known) == [[0, 2], [0, 3], [1, 2], [1, 6]]

    def test_of_a_customer_without_a_target_counts_what_trains(self, prepared):
        days = [0, 1, 8, 10, 0, 2, 8, 0, 1, 3]
        data = prepared(
            [2, 3, 4, 5],  # A target in both windows.
            [2, 3, 6],  # One in the validation window only.
            [2, 3, 4],  # None.
            num_items=8,
            times=[1 + day * SECONDS_PER_DAY for day in days],
            split=lambda histories: temporal(histories, validation_days=2, test_days=1),
        )
        before_test = [[0, 2], [0, 3], [0, 4], [1, 2], [1, 3], [2, 2], [2, 3], [2, 4]]
        assert met(Known(data, "test")) == before_test

    def test_repeats_count_once(self, prepared):
        matrix = Known(prepared([2, 2], num_items=4), "test").matrix
        assert matrix.toarray().tolist() == [[0, 0, 1, 0]]

    def test_needs_no_customers_by_items_array(self, prepared):
        num_customers, num_items = 20_000, 5_000
        some = np.random.default_rng(0).integers(2, num_items, (num_customers, 4)).tolist()
        data = prepared(*some, num_items=num_items)
        tracemalloc.start()
        matrix = Known(data, "test").matrix
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert matrix.shape == (num_customers, num_items)
        assert peak < num_customers * num_items * 4 / 20

    def test_counts_per_day_are_of_known_interactions(self, prepared):
        data = prepared(
            [2, 3, 3, 4],
            num_items=5,
            times=[5 * SECONDS_PER_DAY + second for second in (0, 7, SECONDS_PER_DAY, 10**6)],
        )
        known = Known(data, "test")
        assert known.first_day == 5
        assert known.counts_per_day.toarray().tolist() == [[0, 0, 1, 1, 0], [0, 0, 0, 1, 0]]

    @pytest.mark.parametrize(("times", "expected"), [([9, 9, 9], True), (None, False)])
    def test_knows_whether_there_are_times(self, prepared, times, expected):
        data = prepared([2, 3, 4], num_items=5, times=times)
        assert Known(data, "test").has_timestamps is expected


class TestHistoryMatrix:
    def test_counts_each_customers_items(self, block):
        matrix = history_matrix(block([3, 2, 3], [4]), num_items=5)
        assert matrix.toarray().tolist() == [[0, 0, 1, 2, 0], [0, 0, 0, 0, 1]]

    def test_counts_the_newest_alone_when_asked(self, block):
        matrix = history_matrix(block([3, 2], [4]), num_items=5, only_last=True)
        assert matrix.toarray().tolist() == [[0, 0, 1, 0, 0], [0, 0, 0, 0, 1]]
