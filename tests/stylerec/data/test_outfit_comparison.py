import numpy as np
import pandas as pd
import pytest

from stylerec.data.outfit_comparison import (
    Comparison,
    compare,
    draw_comparison,
    guessed_rightly,
)
from stylerec.data.outfit_negatives import Negatives, Questions
from stylerec.errors import DataError

ITEMS = pd.DataFrame({"item_index": np.arange(2, 22), "product_type": ["bag", "dress"] * 10})


class TestGuessedRightly:
    def test_ties_for_the_best_share_the_point(self):
        scores = np.array([[3, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 0, 0]])
        assert guessed_rightly(scores).tolist() == [1, 1 / 2, 1 / 4, 0]


class TestCompare:
    def test_a_scorer_that_knows_the_answer_is_perfect(self):
        questions = Questions(np.array([[2, 0]]), np.array([[3, 5, 7, 9]]), 0)
        comparison = Comparison(np.array([[2, 3]]), np.array([[2, 5]]), questions)
        found = compare(lambda outfits: (outfits == 3).any(axis=1).astype(float), comparison)
        assert (found.auc, found.fitb) == (1, 1)

    def test_a_constant_guesses(self):
        questions = Questions(np.array([[2, 0]]), np.array([[3, 5, 7, 9]]), 0)
        comparison = Comparison(np.array([[2, 3]]), np.array([[2, 5]]), questions)
        found = compare(lambda outfits: np.zeros(len(outfits)), comparison)
        assert (found.auc, found.fitb) == (1 / 2, 1 / 4)


class TestDrawComparison:
    def test_asks_every_outfit_once(self):
        negatives = Negatives(ITEMS, [], num_items=22)
        outfits = [np.array([2, 3]), np.array([4, 5, 6])]
        found = draw_comparison(outfits, negatives, seed=0)
        assert found.true_BN.tolist() == [[2, 3, 0], [4, 5, 6]]
        assert (found.false_BN[:, 0] == [2, 4]).all()
        assert (found.false_BN[:, 1] != [3, 5]).all()
        assert len(found.questions.options) == 2

    def test_refuses_outfits_without_alternatives(self):
        items = pd.DataFrame({"item_index": [2, 3], "product_type": ["bag", "dress"]})
        with pytest.raises(DataError, match="none among 1"):
            draw_comparison([np.array([2, 3])], Negatives(items, [], num_items=4), seed=0)
