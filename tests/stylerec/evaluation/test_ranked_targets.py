import math
import tracemalloc

import numpy as np
import pytest

from stylerec.data.splits import leave_one_out
from stylerec.evaluation.ranked_targets import LIST_LENGTH, rank_targets


class TestRankTargets:
    def test_ranks_lists_and_describes_each_target(self, ranked, constant):
        # Seen items 2 and 3 are filtered, so 4 is ahead of 5.
        found = ranked(constant([9, 9, 9, 9, 2, 1]), [2, 3, 4], [2, 3, 5])
        assert found.rank.tolist() == [1, 2]
        assert found.top.tolist() == [[4, 5] + [0] * (LIST_LENGTH - 2)] * 2
        assert found.item.tolist() == [4, 5]
        assert found.history_length.tolist() == [2, 2]
        assert found.targets.customer.tolist() == [0, 1]
        assert (len(found), found.num_items, found.num_repeats) == (2, 6, 0)

    def test_a_repeat_is_counted_and_never_scored(self, ranked):
        asked = []

        def scorer(block):
            asked.append(block.targets.tolist())
            return np.tile([0.0, 0.0, 9.0, 9.0, 9.0], (len(block.lengths), 1))

        found = ranked(scorer, [2, 3, 2], [2, 3, 4])
        assert asked == [[4]]
        assert (found.targets.customer.tolist(), found.num_repeats) == ([1], 1)

    def test_results_are_in_target_order_whatever_the_lengths(self, ranked):
        # Scores say the target is rank 1 for the first customer, 2 for the second, ...
        lengths = [9, 3, 7, 4]

        def scorer(block):
            scores = np.zeros((len(block.lengths), 40))
            for row, length in enumerate(block.lengths):
                scores[row, block.targets[row]] = 1.0
                scores[row, 30 : 30 + lengths.index(length + 1)] = 2.0
            return scores

        customers = [list(range(2, 2 + length)) for length in lengths]
        assert ranked(scorer, *customers, block=2).rank.tolist() == [1, 2, 3, 4]

    @pytest.mark.parametrize("block", [1, 3, 100])
    def test_the_block_size_changes_nothing(self, ranked, block):
        generator = np.random.default_rng(0)
        customers = [generator.permutation(np.arange(2, 40))[: 3 + n % 5] for n in range(20)]
        table = generator.random((40, 40))

        def scorer(part):
            return table[part.item_index[np.cumsum(part.lengths) - 1]]

        whole = ranked(scorer, *customers, has_probabilities=True)
        parts = ranked(scorer, *customers, has_probabilities=True, block=block)
        np.testing.assert_array_equal(parts.rank, whole.rank)
        np.testing.assert_array_equal(parts.top, whole.top)
        np.testing.assert_allclose(parts.probability, whole.probability)

    def test_probabilities_are_the_softmax_of_what_was_not_seen(self, ranked, constant):
        found = ranked(constant([7, 7, 7, 7, 2, 1, 0]), [2, 3, 4], has_probabilities=True)
        total = math.exp(2) + math.exp(1) + math.exp(0)
        expected = [math.exp(2) / total, math.exp(1) / total, math.exp(0) / total]
        np.testing.assert_allclose(found.probability[0, :3], expected, rtol=1e-6)
        assert np.isnan(found.probability[0, 3:]).all()

    def test_probabilities_survive_large_scores(self, ranked, constant):
        found = ranked(constant([0, 0, 0, 0, 2_000, 1_999]), [2, 3, 4], has_probabilities=True)
        assert found.probability[0, 0] == pytest.approx(1 / (1 + math.exp(-1)))

    def test_leaves_what_the_scorer_owns_alone(self, ranked):
        table = np.ones((1, 6), np.float32)

        def scorer(block):
            return np.broadcast_to(table, (len(block.lengths), 6))

        ranked(scorer, [2, 3, 4], [2, 3, 5], has_probabilities=True)
        assert table.tolist() == [[1.0] * 6]

    def test_takes_whole_numbers_as_scores(self, ranked):
        found = ranked(lambda block: np.array([[0, 0, 5, 5, 1, 3]]), [2, 3, 4])
        assert found.rank.tolist() == [2]

    def test_a_subset_is_the_same_every_time(self, ranked, constant):
        customers = [[n + 2, n + 3, n + 4] for n in range(50)]
        some = ranked(constant([0.0] * 60), *customers, max_customers=7)
        again = ranked(constant([1.0] * 60), *customers, max_customers=7)
        assert len(some) == 7
        assert some.targets.customer.tolist() == again.targets.customer.tolist()

    def test_weights_follow_their_targets(self, ranked, constant):
        customers = [[n + 2, n + 3, n + 4 if n % 3 else n + 2] for n in range(30)]
        weights = np.arange(1.0, 31.0)
        found = ranked(constant([0.0] * 40), *customers, max_customers=20, weights=weights)
        assert found.weights.tolist() == (found.targets.customer + 1.0).tolist()

    @pytest.mark.parametrize(
        "weights", [[1.0], [1.0, -1.0], [1.0, np.nan], [np.inf, 1.0], [0.0, 0.0]]
    )
    def test_raises_when_weights_cannot_be_right(self, ranked, constant, weights):
        with pytest.raises(ValueError, match="expected 2 finite numbers"):
            ranked(constant([0.0] * 6), [2, 3, 4], [2, 3, 5], weights=np.array(weights))

    def test_takes_no_targets(self, ranked, constant):
        found = ranked(constant([0.0] * 6), [2, 3], [4], has_probabilities=True)
        assert len(found) == 0
        assert found.top.shape == (0, LIST_LENGTH)

    def test_memory_does_not_hold_customers_times_items(self, histories):
        num_customers, num_items, block = 4_000, 3_000, 50
        data = histories(*([2, 3, 4] for _ in range(num_customers)))

        def scorer(part):
            return np.zeros((len(part.lengths), num_items), np.float32)

        tracemalloc.start()
        rank_targets(scorer, data, leave_one_out(data).test, block=block, has_probabilities=True)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # A few arrays of one block, the kept lists, and far less than the 48 MB of the matrix.
        assert peak < 6 * block * num_items * 4 + 500 * num_customers < num_customers * num_items


class TestRankedTargets:
    def test_is_weighted_anew(self, ranked, constant):
        found = ranked(constant([0.0] * 6), [2, 3, 4], [2, 3, 5])
        assert found.weighted(np.array([1.0, 2.0])).weights.tolist() == [1.0, 2.0]
        with pytest.raises(ValueError, match="expected 2 finite numbers"):
            found.weighted(np.ones(3))
