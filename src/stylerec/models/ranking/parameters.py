"""Named weights of the ranking model, the same for the same seed whatever was made before them."""

import zlib

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


class Parameters:
    """Creates weights and keeps them by name.

    Args:
        seed: With the weight's name, fixes its initial values.
        initial_std: Standard deviation of the initial noise.

    Attributes:
        initial_std: As given.
        variables: Every weight by name, in order of creation.
    """

    def __init__(self, seed: int, *, initial_std: float = 0.02) -> None:
        self._seed, self.initial_std = seed, initial_std
        self.variables: dict[str, tf.Variable] = {}

    @property
    def trainable(self) -> list[tf.Variable]:
        """Weights that training changes."""
        return [variable for variable in self.variables.values() if variable.trainable]

    def normal(self, name: str, *shape: int) -> tf.Variable:
        """Returns a new weight of small normal noise."""
        seed = (self._seed, zlib.crc32(name.encode()) & 0x7FFFFFFF)
        noise = tf.random.stateless_normal(shape, seed=seed, stddev=self.initial_std)
        return self._keep(name, noise)

    def given(self, name: str, value: NDArray[np.float32]) -> tf.Variable:
        """Returns a new weight that starts as given."""
        return self._keep(name, tf.constant(value))

    def zeros(self, name: str, *shape: int) -> tf.Variable:
        """Returns a new weight of zeros."""
        return self._keep(name, tf.zeros(shape))

    def identity(self, name: str, size: int) -> tf.Variable:
        """Returns a new square weight that starts as the identity."""
        return self._keep(name, tf.eye(size))

    def fixed(self, name: str, value: NDArray[np.float32]) -> tf.Variable:
        """Returns a new weight that training leaves as it is."""
        return self._keep(name, tf.constant(value), is_trainable=False)

    def _keep(self, name: str, value: tf.Tensor, *, is_trainable: bool = True) -> tf.Variable:
        assert name not in self.variables, name
        self.variables[name] = tf.Variable(value, trainable=is_trainable, name=name)
        return self.variables[name]


class ResidualLayers:
    """Dense layers `x + gelu(x W + b) U`, each the identity before training.

    Args:
        parameters: Where the weights are made.
        name: Prefix of their names.
        width: Size of x.
        num_layers: Layers, 0 for none.
    """

    def __init__(self, parameters: Parameters, name: str, *, width: int, num_layers: int) -> None:
        self._layers = [
            (
                parameters.normal(f"{name}.{layer}.inner", width, 2 * width),
                parameters.zeros(f"{name}.{layer}.bias", 2 * width),
                parameters.zeros(f"{name}.{layer}.outer", 2 * width, width),
            )
            for layer in range(num_layers)
        ]

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        """Returns x, `[n, width]`, after all layers."""
        for inner, bias, outer in self._layers:
            # The exact GELU has no valid ONNX form in tf2onnx; the tanh form has.
            hidden = tf.nn.gelu(tf.matmul(x, inner) + bias, approximate=True)
            x = x + tf.matmul(hidden, outer)
        return x
