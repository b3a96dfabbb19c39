import math

import numpy as np
import pytest

from stylerec.data import cooccurrence as module
from stylerec.data.cooccurrence import cooccurrence, spectral_embedding
from stylerec.data.histories import Histories
from stylerec.data.splits import leave_one_out


def histories_of(*customers):
    flat = [item for items in customers for item in items]
    return Histories(
        np.array(flat, np.int32),
        np.ones(len(flat), np.int8),
        np.zeros(len(flat), np.int64),
        np.concatenate([[0], np.cumsum([len(items) for items in customers])]).astype(np.int64),
    )


def counts_of(*customers, window=7, num_items=8):
    histories = histories_of(*customers)
    return cooccurrence(
        histories, leave_one_out(histories), num_items=num_items, window=window, seed=0
    ).toarray()


class TestCooccurrence:
    def test_pairs_weigh_one_over_their_distance_both_ways(self):
        # The last two interactions are held out: 2, 3 and 4 train.
        counts = counts_of([2, 3, 4, 5, 6])
        assert counts[2, 3] == counts[3, 2] == 1.0
        assert counts[2, 4] == counts[4, 2] == 1 / 2
        assert counts.sum() == 2 * (1.0 + 1.0 + 1 / 2)

    def test_held_out_interactions_do_not_count(self):
        counts = counts_of([2, 3, 4, 5, 6])
        assert not counts[5].any()
        assert not counts[6].any()

    def test_pairs_beyond_the_window_do_not_count(self):
        assert counts_of([2, 3, 4, 5, 6], window=1)[2, 4] == 0.0

    def test_customers_do_not_mix(self):
        counts = counts_of([2, 3], [4, 5])
        assert counts[3, 4] == 0.0
        assert counts[2, 3] == counts[4, 5] == 1.0

    def test_unknown_items_do_not_count(self):
        assert counts_of([2, 1], [0, 3]).sum() == 0.0

    def test_repeats_add_up(self):
        assert counts_of([2, 3], [2, 3], [3, 2])[2, 3] == 3.0

    def test_a_long_log_is_sampled_by_whole_customers(self, monkeypatch):
        monkeypatch.setattr(module, "MAX_COUNTED_INTERACTIONS", 5)
        counts = counts_of([2, 3], [2, 3], [2, 3], [2, 3])
        assert counts[2, 3] in (2.0, 3.0)


class TestSpectralEmbedding:
    def embedding(self, *customers, dim=2, num_items=8, seed=0):
        histories = histories_of(*customers)
        return spectral_embedding(
            histories, leave_one_out(histories), num_items=num_items, dim=dim, seed=seed
        )

    def test_items_that_meet_are_closer_than_items_that_do_not(self):
        pairs = [[2, 3], [4, 5]] * 5
        vectors = self.embedding(*pairs)
        assert vectors[2] @ vectors[3] > vectors[2] @ vectors[4] + 0.5

    def test_products_restore_the_mutual_information(self):
        # n_23 = n_32 = 3, n_45 = n_54 = 1; sums 3, 3, 1, 1.
        contexts = 2 * 3**0.75 + 2 * 1**0.75
        information = [math.log(3 * contexts / (3 * 3**0.75)), math.log(contexts / 1)]
        vectors = self.embedding([2, 3], [2, 3], [2, 3], [4, 5], dim=4)
        norms = np.square(vectors).sum(axis=1)
        assert norms[2] / norms[4] == pytest.approx(information[0] / information[1], rel=1e-4)

    def test_root_mean_square_is_one_and_unseen_items_are_zero(self):
        vectors = self.embedding([2, 3], [3, 4], [4, 2], dim=3)
        assert np.square(vectors[2:5]).mean() == pytest.approx(1.0, rel=1e-5)
        assert not vectors[5:].any()

    def test_is_the_same_for_a_seed(self):
        pairs = [[2, 3, 4, 5, 6, 7]] * 3 + [[3, 5, 7, 2, 4]]
        np.testing.assert_array_equal(self.embedding(*pairs), self.embedding(*pairs))

    def test_is_zero_without_pairs(self):
        assert not self.embedding([2], [3], dim=4).any()

    def test_more_dimensions_than_items_are_zero(self):
        vectors = self.embedding([2, 3], [3, 4], dim=12)
        assert vectors.shape == (8, 12)
        assert np.isfinite(vectors).all()
