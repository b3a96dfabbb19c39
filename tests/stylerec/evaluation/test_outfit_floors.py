import math

import numpy as np
import pytest

from stylerec.evaluation.outfit_floors import attribute_pmi_score, cooccurrence_score

TRAIN = [np.array([2, 3, 4]), np.array([2, 3])]


class TestCooccurrenceScore:
    def test_is_the_mean_over_pairs(self):
        score = cooccurrence_score(TRAIN, num_items=6)
        # Pairs 2-3, 2-4, 3-4 share 2, 1 and 1 outfits.
        assert score(np.array([[2, 3, 4], [2, 3, 0]])).tolist() == [4 / 3, 2]

    def test_ignores_order_and_padding(self):
        score = cooccurrence_score(TRAIN, num_items=6)
        one, two = score(np.array([[2, 3, 4, 0], [0, 4, 2, 3]]))
        assert one == two

    def test_is_0_for_items_that_never_meet_or_are_alone(self):
        assert cooccurrence_score(TRAIN, num_items=6)(np.array([[2, 5], [2, 0]])).tolist() == [0, 0]


class TestAttributePmiScore:
    def test_is_the_smoothed_log_ratio_to_chance(self):
        values = [("",), ("",), ("red",), ("blue",), ("red",), ("blue",)]
        score = attribute_pmi_score(TRAIN, values, num_items=6)
        # Red-blue meet 3 times from each side, red-red once (2 from both): the sums are 5 and 3.
        red_blue = math.log((3 + 1) / (5 * 3 / 8 + 1))
        red_red = math.log((2 + 1) / (5 * 5 / 8 + 1))
        found = score(np.array([[2, 3, 0], [2, 4, 0], [2, 3, 4]]))
        assert found == pytest.approx([red_blue, red_red, (2 * red_blue + red_red) / 3], rel=1e-5)

    def test_equal_words_of_two_attributes_are_two_values(self):
        values = [("", ""), ("", ""), ("red", "x"), ("x", "red")]
        score = attribute_pmi_score([np.array([2, 3])], values, num_items=4)
        # Four values, each of which meets two others: sums of 2, 8 in all.
        expected = 4 * math.log((1 + 1) / (2 * 2 / 8 + 1))
        assert score(np.array([[2, 3]])) == pytest.approx([expected], rel=1e-5)
