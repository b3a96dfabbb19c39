import numpy as np
import pytest

from stylerec.data.synthetic.randomness import Stream, choose, generator, gumbel, sigmoid, unit


class TestGenerator:
    def test_streams_and_keys_differ(self):
        keys = [(Stream.WORLD,), (Stream.CATALOGUE,), (Stream.CUSTOMER, 0), (Stream.CUSTOMER, 1)]
        draws = {float(generator(7, *key).random()) for key in keys}
        assert len(draws) == len(keys)

    def test_same_key_same_draws(self):
        first, second = (generator(7, Stream.CUSTOMER, 5).random(4) for _ in range(2))
        np.testing.assert_array_equal(first, second)


class TestUnit:
    def test_has_length_one_up_to_the_grid(self):
        assert np.linalg.norm(unit(np.array([3.0, 4.0]))) == pytest.approx(1.0, abs=2 / 512)

    def test_lies_on_the_grid(self):
        vectors = unit(np.random.default_rng(0).normal(size=(50, 16))) * 512
        np.testing.assert_array_equal(vectors, np.round(vectors))

    def test_dot_products_do_not_depend_on_the_number_of_rows(self):
        rng = np.random.default_rng(1)
        left, right = unit(rng.normal(size=(257, 16))), unit(rng.normal(size=(16, 16)))
        one_by_one = np.stack([row @ right.T for row in left])
        np.testing.assert_array_equal(left @ right.T, one_by_one)


class TestChoose:
    def test_follows_cumulative_weights(self):
        weights = np.tile([1.0, 0.0, 3.0], (4, 1))
        uniforms = np.array([0.0, 0.24, 0.26, 0.99])
        np.testing.assert_array_equal(choose(weights, uniforms), [0, 0, 2, 2])

    def test_never_chooses_a_leading_zero(self):
        assert choose(np.array([[0.0, 1.0]]), np.array([0.0]))[0] == 1


class TestGumbel:
    def test_is_finite_at_both_ends(self):
        assert np.isfinite(gumbel(np.array([0.0, 1.0], dtype=np.float32))).all()

    def test_argmax_draws_from_the_softmax(self):
        uniforms = np.random.default_rng(2).random((40_000, 2), dtype=np.float32)
        logits = np.log(np.array([1.0, 3.0], dtype=np.float32))
        share = (logits + gumbel(uniforms)).argmax(axis=1).mean()
        assert share == pytest.approx(3 / (1 + 3), abs=4 * np.sqrt(0.75 * 0.25 / 40_000))


class TestSigmoid:
    def test_is_a_half_at_zero(self):
        assert sigmoid(np.zeros(1, dtype=np.float32))[0] == 0.5
