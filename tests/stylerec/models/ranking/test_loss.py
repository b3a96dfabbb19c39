import numpy as np
import pytest
import tensorflow as tf

from stylerec.models.ranking import loss as loss_module
from stylerec.models.ranking.loss import gbce_loss, softmax_loss
from stylerec.models.ranking.negatives import NO_COMPETITOR

QUERY_BD = np.array([[1.0, 0.0], [0.0, 2.0]], np.float32)
ITEM_UD = np.array([[1.0, 1.0], [2.0, -1.0], [0.5, 0.0]], np.float32)
SCORES = [[1.0, 2.0, 0.5], [2.0, -2.0, 0.0]]
TARGET_B = [1, 0]


def softmax(
    query: np.ndarray = QUERY_BD,
    item: np.ndarray = ITEM_UD,
    *,
    target: list[int] = TARGET_B,
    share: tuple[float, ...] = (0.5, 0.5),
    correction: list[float] | None = None,
    dtype: tf.DType = tf.float32,
) -> tuple[float, np.ndarray, np.ndarray]:
    """The loss and its gradients by queries and items."""
    query_BD, item_UD = tf.constant(query), tf.constant(item)
    with tf.GradientTape() as tape:
        tape.watch([query_BD, item_UD])
        loss = softmax_loss(
            query_BD,
            item_UD,
            target_B=tf.constant(target, tf.int64),
            share_B=tf.constant(share, tf.float32),
            correction_U=None if correction is None else tf.constant(correction, tf.float32),
            product_dtype=dtype,
        )
        doubled = 2.0 * loss
    gradients = tape.gradient(doubled, [query_BD, item_UD])
    return float(loss), *(gradient.numpy() / 2.0 for gradient in gradients)


