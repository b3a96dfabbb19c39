"""Seeded streams and the few draws everything else is made of.

Styles are rounded to multiples of 1/512 so that a dot product of two of them is exact in float32:
the sum cannot depend on how many rows are computed at once, and so neither can the written bytes.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_GRID = 512.0
_SMALLEST = 1e-7


class Stream(IntEnum):
    """What a random stream is for; each has its own branch of the seed's sequence."""

    WORLD = 0
    CATALOGUE = 1
    CUSTOMER = 2
    OUTFITS = 3
    PROMOTION = 4


def generator(seed: int, stream: Stream, *key: int) -> np.random.Generator:
    """Returns the generator of one stream, such as that of customer `key`."""
    sequence = np.random.SeedSequence(seed, spawn_key=(int(stream), *key))
    return np.random.Generator(np.random.PCG64(sequence))


def on_grid(vectors: NDArray[np.floating]) -> FloatArray:
    """Returns the vectors rounded to multiples of 1/512, float32."""
    return (np.round(vectors * _GRID) / _GRID).astype(np.float32)


def unit(vectors: NDArray[np.floating]) -> FloatArray:
    """Returns the vectors scaled to length 1 along the last axis, then put on the grid."""
    wide = np.asarray(vectors, dtype=np.float64)
    length = np.sqrt(np.square(wide).sum(axis=-1, keepdims=True))
    return on_grid(wide / np.maximum(length, 1e-9))


def gumbel(uniforms: FloatArray) -> FloatArray:
    """Returns standard Gumbel noise from uniforms in [0, 1): adding it makes argmax a softmax draw.

    https://en.wikipedia.org/wiki/Gumbel_distribution#Gumbel_reparameterization_tricks
    """
    wide = np.clip(uniforms.astype(np.float64), _SMALLEST, 1.0 - _SMALLEST)
    return np.asarray(-np.log(-np.log(wide)), dtype=np.float32)


def sigmoid(logits: FloatArray) -> FloatArray:
    """Returns 1 / (1 + exp(-logits))."""
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float32)


def choose(weights: NDArray[np.floating], uniforms: NDArray[np.floating]) -> IntArray:
    """Returns one column per row, drawn in proportion to `weights` `[n, k]` by `uniforms` `[n]`."""
    cumulative = np.cumsum(weights, axis=-1, dtype=np.float64)
    cut = uniforms[..., None] * cumulative[..., -1:]
    chosen = (cumulative <= cut).sum(axis=-1)
    return np.asarray(np.minimum(chosen, weights.shape[-1] - 1), dtype=np.int64)
