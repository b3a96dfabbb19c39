import numpy as np
import pytest

from stylerec.data.content_vectors import content_vectors, sparse_indicators
from stylerec.features.item_features import ItemFeatures

DIM = 16


def features_of(tokens, categorical):
    nothing = np.zeros((len(tokens), 0), np.float32)
    return ItemFeatures(
        np.array(tokens, np.int32), np.array(categorical, np.int32), nothing, nothing
    )


class TestContentVectors:
    def test_products_are_cosines_of_words_plus_shared_values(self):
        # Items 2 and 3 share one of two words, each in two of six items.
        tokens = [[0, 0], [0, 0], [1, 2], [1, 3], [2, 3], [0, 0]]
        vectors = content_vectors(features_of(tokens, np.zeros((6, 0))), dim=DIM)
        products = vectors @ vectors.T
        assert products[2, 2] == pytest.approx(1)
        assert products[2, 3] == pytest.approx(0.5)
        assert not vectors[[0, 1, 5]].any()

    def test_a_rare_value_says_more_than_a_common_one(self):
        categorical = [[0], [0], [1], [1], [2], [2], [2], [2], [0]]
        vectors = content_vectors(features_of(np.zeros((9, 0)), categorical), dim=DIM)
        products = vectors @ vectors.T
        assert products[2, 3] == pytest.approx(0.5 * (np.log(9 / 2) / np.log(9)) ** 2)
        assert products[4, 5] == pytest.approx(0.5 * (np.log(9 / 4) / np.log(9)) ** 2)
        assert products[2, 4] == pytest.approx(0)
        assert not vectors[8].any()

    def test_a_projection_keeps_products_nearly(self):
        rng = np.random.default_rng(0)
        tokens = rng.integers(1, 2000, size=(40, 12))
        features = features_of(tokens, rng.integers(1, 5, size=(40, 2)))
        exact, projected = (content_vectors(features, dim=dim) for dim in (2048, 512))
        error = exact @ exact.T - projected @ projected.T
        # A product's standard deviation is about the product of the lengths over sqrt(dim).
        assert np.abs(error).max() < 5 * np.square(exact).sum(axis=1).max() / np.sqrt(512)
        assert np.abs(error).max() > 0
        np.testing.assert_array_equal(content_vectors(features, dim=512), projected)

    def test_without_dimensions_is_empty(self):
        features = features_of([[0], [0], [1]], [[0], [0], [1]])
        assert content_vectors(features, dim=0).shape == (3, 0)


class TestSparseIndicators:
    def test_puts_each_weight_at_its_value(self):
        values = np.array([[0, 0], [2, 0], [1, 2]], np.int32)
        weights = np.array([[9, 9], [0.5, 9], [1, 2]], np.float32)
        assert sparse_indicators(values, weights).toarray().tolist() == [
            [0, 0, 0],
            [0, 0, 0.5],
            [0, 1, 2],
        ]
