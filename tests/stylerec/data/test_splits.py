import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stylerec.data.histories import Histories
from stylerec.data.splits import leave_one_out


def _histories(lengths: list[int]) -> Histories:
    total = sum(lengths)
    return Histories(
        item_index=np.arange(2, 2 + total, dtype=np.int32),
        event_type=np.ones(total, dtype=np.int8),
        timestamp_s=np.zeros(total, dtype=np.int64),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )


class TestLeaveOneOut:
    def test_holds_out_the_last_two_interactions(self):
        split = leave_one_out(_histories([5, 3]))
        assert split.train_lengths.tolist() == [5 - 2, 3 - 2]
        assert split.evaluated.tolist() == [0, 1]

    def test_short_histories_only_train(self):
        split = leave_one_out(_histories([1, 2, 3]))
        assert split.train_lengths.tolist() == [1, 2, 1]
        assert split.evaluated.tolist() == [2]

    def test_is_empty_without_customers(self):
        split = leave_one_out(_histories([]))
        assert split.train_lengths.shape == (0,)
        assert split.evaluated.shape == (0,)

    @settings(deadline=None)
    @given(st.lists(st.integers(min_value=1, max_value=20), max_size=30))
    def test_every_interaction_has_exactly_one_role(self, lengths):
        split = leave_one_out(_histories(lengths))
        assert split.train_lengths.sum() + 2 * len(split.evaluated) == sum(lengths)
        assert all(split.train_lengths >= 1)
        assert split.train_lengths.dtype == split.evaluated.dtype == np.int64
