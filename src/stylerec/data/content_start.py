"""Where the weights of a content tower start: a regression of item vectors on the content.

V items, D dimensions, W words, P dense features.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import Ridge

from stylerec.data.content_vectors import sparse_indicators
from stylerec.features.item_features import ItemFeatures

RIDGE = 1.0
_TOLERANCE = 1e-3
_MAX_ITERATIONS = 50


@dataclass(frozen=True)
class ContentStart:
    """Linear content weights, one block per kind of content.

    Attributes:
        words: float32 `[W, D]`, for the words weighted as `ItemFeatures.text_weights` says.
        columns: One float32 `[values, D]` per categorical column.
        dense: float32 `[P, D]`, for the numbers and the picture's features, in this order.
        fitted: float32 `[V, D]`, what they add up to for each item.
    """

    words: NDArray[np.float32]
    columns: tuple[NDArray[np.float32], ...]
    dense: NDArray[np.float32]
    fitted: NDArray[np.float32]


def content_start(
    features: ItemFeatures, vectors: NDArray[np.float32], *, is_trained: NDArray[np.bool_]
) -> ContentStart:
    """Returns the ridge regression of the vectors of trained items on their content.

    An item that nobody has met yet then starts among the items it resembles, and the id part of the
    others starts as what their content does not explain. Gantner et al. 2010 ("Learning
    attribute-to-feature mappings for cold-start recommendations", section 4.2) map content to the
    factors of a finished model; here the mapping is only the start, and goes on learning.

    Args:
        features: Content of all items.
        vectors: What to explain, such as `cooccurrence.spectral_embedding`, `[V, D]`.
        is_trained: Items that have a vector, bool `[V]`.
    """
    sizes = [_num_values(features.text_tokens), *map(_num_values, features.categorical.T)]
    content = _design(features)
    ridge = Ridge(
        alpha=RIDGE,
        fit_intercept=False,
        solver="sparse_cg",
        tol=_TOLERANCE,
        max_iter=_MAX_ITERATIONS,
    )
    ridge.fit(content[np.flatnonzero(is_trained)], vectors[is_trained])
    weights = np.atleast_2d(np.asarray(ridge.coef_, dtype=np.float32)).T
    blocks = np.split(weights, np.cumsum(sizes))
    for block in blocks[:-1]:
        # Value 0 means that there is none.
        block[0] = 0.0
    return ContentStart(
        words=blocks[0],
        columns=tuple(blocks[1:-1]),
        dense=blocks[-1],
        fitted=np.asarray(content @ weights, dtype=np.float32),
    )


def _num_values(indices: NDArray[np.int32]) -> int:
    return int(indices.max()) + 1 if indices.size else 1


def _design(features: ItemFeatures) -> sparse.csr_array[np.float32]:
    """Returns one row per item: weighted words, then one-hot columns, then the dense features."""
    blocks = [sparse_indicators(features.text_tokens, features.text_weights())]
    blocks += [
        sparse_indicators(values[:, None], np.ones((len(values), 1), np.float32))
        for values in features.categorical.T
    ]
    dense = np.concatenate([features.numeric, features.image], axis=1)
    return sparse.csr_array(sparse.hstack([*blocks, sparse.csr_array(dense)], format="csr"))
