import numpy as np
import pytest
import tensorflow as tf

from stylerec.models.ranking.loss import full_softmax_loss, sampled_softmax_loss

QUERY_BD = np.array([[1.0, 0.0], [0.0, 2.0]], np.float32)
ITEM_ND = np.array([[1.0, 1.0], [2.0, -1.0], [0.5, 0.0]], np.float32)
SCORES = [[1.0, 2.0, 0.5], [2.0, -2.0, 0.0]]


class TestFullSoftmaxLoss:
    def test_is_the_mean_cross_entropy(self) -> None:
        loss = full_softmax_loss(QUERY_BD, ITEM_ND, target_row_B=np.array([1, 0]))
        first = np.log(np.exp(1.0) + np.exp(2.0) + np.exp(0.5)) - 2.0
        second = np.log(np.exp(2.0) + np.exp(-2.0) + np.exp(0.0)) - 2.0
        assert float(loss) == pytest.approx((first + second) / 2)

    def test_is_log_of_catalogue_size_when_scores_are_equal(self) -> None:
        loss = full_softmax_loss(
            np.zeros((4, 2), np.float32), ITEM_ND, target_row_B=np.zeros(4, int)
        )
        assert float(loss) == pytest.approx(np.log(3))


def sampled(target: list[int], negative: list[int], log_expected: list[float]) -> tf.Tensor:
    return sampled_softmax_loss(
        tf.constant(QUERY_BD),
        tf.constant(ITEM_ND[target]),
        tf.constant(ITEM_ND[negative]),
        target_B=tf.constant(target, tf.int64),
        negative_M=tf.constant(negative, tf.int64),
        log_expected_count_M=tf.constant(log_expected, tf.float32),
    )


class TestSampledSoftmaxLoss:
    def test_equals_the_full_softmax_when_every_item_is_drawn_once(self) -> None:
        full = full_softmax_loss(QUERY_BD, ITEM_ND, target_row_B=np.array([1, 0]))
        assert float(sampled([1, 0], [0, 1, 2], [0.0, 0.0, 0.0])) == pytest.approx(float(full))

    def test_divides_each_negative_by_its_expected_count(self) -> None:
        loss = sampled([1, 1], [0, 2], [np.log(2.0), np.log(0.25)])
        first = np.log(np.exp(2.0) + np.exp(1.0) / 2.0 + np.exp(0.5) / 0.25) - 2.0
        second = np.log(np.exp(-2.0) + np.exp(2.0) / 2.0 + np.exp(0.0) / 0.25) + 2.0
        assert float(loss) == pytest.approx((first + second) / 2, rel=1e-6)

    def test_does_not_count_the_target_as_its_own_negative(self) -> None:
        with_hit = sampled([2, 2], [0, 2, 2], [0.0, 0.0, 0.0])
        assert float(with_hit) == pytest.approx(float(sampled([2, 2], [0], [0.0])))

    def test_estimates_the_partition_function_without_bias(self) -> None:
        share = np.array([0.7, 0.2, 0.1])
        rng = np.random.default_rng(0)
        drawn = rng.choice(3, 20_000, p=share)
        expected = np.log(len(drawn) * share[drawn])
        full = full_softmax_loss(QUERY_BD, ITEM_ND, target_row_B=np.array([1, 0]))
        loss = sampled([1, 0], drawn.tolist(), expected.tolist())
        assert float(loss) == pytest.approx(float(full), abs=0.02)
