import numpy as np
import torch

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import Split, Targets, leave_one_out, training_counts
from stylerec.models.next_item.batches import (
    epoch_plan,
    history_before,
    training_batch,
    training_windows,
)


def histories_of(*sequences):
    lengths = [len(sequence) for sequence in sequences]
    items = np.concatenate(sequences).astype(np.int32)
    return Histories(
        item_index=items,
        event_type=np.ones(len(items), dtype=np.int8),
        timestamp_s=86_400 * (1 + np.arange(len(items), dtype=np.int64)),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )


NOBODY = Targets(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def all_trained(histories):
    return Split(histories.lengths, NOBODY, NOBODY)


def epoch_batches(histories, windows, *, batch_targets, seed=0):
    generator = torch.Generator().manual_seed(seed)
    plan = epoch_plan(windows, batch_targets=batch_targets, generator=generator)
    return [training_batch(histories, windows, part) for part in plan]


class TestTrainingWindows:
    def test_cuts_long_histories_from_the_newest_end(self):
        histories = histories_of(range(2, 9))
        windows = training_windows(histories, all_trained(histories), max_len=3)
        # 7 interactions, 3 inputs at most: predict 6-8 from 5-7, and 2-5 from nothing and 2-4.
        assert windows.start.tolist() == [3, 0]
        assert windows.length.tolist() == [4, 4]
        assert windows.is_beginning.tolist() == [False, True]
        assert windows.num_targets.tolist() == [3, 4]

    def test_leaves_out_customers_without_training_interactions(self):
        histories = histories_of([2, 3, 4], [5, 6, 7])
        split = Split(np.array([0, 1]), NOBODY, NOBODY)
        windows = training_windows(histories, split, max_len=3)
        assert (windows.start.tolist(), windows.length.tolist()) == ([3], [1])


class TestTrainingBatchWeights:
    def test_each_target_gets_the_weight_of_its_own_place(self):
        histories = histories_of([2, 3, 4, 5], [6, 7])
        windows = training_windows(histories, all_trained(histories), max_len=5)
        batch = training_batch(
            histories, windows, np.array([0, 1]), weigh=lambda place: place.astype(np.float32) + 10
        )
        assert batch.target.tolist() == [[2, 3, 4, 5], [0, 0, 6, 7]]
        assert batch.weight.tolist() == [[10, 11, 12, 13], [0, 0, 14, 15]]

    def test_a_window_that_goes_on_does_not_predict_its_first_interaction(self):
        histories = histories_of(range(2, 9))
        windows = training_windows(histories, all_trained(histories), max_len=3)
        batch = training_batch(
            histories, windows, np.array([0]), weigh=lambda place: place.astype(np.float32)
        )
        # The window holds places 3 to 6; place 3 is predicted by the one before it.
        assert batch.weight.tolist() == [[0, 4, 5, 6]]


class TestEpochPlan:
    def test_predicts_each_training_interaction_once(self, prepared):
        histories = PreparedData(prepared).histories
        split = leave_one_out(histories)
        windows = training_windows(histories, split, max_len=5)
        batches = epoch_batches(histories, windows, batch_targets=64)
        targets = np.concatenate([batch.target[batch.target > 0].numpy() for batch in batches])
        counts = training_counts(histories, split, num_items=43)
        assert np.array_equal(np.bincount(targets, minlength=43), counts)
        assert counts.sum() == split.train_lengths.sum() == windows.num_targets.sum()
        assert max((batch.target > 0).sum() for batch in batches) <= 64 + 6

    def test_never_holds_out_of_train_items(self):
        histories = histories_of([2, 3, 4, 90, 91], [5, 92])
        split = leave_one_out(histories)
        windows = training_windows(histories, split, max_len=4)
        batches = epoch_batches(histories, windows, batch_targets=8)
        items = torch.cat([b.target.flatten() for b in batches]).unique().tolist()
        assert items == [0, 2, 3, 4, 5, 92]

    def test_pairs_each_position_with_the_next_item(self):
        histories = histories_of([2, 3, 4], [5])
        windows = training_windows(histories, all_trained(histories), max_len=10)
        (batch,) = epoch_batches(histories, windows, batch_targets=99)
        rows = {
            (tuple(items), tuple(targets))
            for items, targets in zip(
                batch.history.item_index.tolist(), batch.target.tolist(), strict=True
            )
        }
        assert rows == {((0, 2, 3), (2, 3, 4)), ((0, 0, 0), (0, 0, 5))}

    def test_is_the_same_for_the_same_seed_only(self, prepared):
        histories = PreparedData(prepared).histories
        windows = training_windows(histories, leave_one_out(histories), max_len=12)

        def first_items(seed):
            batches = epoch_batches(histories, windows, batch_targets=50, seed=seed)
            return [batch.target[0, -1].item() for batch in batches]

        assert first_items(1) == first_items(1) != first_items(2)


class TestHistoryBefore:
    def test_is_asked_at_the_newest_interaction(self):
        history = history_before(histories_of([2, 3, 4]), np.array([0]), np.array([2]), max_len=3)
        assert history.item_index.tolist() == [[0, 2, 3]]
        assert history.age_days.tolist() == [[0.0, 1.0, 0.0]]
