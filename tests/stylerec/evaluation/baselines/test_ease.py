import numpy as np
import pytest
from scipy import sparse

from stylerec.errors import ConfigError
from stylerec.evaluation.baselines import ease
from stylerec.evaluation.baselines.ease import ease_scorer, ease_weights
from stylerec.evaluation.baselines.known import Known


class TestEaseWeights:
    def test_is_the_closed_form_by_hand(self):
        # Two pairs of items that never meet each other. Within a pair met a and b times, c of them
        # together, P is 1 / det [[b + l, -c], [-c, a + l]], and -P_12 / P_22 = c / (a + l).
        pairs = [[1, 1, 0, 0]] * 3 + [[1, 0, 0, 0]] * 2 + [[0, 0, 1, 1]] * 4 + [[0, 0, 0, 1]]
        weights = ease_weights(sparse.csr_array(np.array(pairs, np.float32)), regularisation=2.0)
        expected = np.zeros((4, 4))
        expected[0, 1], expected[1, 0] = 3 / (5 + 2), 3 / (3 + 2)
        expected[2, 3], expected[3, 2] = 4 / (4 + 2), 4 / (5 + 2)
        np.testing.assert_allclose(weights, expected, atol=1e-6)

    @pytest.mark.parametrize("columns_per_copy", [1_024, 3])
    def test_is_equation_8(self, monkeypatch, columns_per_copy):
        monkeypatch.setattr(ease, "_COLUMNS_PER_COPY", columns_per_copy)
        met = (np.random.default_rng(0).random((40, 10)) < 0.3).astype(np.float32)
        inverse = np.linalg.inv(met.T.astype(np.float64) @ met + 5.0 * np.eye(10))
        expected = -inverse / np.diagonal(inverse)
        np.fill_diagonal(expected, 0.0)
        found = ease_weights(sparse.csr_array(met), regularisation=5.0)
        np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_predicts_each_item_least_wrong_without_itself(self):
        # Equation 8 is ridge regression of every item on all others.
        met = (np.random.default_rng(1).random((60, 6)) < 0.4).astype(np.float32)
        weights = ease_weights(sparse.csr_array(met), regularisation=3.0)
        for item in range(6):
            others = np.delete(met, item, axis=1)
            ridge = np.linalg.solve(others.T @ others + 3.0 * np.eye(5), others.T @ met[:, item])
            np.testing.assert_allclose(np.delete(weights[:, item], item), ridge, atol=1e-4)

    def test_raises_when_the_matrix_is_not_positive_definite(self):
        same = sparse.csr_array(np.ones((50, 2), np.float32))
        with pytest.raises(ConfigError, match="positive definite, got 0; try a larger"):
            ease_weights(same, regularisation=0.0)


class TestEaseScorer:
    def test_scores_the_sum_of_the_weights_of_the_history(self, prepared, block):
        # a = 2 met item 2, b = 2 met item 5, c = 1 both; lambda 1. Items 3 and 4 nobody met.
        known = Known(prepared([2, 5], [2], [5], num_items=6), "test")
        scores = ease_scorer(known, regularisation=1.0)(block([2], [5, 5], [3]))
        weight = pytest.approx(1 / (2 + 1))
        assert scores.tolist() == [
            [0, 0, 0, 0, 0, weight],
            [0, 0, weight, 0, 0, 0],
            [0, 0, 0, 0, 0, 0],
        ]

    def test_raises_when_customers_met_too_many_items(self, prepared):
        known = Known(prepared([2, 3, 4], [5], num_items=9), "validation")
        assert ease_scorer(known, regularisation=1.0, max_items=2)
        with pytest.raises(ConfigError, match="at most 1 items that customers met, got 2"):
            ease_scorer(known, regularisation=1.0, max_items=1)
