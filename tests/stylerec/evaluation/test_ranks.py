import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stylerec.evaluation.ranks import hide_items, ranks_of_targets, top_items

HIDDEN = -np.inf


def _rank(scores, target):
    return ranks_of_targets(np.array([scores]), np.array([target])).tolist()


class TestHideItems:
    def test_takes_padding_unknown_and_the_pairs_out(self):
        scores = np.arange(12, dtype=np.float32).reshape(2, 6)
        hide_items(scores, np.array([0, 1, 1]), np.array([4, 2, 5]))
        assert scores.tolist() == [
            [HIDDEN, HIDDEN, 2, 3, HIDDEN, 5],
            [HIDDEN, HIDDEN, HIDDEN, 9, 10, HIDDEN],
        ]


class TestRanksOfTargets:
    def test_counts_the_better_items(self):
        assert _rank([HIDDEN, HIDDEN, 5.0, 9.0, 7.0, 1.0], 2) == [1 + 2]

    def test_hidden_items_do_not_compete(self):
        assert _rank([HIDDEN, HIDDEN, 5.0, HIDDEN, 7.0, 1.0], 2) == [1 + 1]

    def test_ties_count_against_the_target(self):
        assert _rank([HIDDEN] * 2 + [3.0] * 5, 4) == [5]

    @pytest.mark.parametrize("broken", [np.nan, -np.inf])
    def test_scores_that_are_not_numbers_rank_last(self, broken):
        assert _rank([HIDDEN] * 2 + [broken] * 5, 4) == [5]

    def test_an_item_whose_score_is_not_a_number_is_ahead(self):
        assert _rank([HIDDEN, HIDDEN, 5.0, np.nan, 1.0], 2) == [1 + 1]

    def test_rows_are_independent(self):
        scores = np.array([[HIDDEN, HIDDEN, 1.0, 2.0, 3.0], [HIDDEN, HIDDEN, 3.0, 2.0, 1.0]])
        assert ranks_of_targets(scores, np.array([2, 2])).tolist() == [3, 1]

    @pytest.mark.parametrize("target", [0, 1, 4])
    def test_raises_when_the_target_is_no_item(self, target):
        with pytest.raises(ValueError, match="item indices 2 to 3"):
            _rank([0.0] * 4, target)

    def test_takes_no_rows(self):
        assert ranks_of_targets(np.zeros((0, 4)), np.zeros(0, int)).shape == (0,)

    @settings(deadline=None)
    @given(st.integers(0, 2**32 - 1))
    def test_equals_sorting_without_the_hidden_items(self, seed):
        generator = np.random.default_rng(seed)
        scores = generator.permutation(30).astype(np.float32)[None]
        seen = generator.integers(2, 30, size=6)
        left = [i for i in range(2, 30) if i not in seen]
        target = int(generator.choice(left))
        expected = sorted(left, key=lambda i: -scores[0, i]).index(target) + 1
        hide_items(scores, np.zeros(6, int), seen)
        assert ranks_of_targets(scores, np.array([target])).tolist() == [expected]


class TestTopItems:
    def test_is_best_first(self):
        assert top_items(np.array([[HIDDEN, HIDDEN, 1.0, 3.0, 2.0]]), 2).tolist() == [[3, 4]]

    def test_is_padded_where_fewer_items_compete(self):
        scores = np.array([[HIDDEN, HIDDEN, 1.0, HIDDEN], [HIDDEN, HIDDEN, 1.0, 2.0]])
        assert top_items(scores, 6).tolist() == [[2, 0, 0, 0, 0, 0], [3, 2, 0, 0, 0, 0]]

    def test_takes_no_rows(self):
        assert top_items(np.zeros((0, 900)), 20).shape == (0, 20)

    # From 16 x 2 k items on, groups are compared first; 7 items then belong to no group.
    @pytest.mark.parametrize("num_items", [7, 16 * 2 * 5 - 1, 16 * 2 * 5, 16 * 40 + 7])
    @settings(deadline=None, max_examples=20)
    @given(seed=st.integers(0, 2**32 - 1))
    def test_equals_sorting_the_row(self, num_items, seed):
        generator = np.random.default_rng(seed)
        scores = np.stack([generator.permutation(num_items).astype(np.float32) for _ in range(3)])
        expected = np.argsort(-scores, axis=1)[:, :5]
        np.testing.assert_array_equal(top_items(scores, 5), expected)

    def test_a_row_does_not_depend_on_the_others(self):
        scores = np.random.default_rng(0).integers(0, 5, (8, 900)).astype(np.float32)
        together = top_items(scores, 20)
        for row in range(8):
            np.testing.assert_array_equal(top_items(scores[row : row + 1], 20)[0], together[row])
