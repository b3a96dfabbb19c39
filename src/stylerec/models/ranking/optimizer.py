"""AdamW in one pass over each weight."""

import tensorflow as tf

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019, algorithm 2).

    As Keras's, which makes a dozen passes over each table in a step; here TensorFlow's fused kernel
    makes one. The moments are plain variables, so that a checkpoint can hold them.

    Args:
        weights: What it trains, by name.
        decayed: Names of those that decay.
        weight_decay: Share of the learning rate by which a weight shrinks in a step.

    Attributes:
        moments: Running means of the gradients and of their squares, by `first.` or `second.` and
            the weight's name.
    """

    def __init__(
        self, weights: dict[str, tf.Variable], *, decayed: set[str], weight_decay: float
    ) -> None:
        self._weights, self._decayed, self._weight_decay = weights, decayed, weight_decay
        self.moments = {
            f"{moment}.{name}": tf.Variable(tf.zeros(weight.shape), trainable=False)
            for moment in ("first", "second")
            for name, weight in weights.items()
        }

    def apply(self, gradients: list[tf.Tensor], *, rate: tf.Tensor, step: tf.Tensor) -> None:
        """Changes every weight once.

        Args:
            gradients: Dense, in the order of the weights.
            rate: Learning rate, float32 scalar.
            step: Steps made before this one, float32 scalar.
        """
        for (name, weight), gradient in zip(self._weights.items(), gradients, strict=True):
            if name in self._decayed and self._weight_decay:
                tf.raw_ops.AssignSubVariableOp(
                    resource=weight.handle, value=weight * (rate * self._weight_decay)
                )
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=self.moments[f"first.{name}"].handle,
                v=self.moments[f"second.{name}"].handle,
                beta1_power=tf.pow(BETA_1, step + 1.0),
                beta2_power=tf.pow(BETA_2, step + 1.0),
                lr=rate,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=EPSILON,
                grad=gradient,
            )
