"""Content as short vectors whose products are how alike two items' content is.

V items, W words and values of columns, F dimensions.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.random_projection import GaussianRandomProjection

from stylerec.features.item_features import ItemFeatures

_COLUMN_WEIGHT = 0.5
"""Product of two items that share the rarest value of a column; of equal texts it is 1."""
_SEED = 0


def content_vectors(features: ItemFeatures, *, dim: int) -> NDArray[np.float32]:
    """Returns vectors whose products estimate the similarity of items' content.

    The similarity is the cosine of the TF-IDF vectors of their words, plus, per column in which
    they have the same value, half the value's inverse document frequency over the largest possible
    one: the same brand says more than the same department. A Gaussian random projection keeps
    products up to an error of `1 / sqrt(dim)` (Johnson and Lindenstrauss 1984). Unlike the largest
    singular vectors it keeps rare words, which tell neighbours from the crowd. Where there are no
    more words and values than dimensions, products are exact.

    Args:
        features: Content of all items.
        dim: F, 0 for none.

    Returns:
        float32 `[V, F]`; the same for the same features, zero for items without content.
    """
    num_items = len(features.text_tokens)
    vectors = np.zeros((num_items, dim), dtype=np.float32)
    if dim == 0:
        return vectors
    blocks = [sparse_indicators(features.text_tokens, features.text_weights())]
    for values in features.categorical.T:
        num_with_value = np.maximum(np.bincount(values), 1)
        rarity = np.log(num_items / num_with_value) / np.log(num_items)
        weights = np.sqrt(_COLUMN_WEIGHT) * np.where(values > 0, rarity[values], 0.0)
        blocks.append(sparse_indicators(values[:, None], weights[:, None].astype(np.float32)))
    content_VW = sparse.csr_array(sparse.hstack(blocks, format="csr"))
    num_values = content_VW.shape[1]
    if num_values <= dim:
        vectors[:, :num_values] = content_VW.toarray()
    else:
        vectors[:] = GaussianRandomProjection(dim, random_state=_SEED).fit_transform(content_VW)
    return vectors


def sparse_indicators(
    values: NDArray[np.int32], weights: NDArray[np.float32]
) -> sparse.csr_array[np.float32]:
    """Returns one row per item with its values' weights, and one column per value.

    Args:
        values: `[V, T]`, 0 where there is none.
        weights: Of each, `[V, T]`.
    """
    row, place = np.nonzero(values)
    num_values = int(values.max()) + 1 if values.size else 1
    entries = (weights[row, place], (row, values[row, place]))
    return sparse.csr_array(entries, shape=(len(values), num_values), dtype=np.float32)
