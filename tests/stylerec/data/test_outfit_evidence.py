import numpy as np
from scipy import sparse

from stylerec.data.outfit_evidence import (
    is_worn,
    membership,
    spectral_style,
    value_pairs,
    worn_together,
)

OUTFITS = [np.array([2, 3, 4]), np.array([2, 3])]


class TestIsWorn:
    def test_marks_the_items_of_every_outfit(self):
        assert is_worn(OUTFITS, num_items=6).tolist() == [False, False, True, True, True, False]

    def test_takes_no_outfit(self):
        assert is_worn([], num_items=2).tolist() == [False, False]


class TestMembership:
    def test_has_a_one_per_item_of_an_outfit(self):
        found = membership(OUTFITS, num_items=5).toarray()
        assert found.tolist() == [[0, 0, 1, 1, 1], [0, 0, 1, 1, 0]]

    def test_takes_no_outfit(self):
        assert membership([], num_items=5).shape == (0, 5)


class TestWornTogether:
    def test_counts_outfits_that_two_items_share(self):
        found = worn_together(OUTFITS, num_items=5).toarray()
        assert (found[2, 3], found[2, 4], found[3, 4]) == (2, 1, 1)
        assert (found == found.T).all()
        assert (np.diag(found) == 0).all()


class TestValuePairs:
    def test_counts_meetings_of_values_on_two_items(self):
        # Items 2 and 4 are red, 3 is blue: red meets blue 1 + 1 times in the first outfit and once
        # in the second, red meets red once, counted from both sides.
        has_value = sparse.csr_array(np.array([[0, 0], [0, 0], [1, 0], [0, 1], [1, 0]]))
        found = value_pairs(OUTFITS, has_value, num_items=5)
        assert found.tolist() == [[2, 3], [3, 0]]


class TestSpectralStyle:
    def test_products_are_the_paths_between_items(self):
        # 2 - 3 - 4 in a row: totals 1, 2, 1, so each step weighs 1 / sqrt(2).
        together = worn_together([np.array([2, 3]), np.array([3, 4])], num_items=6)
        style = spectral_style(together, dim=2, num_steps=2)
        # Of the eigenvalues 1, 0, -1 the first alone counts: its vector is (1/2, 1/sqrt 2, 1/2).
        expected = 2 * np.outer([1 / 2, 0.5**0.5, 1 / 2], [1 / 2, 0.5**0.5, 1 / 2])
        np.testing.assert_allclose(style[2:5] @ style[2:5].T, expected, atol=1e-5)

    def test_items_in_no_outfit_are_zero(self):
        together = worn_together([np.array([2, 3])], num_items=6)
        assert (spectral_style(together, dim=2)[[0, 1, 4, 5]] == 0).all()
