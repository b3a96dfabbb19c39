import keras
import numpy as np
import tensorflow as tf

from stylerec.models.ranking.optimizer import AdamW

START = np.array([[1.0, -2.0], [0.5, 3.0]], np.float32)
RATE, DECAY = 0.1, 0.2


def gradients(num_steps: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(num_steps, 2, 2)).astype(np.float32)


def stepped(num_steps: int, *, decayed: set[str]) -> np.ndarray:
    weight = tf.Variable(START)
    optimizer = AdamW({"w": weight}, decayed=decayed, weight_decay=DECAY)
    for step, gradient in enumerate(gradients(num_steps)):
        optimizer.apply(
            [tf.constant(gradient)], rate=tf.constant(RATE), step=tf.constant(step, tf.float32)
        )
    return weight.numpy()


class TestAdamW:
    def test_first_step_is_the_learning_rate_after_decay(self) -> None:
        # Both moments are corrected for their start at 0: the step is rate * sign(gradient).
        expected = START * (1 - RATE * DECAY) - RATE * np.sign(gradients(1)[0])
        np.testing.assert_allclose(stepped(1, decayed={"w"}), expected, rtol=1e-4)

    def test_weights_that_are_not_named_do_not_decay(self) -> None:
        expected = START - RATE * np.sign(gradients(1)[0])
        np.testing.assert_allclose(stepped(1, decayed=set()), expected, rtol=1e-4)

    def test_steps_as_keras_does(self) -> None:
        weight = tf.Variable(START)
        peer = keras.optimizers.AdamW(RATE, weight_decay=DECAY)
        for gradient in gradients(20):
            peer.apply_gradients([(tf.constant(gradient), weight)])
        np.testing.assert_allclose(stepped(20, decayed={"w"}), weight.numpy(), rtol=1e-4)

    def test_a_lazy_table_steps_as_any_other_where_every_row_has_a_gradient(self) -> None:
        weight = tf.Variable(START)
        optimizer = AdamW({"w": weight}, decayed={"w"}, weight_decay=DECAY, lazy={"w"})
        for step, gradient in enumerate(gradients(5)):
            # Row 1 comes in two parts, as where an item is read twice.
            parts = np.stack([gradient[1] * 0.25, gradient[0], gradient[1] * 0.75])
            slices = tf.IndexedSlices(
                tf.constant(parts), tf.constant([1, 0, 1]), tf.constant([2, 2])
            )
            rate, number = tf.constant(RATE), tf.constant(float(step))
            optimizer.apply(optimizer.dense([slices]), rate=rate, step=number)
        np.testing.assert_allclose(weight.numpy(), stepped(5, decayed={"w"}), rtol=1e-4)

    def test_a_lazy_table_stays_where_there_is_no_gradient(self) -> None:
        weight = tf.Variable(START)
        optimizer = AdamW({"w": weight}, decayed={"w"}, weight_decay=DECAY, lazy={"w"})
        slices = tf.IndexedSlices(tf.ones((1, 2)), tf.constant([1]), tf.constant([2, 2]))
        optimizer.apply([slices], rate=tf.constant(RATE), step=tf.constant(0.0))
        np.testing.assert_array_equal(weight[0], START[0])
        np.testing.assert_array_equal(optimizer.moments["first.w"][0], [0.0, 0.0])
        np.testing.assert_allclose(weight[1], START[1] * (1 - RATE * DECAY) - RATE, rtol=1e-4)

    def test_moments_are_all_that_a_restart_needs(self) -> None:
        first = tf.Variable(START)
        before = AdamW({"w": first}, decayed={"w"}, weight_decay=DECAY)
        steps = [tf.constant(float(step)) for step in range(6)]
        for step, gradient in zip(steps[:3], gradients(6)[:3], strict=True):
            before.apply([tf.constant(gradient)], rate=tf.constant(RATE), step=step)
        second = tf.Variable(first.numpy())
        after = AdamW({"w": second}, decayed={"w"}, weight_decay=DECAY)
        for name, moment in after.moments.items():
            moment.assign(before.moments[name].numpy())
        for step, gradient in zip(steps[3:], gradients(6)[3:], strict=True):
            after.apply([tf.constant(gradient)], rate=tf.constant(RATE), step=step)
        np.testing.assert_array_equal(second.numpy(), stepped(6, decayed={"w"}))
