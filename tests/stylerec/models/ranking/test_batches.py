import numpy as np
import pytest

from stylerec.data.histories import Histories
from stylerec.data.splits import Split, leave_one_out
from stylerec.features.assemble import assemble_history
from stylerec.models.ranking import batches
from stylerec.models.ranking.batches import (
    assemble_examples,
    draw_targets,
    examples_per_epoch,
    iterate_epoch,
)


@pytest.fixture
def two_customers() -> Histories:
    return Histories(
        item_index=np.array([2, 3, 4, 5, 6, 7, 8], np.int32),
        event_type=np.array([1, 2, 3, 4, 1, 2, 3], np.int8),
        timestamp_s=np.array([10, 20, 30, 40, 50, 60, 70], np.int64) * 86_400,
        offsets=np.array([0, 4, 7], np.int64),
    )


def epoch_of(histories: Histories, split: Split, seed: int = 0, **sizes: int) -> list:
    sizes = {"examples_per_customer": 100, "batch_size": 32, "max_len": 10, **sizes}
    return list(iterate_epoch(histories, split, rng=np.random.default_rng(seed), **sizes))


class TestAssembleExamples:
    def test_is_what_serving_assembles_from_the_same_rows(self, two_customers: Histories) -> None:
        batch = assemble_examples(
            two_customers, customer=np.array([1, 0]), target_position=np.array([6, 3]), max_len=2
        )
        served = assemble_history(
            item_index=[6, 7, 2, 3, 4],
            event_type=[1, 2, 1, 2, 3],
            timestamp_s=[50 * 86_400, 60 * 86_400, 10 * 86_400, 20 * 86_400, 30 * 86_400],
            lengths=[2, 3],
            as_of_s=[70 * 86_400, 40 * 86_400],
            max_len=2,
        )
        assert batch.history.keys() == served.keys()
        for name, array in served.items():
            np.testing.assert_array_equal(batch.history[name], array)
            assert batch.history[name].dtype == array.dtype
        np.testing.assert_array_equal(batch.target, [8, 5])
        np.testing.assert_array_equal(batch.weight, [1.0, 1.0])

    def test_weighs_each_target_by_its_place(self, two_customers: Histories) -> None:
        batch = assemble_examples(
            two_customers,
            customer=np.array([1, 0]),
            target_position=np.array([6, 3]),
            max_len=2,
            weigh=lambda place: (place / 2).astype(np.float32),
        )
        np.testing.assert_array_equal(batch.weight, [6 / 2, 3 / 2])

    def test_age_is_counted_from_the_target(self, two_customers: Histories) -> None:
        batch = assemble_examples(
            two_customers, customer=np.array([0]), target_position=np.array([2]), max_len=3
        )
        np.testing.assert_array_equal(batch.history["history_item_index"], [[0, 2, 3]])
        np.testing.assert_allclose(batch.history["history_age_days"], [[0, 30 - 10, 30 - 20]])

    def test_a_first_interaction_has_an_empty_history(self, two_customers: Histories) -> None:
        batch = assemble_examples(
            two_customers, customer=np.array([1]), target_position=np.array([4]), max_len=3
        )
        np.testing.assert_array_equal(batch.history["history_item_index"], [[0, 0, 0]])


class TestDrawTargets:
    def test_draws_every_target_once_where_there_are_few(self) -> None:
        owner, place = draw_targets(np.array([4, 1, 0, 3]), 5, np.random.default_rng(0))
        assert list(zip(owner, place, strict=True)) == [(0, 1), (0, 2), (0, 3), (3, 1), (3, 2)]

    def test_draws_one_from_each_stretch_of_a_long_history(self) -> None:
        for seed in range(20):
            _, place = draw_targets(np.array([101]), 4, np.random.default_rng(seed))
            np.testing.assert_array_equal((place - 1) // 25, [0, 1, 2, 3])


class TestIterateEpoch:
    def test_targets_are_in_the_train_part_and_follow_their_history(
        self, histories: Histories
    ) -> None:
        split = leave_one_out(histories)
        pairs = set()
        for customer, end in enumerate(split.train_lengths):
            first = histories.offsets[customer]
            items = histories.item_index[first : first + end].tolist()
            pairs |= {(*items[max(0, t - 10) : t], items[t]) for t in range(1, end)}
        drawn = set()
        for batch in epoch_of(histories, split):
            for row, target in zip(batch.history["history_item_index"], batch.target, strict=True):
                drawn.add((*row[row > 0].tolist(), int(target)))
        assert drawn == pairs

    def test_has_the_announced_number_of_examples(self, histories: Histories) -> None:
        split = leave_one_out(histories)
        drawn = epoch_of(histories, split, examples_per_customer=3)
        expected = sum(min(3, length - 1) for length in split.train_lengths)
        assert sum(len(batch.target) for batch in drawn) == expected
        assert examples_per_epoch(split, 3) == expected

    def test_goes_on_after_the_batches_left_out(self, histories: Histories) -> None:
        split = leave_one_out(histories)
        sizes = {"num_passes": 2, "batch_size": 50}
        whole = epoch_of(histories, split, **sizes)
        rest = epoch_of(histories, split, first_batch=len(whole) - 3, **sizes)
        assert len(rest) == 3
        for batch, same in zip(rest, whole[-3:], strict=True):
            np.testing.assert_array_equal(batch.target, same.target)
            for name, array in batch.history.items():
                np.testing.assert_array_equal(array, same.history[name])

    def test_each_pass_draws_anew(self, histories: Histories) -> None:
        split = leave_one_out(histories)
        batches_of_two = epoch_of(histories, split, num_passes=2, batch_size=10_000)
        first, second = (batch.target for batch in batches_of_two)
        assert (first != second).any()
        np.testing.assert_array_equal(np.sort(first), np.sort(second))

    def test_is_the_same_for_the_same_seed_only(self, histories: Histories) -> None:
        split = leave_one_out(histories)
        first, same, other = (epoch_of(histories, split, seed)[0].target for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, same)
        assert (first != other).any()

    def test_chunks_change_no_example(
        self, histories: Histories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        split = leave_one_out(histories)
        whole = np.concatenate([batch.target for batch in epoch_of(histories, split)])
        monkeypatch.setattr(batches, "CUSTOMERS_PER_CHUNK", 17)
        chunked = np.concatenate([batch.target for batch in epoch_of(histories, split)])
        np.testing.assert_array_equal(np.sort(whole), np.sort(chunked))