def plain_softmax(
    query: np.ndarray, item: np.ndarray, target: list[int], share: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """The same by TensorFlow's own cross-entropy."""
    query_BD, item_UD = tf.constant(query), tf.constant(item)
    with tf.GradientTape() as tape:
        tape.watch([query_BD, item_UD])
        logits = tf.matmul(query_BD, item_UD, transpose_b=True)
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
        loss = tf.reduce_sum(share * entropy)
    return float(loss), *(g.numpy() for g in tape.gradient(loss, [query_BD, item_UD]))


@pytest.fixture
def large() -> tuple[np.ndarray, np.ndarray, list[int], np.ndarray]:
    """More rows than a tile holds, some targets twice, weights of all sizes."""
    rng = np.random.default_rng(0)
    query = rng.normal(size=(75, 9)).astype(np.float32)
    item = rng.normal(size=(40, 9)).astype(np.float32)
    share = rng.random(75).astype(np.float32)
    return query, item, rng.integers(0, 40, 75).tolist(), share / share.sum()


class TestSoftmaxLoss:
    def test_is_the_weighted_cross_entropy(self) -> None:
        loss, _, _ = softmax(share=(0.25, 0.75))
        first = np.log(np.exp(1.0) + np.exp(2.0) + np.exp(0.5)) - 2.0
        second = np.log(np.exp(2.0) + np.exp(-2.0) + np.exp(0.0)) - 2.0
        assert loss == pytest.approx(0.25 * first + 0.75 * second)

    def test_is_log_of_catalogue_size_when_scores_are_equal(self) -> None:
        loss, _, _ = softmax(np.zeros((2, 2), np.float32))
        assert loss == pytest.approx(np.log(3))

    @pytest.mark.parametrize("tile_elements", [1, 33 * 40, 10_000])
    def test_loss_and_gradients_are_the_plain_ones_whatever_the_tiles(
        self, large, tile_elements: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(loss_module, "_TILE_ELEMENTS", tile_elements)
        query, item, target, share = large
        found = softmax(query, item, target=target, share=share)
        for value, expected in zip(found, plain_softmax(*large), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)

    def test_bfloat16_products_stay_close(self, large) -> None:
        query, item, target, share = large
        found = softmax(query, item, target=target, share=share, dtype=tf.bfloat16)
        for value, expected in zip(found, plain_softmax(*large), strict=True):
            error = np.linalg.norm(value - expected) / np.linalg.norm(expected)
            # bfloat16 keeps 8 bits.
            assert error < 2**-7

    def test_stays_finite_when_the_target_is_far_behind(self) -> None:
        loss, by_query, _ = softmax(np.array([[200.0, 0.0]], np.float32), target=[2], share=(1.0,))
        assert 80.0 < loss < 1_000.0
        # All of the probability is on item 1, whose row is taken from the target's.
        np.testing.assert_allclose(by_query, [ITEM_UD[1] - ITEM_UD[2]], rtol=1e-5)

    def test_is_not_a_number_when_a_score_is_not(self) -> None:
        assert np.isnan(softmax(np.array([[np.nan, 0.0]] * 2, np.float32))[0])


class TestSampledSoftmaxLoss:
    def test_equals_the_full_softmax_when_every_item_is_expected_once(self) -> None:
        for value, full in zip(softmax(correction=[0.0, 0.0, 0.0]), softmax(), strict=True):
            np.testing.assert_allclose(value, full, rtol=1e-5, atol=1e-7)

    def test_divides_each_negative_by_its_expected_count_but_never_the_target(self) -> None:
        loss, _, _ = softmax(target=[1, 1], correction=[np.log(2.0), np.log(9.0), np.log(0.25)])
        first = np.log(np.exp(2.0) + np.exp(1.0) / 2.0 + np.exp(0.5) / 0.25) - 2.0
        second = np.log(np.exp(-2.0) + np.exp(2.0) / 2.0 + np.exp(0.0) / 0.25) + 2.0
        assert loss == pytest.approx((first + second) / 2, rel=1e-6)

    def test_a_target_that_was_not_drawn_competes_in_its_own_row_only(self) -> None:
        loss, _, _ = softmax(correction=[0.0, NO_COMPETITOR, 0.0])
        # Item 1 is the target of the first row; the second row does not see it.
        first = np.log(np.exp(1.0) + np.exp(2.0) + np.exp(0.5)) - 2.0
        second = np.log(np.exp(2.0) + np.exp(0.0)) - 2.0
        assert loss == pytest.approx((first + second) / 2, rel=1e-6)

    def test_gradients_are_those_of_the_corrected_scores(self, large) -> None:
        query, item, target, share = large
        correction = np.random.default_rng(1).normal(size=40).astype(np.float32)
        query_BD, item_UD = tf.constant(query), tf.constant(item)
        is_own_BU = tf.one_hot(target, 40, dtype=tf.float32)
        with tf.GradientTape() as tape:
            tape.watch([query_BD, item_UD])
            scores = tf.matmul(query_BD, item_UD, transpose_b=True)
            logits = scores - correction * (1.0 - is_own_BU)
            own = tf.reduce_sum(logits * is_own_BU, axis=1)
            loss = tf.reduce_sum(share * (tf.reduce_logsumexp(logits, axis=1) - own))
        found = softmax(query, item, target=target, share=share, correction=correction.tolist())
        expected = (loss, *tape.gradient(loss, [query_BD, item_UD]))
        for value, plain in zip(found, expected, strict=True):
            np.testing.assert_allclose(value, plain, rtol=1e-4, atol=1e-6)


def gbce(draws: list[float], *, rate: float, calibration: float) -> float:
    return float(
        gbce_loss(
            tf.constant(QUERY_BD),
            tf.constant(ITEM_UD),
            target_B=tf.constant(TARGET_B, tf.int64),
            share_B=tf.constant([0.25, 0.75]),
            draws_U=tf.constant(draws, tf.float32),
            sampling_rate=rate,
            calibration=calibration,
        )
    )


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + np.exp(-x))


class TestGbceLoss:
    def test_is_the_mean_over_target_and_negatives(self) -> None:
        rate, calibration = 0.5, 0.75
        beta = rate * (calibration * (1 - 1 / rate) + 1 / rate)
        # Item 2 was drawn twice, item 1 not at all, item 0 once: row 1's own target.
        first = -beta * np.log(sigmoid(2.0))
        first -= np.log(1 - sigmoid(1.0)) + 2 * np.log(1 - sigmoid(0.5))
        second = -beta * np.log(sigmoid(2.0)) - 2 * np.log(1 - sigmoid(0.0))
        expected = (0.25 * first + 0.75 * second) / (1 + 3)
        found = gbce([1.0, 0.0, 2.0], rate=rate, calibration=calibration)
        assert found == pytest.approx(expected, rel=1e-6)

    def test_without_calibration_it_is_binary_cross_entropy(self) -> None:
        first = -np.log(sigmoid(2.0)) - np.log(1 - sigmoid(0.5))
        second = -np.log(sigmoid(2.0)) - np.log(1 - sigmoid(0.0))
        expected = (0.25 * first + 0.75 * second) / (1 + 1)
        assert gbce([0.0, 0.0, 1.0], rate=0.1, calibration=0.0) == pytest.approx(expected)
