"""AdamW in one pass over each weight, or over those rows of it that a step touched.

R rows touched, V rows of a table, D its width.
"""

import tensorflow as tf

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019, algorithm 2).

    As Keras's, which makes a dozen passes over each table in a step; here TensorFlow's fused kernel
    makes one. A table of a million items would still be read and written whole for the few
    thousand in a step: tables named lazy change in these rows only, and neither their moments nor
    their decay go on where an item is not in a step.

    Args:
        weights: What it trains, by name.
        decayed: Names of those that decay.
        weight_decay: Share of the learning rate by which a weight shrinks in a step.
        lazy: Names of tables that change in the rows with a gradient only.

    Attributes:
        moments: Running means of the gradients and of their squares, by `first.` or `second.` and
            the weight's name; plain variables, so that a checkpoint can hold them.
    """

    def __init__(
        self,
        weights: dict[str, tf.Variable],
        *,
        decayed: set[str],
        weight_decay: float,
        lazy: set[str] | None = None,
    ) -> None:
        self._weights, self._lazy = weights, lazy or set()
        self._decay = {name: weight_decay if name in decayed else 0.0 for name in weights}
        self.moments = {
            f"{moment}.{name}": tf.Variable(tf.zeros(weight.shape), trainable=False)
            for moment in ("first", "second")
            for name, weight in weights.items()
        }

    def dense(
        self, gradients: list[tf.Tensor | tf.IndexedSlices]
    ) -> list[tf.Tensor | tf.IndexedSlices]:
        """Returns the gradients as `apply` takes them, those of lazy tables as they are."""
        return [
            gradient if name in self._lazy else tf.convert_to_tensor(gradient)
            for name, gradient in zip(self._weights, gradients, strict=True)
        ]

    def apply(
        self,
        gradients: list[tf.Tensor | tf.IndexedSlices],
        *,
        rate: tf.Tensor,
        step: tf.Tensor,
    ) -> None:
        """Changes every weight once.

        Args:
            gradients: In the order of the weights, dense except of lazy tables.
            rate: Learning rate, float32 scalar.
            step: Steps made before this one, float32 scalar.
        """
        for name, gradient in zip(self._weights, gradients, strict=True):
            if isinstance(gradient, tf.IndexedSlices):
                self._apply_to_rows(name, gradient, rate=rate, step=step)
            else:
                self._apply_to_all(name, gradient, rate=rate, step=step)

    def _apply_to_all(
        self, name: str, gradient: tf.Tensor, *, rate: tf.Tensor, step: tf.Tensor
    ) -> None:
        weight = self._weights[name]
        if self._decay[name]:
            tf.raw_ops.AssignSubVariableOp(
                resource=weight.handle, value=weight * (rate * self._decay[name])
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

    def _apply_to_rows(
        self, name: str, gradient: tf.IndexedSlices, *, rate: tf.Tensor, step: tf.Tensor
    ) -> None:
        weight = self._weights[name]
        first, second = (self.moments[f"{moment}.{name}"] for moment in ("first", "second"))
        row_R, place = tf.unique(gradient.indices)
        gradient_RD = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(row_R))
        first_RD = BETA_1 * tf.gather(first, row_R) + (1.0 - BETA_1) * gradient_RD
        second_RD = BETA_2 * tf.gather(second, row_R) + (1.0 - BETA_2) * tf.square(gradient_RD)
        correction = tf.sqrt(1.0 - tf.pow(BETA_2, step + 1.0)) / (1.0 - tf.pow(BETA_1, step + 1.0))
        change_RD = rate * correction * first_RD / (tf.sqrt(second_RD) + EPSILON)
        change_RD += rate * self._decay[name] * tf.gather(weight, row_R)
        for variable, value_RD in ((first, first_RD), (second, second_RD)):
            tf.raw_ops.ResourceScatterUpdate(
                resource=variable.handle, indices=row_R, updates=value_RD
            )
        tf.raw_ops.ResourceScatterSub(resource=weight.handle, indices=row_R, updates=change_RD)
