import numpy as np
import pytest

from stylerec.data.content_start import RIDGE, content_start
from stylerec.features.item_features import ItemFeatures


def features_of(tokens, categorical=None, numeric=None):
    num_items = len(tokens)
    if categorical is None:
        categorical = np.zeros((num_items, 0))
    if numeric is None:
        numeric = np.zeros((num_items, 0))
    return ItemFeatures(
        np.array(tokens, np.int32),
        np.array(categorical, np.int32),
        np.array(numeric, np.float32),
        np.zeros((num_items, 0), np.float32),
    )


def trained(*items, num_items):
    mask = np.zeros(num_items, dtype=np.bool_)
    mask[list(items)] = True
    return mask


class TestContentStart:
    def test_is_the_ridge_regression_of_one_word(self):
        features = features_of([[0], [0], [1], [1], [1]])
        vectors = np.array([[0.0], [0.0], [2.0], [4.0], [0.0]], np.float32)
        start = content_start(features, vectors, is_trained=trained(2, 3, num_items=5))
        # One word of weight 1: sum of x y over sum of x x plus the ridge.
        assert start.words[1, 0] == pytest.approx((2 + 4) / (1 + 1 + RIDGE), rel=1e-3)

    def test_an_item_that_never_trained_is_fitted_by_what_it_shares(self):
        features = features_of([[0], [0], [1], [1], [1]])
        vectors = np.array([[0.0], [0.0], [2.0], [4.0], [0.0]], np.float32)
        start = content_start(features, vectors, is_trained=trained(2, 3, num_items=5))
        assert start.fitted[4, 0] == pytest.approx(start.fitted[2, 0])
        assert start.fitted[:2].tolist() == [[0.0], [0.0]]

    def test_each_kind_of_content_gets_its_weights(self):
        features = features_of(
            [[0], [0], [1], [0], [0]],
            categorical=[[0, 0], [0, 0], [0, 0], [0, 2], [0, 0]],
            numeric=[[0.0], [0.0], [0.0], [0.0], [3.0]],
        )
        vectors = np.array([[0.0], [0.0], [1.0], [1.0], [1.0]], np.float32)
        start = content_start(features, vectors, is_trained=trained(2, 3, 4, num_items=5))
        assert [len(column) for column in start.columns] == [1, 3]
        assert start.words[1, 0] == pytest.approx(1 / (1 + RIDGE), rel=1e-3)
        assert start.columns[1][2, 0] == pytest.approx(1 / (1 + RIDGE), rel=1e-3)
        assert start.dense[0, 0] == pytest.approx(3 / (9 + RIDGE), rel=1e-3)

    def test_missing_values_weigh_nothing(self):
        features = features_of([[0], [0], [1], [2]], categorical=[[0], [0], [1], [1]])
        vectors = np.ones((4, 3), np.float32)
        start = content_start(features, vectors, is_trained=trained(2, 3, num_items=4))
        assert not start.words[0].any()
        assert not start.columns[0][0].any()
        assert start.words.shape == (3, 3)

    def test_without_any_content_nothing_is_explained(self):
        features = features_of([[0], [0], [0]])
        start = content_start(
            features, np.ones((3, 2), np.float32), is_trained=trained(2, num_items=3)
        )
        assert not start.fitted.any()
