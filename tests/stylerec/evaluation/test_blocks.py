import numpy as np
import pytest

from stylerec.data.splits import Targets, leave_one_out
from stylerec.evaluation import blocks
from stylerec.evaluation.blocks import (
    Block,
    history_rows,
    is_repeat,
    iterate_blocks,
    subset,
)


def _targets(*places, customers=None):
    return Targets(np.array(customers or range(len(places))), np.array(places))


class TestBlock:
    def test_row_names_the_customer_of_each_interaction(self):
        block = Block(
            item_index=np.array([5, 6, 7, 8]),
            event_type=np.ones(4, int),
            timestamp_s=np.zeros(4, int),
            lengths=np.array([1, 3]),
            targets=np.array([2, 2]),
            as_of_s=np.zeros(2, int),
        )
        assert block.row().tolist() == [0, 1, 1, 1]


class TestSubset:
    def test_is_everything_when_there_are_few(self):
        assert subset(_targets(1, 2, 3), None).tolist() == [0, 1, 2]
        assert subset(_targets(1, 2, 3), 3).tolist() == [0, 1, 2]

    def test_is_ascending_and_the_same_every_time(self):
        targets = _targets(*range(50))
        rows = subset(targets, 7)
        assert len(set(rows)) == 7
        assert rows.tolist() == sorted(rows) == subset(targets, 7).tolist()


class TestIsRepeat:
    @pytest.mark.parametrize("per_check", [1, 2, 100])
    def test_is_what_the_history_before_the_target_holds(self, histories, monkeypatch, per_check):
        monkeypatch.setattr(blocks, "_TARGETS_PER_CHECK", per_check)
        data = histories([2, 3, 2], [2, 3, 4], [5, 6, 6], [7, 8, 9, 7])
        # The last customer buys 7 again, but only after the target.
        targets = _targets(2, 5, 8, 11)
        assert is_repeat(data, targets).tolist() == [True, False, True, False]

    def test_takes_no_targets(self, histories):
        assert is_repeat(histories([2]), _targets()).shape == (0,)


class TestHistoryRows:
    def test_are_everything_before_each_target(self, histories):
        data = histories([2, 3, 4], [5, 6], [7])
        rows, lengths = history_rows(data, _targets(2, 4, 5))
        assert rows.tolist() == [0, 1, 3]
        assert lengths.tolist() == [2, 1, 0]


class TestIterateBlocks:
    def test_every_target_is_in_one_block(self, histories):
        data = histories(*([2] * n for n in (9, 3, 5, 4, 8, 3)))
        targets = leave_one_out(data).test
        found = [(rows.tolist(), part) for rows, part in iterate_blocks(data, targets, 4)]
        assert sorted(row for rows, _ in found for row in rows) == [0, 1, 2, 3, 4, 5]
        for rows, part in found:
            assert part.lengths.tolist() == (data.lengths[rows] - 1).tolist()

    def test_histories_of_like_length_are_together(self, histories):
        data = histories(*([2] * n for n in (9, 3, 8, 3)))
        parts = [part for _, part in iterate_blocks(data, leave_one_out(data).test, 2)]
        assert [part.lengths.tolist() for part in parts] == [[2, 2], [7, 8]]

    def test_sorting_stays_within_a_window(self, histories, monkeypatch):
        monkeypatch.setattr(blocks, "_BLOCKS_PER_WINDOW", 1)
        data = histories(*([2] * n for n in (9, 3, 8, 3)))
        parts = [part for _, part in iterate_blocks(data, leave_one_out(data).test, 2)]
        assert [part.lengths.tolist() for part in parts] == [[2, 8], [2, 7]]

    def test_holds_histories_targets_and_times(self, histories):
        data = histories([2, 3, 4], [5, 6, 7], times=[10, 20, 30, 40, 50, 60])
        ((_, part),) = iterate_blocks(data, leave_one_out(data).test, 8)
        assert part.item_index.tolist() == [2, 3, 5, 6]
        assert part.timestamp_s.tolist() == [10, 20, 40, 50]
        assert part.event_type.tolist() == [4] * 4
        assert part.targets.tolist() == [4, 7]
        assert part.as_of_s.tolist() == [30, 60]
