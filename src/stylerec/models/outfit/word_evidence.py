"""What words and categories say about two items that no other outfit holds.

Every item has tokens: its words, its category, and both again bound to its product type, because
"leather" on a shoe and on a bag are two things. Two tokens that meet on different items of training
outfits oftener than by chance attract each other; a spectral embedding of these attractions also
reaches tokens that never met (Levy and Goldberg, "Neural Word Embedding as Implicit Matrix
Factorization", NIPS 2014).

V rows of the vocabulary, K tokens, P pairs, D dimensions.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import eigsh

from stylerec.data.outfit_evidence import Counts, worn_together
from stylerec.data.outfits import ITEM_INDEX, Outfit
from stylerec.features.content import text_words
from stylerec.schema.columns import CATEGORY, PRODUCT_TYPE, TITLE
from stylerec.schema.tensors import FIRST_ITEM_INDEX

_MIN_OUTFITS = 3
"""Tokens on fewer training items than this are left out."""
_SMOOTHING = 1.0
_CONTEXT_EXPONENT = 0.75
_BLOCK = 20_000


class WordEvidence:
    """Channels of evidence about pairs of items from their tokens; a `Channels`.

    Args:
        train: Training outfits.
        items: Canonical item columns plus `item_index`; title, category and product type are read.
        num_items: V.
        dim: D.
        seed: Of the solver's start.
    """

    def __init__(
        self,
        train: Sequence[Outfit],
        items: pd.DataFrame,
        *,
        num_items: int,
        dim: int = 96,
        seed: int = 0,
    ) -> None:
        kinds = _tokens(items, num_items)
        is_trained_V = np.zeros(num_items, dtype=bool)
        is_trained_V[np.concatenate([np.zeros(0, np.int64), *train])] = True
        together_VV = worn_together(train, num_items=num_items)
        self._spaces = [
            _TokenSpace(tokens, is_trained_V, together_VV, dim=dim, seed=seed) for tokens in kinds
        ]

    def channels(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns mean attraction and embeddings' cosine per kind of token, `[P, 2 * kinds]`."""
        return np.concatenate([s.channels(left_P, right_P) for s in self._spaces], axis=1)


class _TokenSpace:
    """One kind of token: how its tokens attract each other, and where they lie."""

    def __init__(
        self,
        tokens: Sequence[Sequence[str]],
        is_trained_V: NDArray[np.bool_],
        together_VV: Counts,
        *,
        dim: int,
        seed: int,
    ) -> None:
        counts = Counter(
            token for own, used in zip(tokens, is_trained_V, strict=True) if used for token in own
        )
        column = {
            token: k for k, token in enumerate(t for t in counts if counts[t] >= _MIN_OUTFITS)
        }
        places = [
            (row, column[token])
            for row, own in enumerate(tokens)
            for token in own
            if token in column
        ]
        rows, columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
        ones = np.ones(len(rows), dtype=np.float32)
        has_VK = sparse.csr_array((ones, (rows, columns)), shape=(len(tokens), len(column)))
        attraction_KK, positive_KK = _attraction(has_VK, together_VV)
        size_V = np.maximum(np.asarray(has_VK.sum(axis=1)).ravel(), 1.0)
        self._mean_VK = Counts(sparse.diags_array(1.0 / size_V) @ has_VK)
        self._attracted_VK = Counts(self._mean_VK @ attraction_KK)
        style_VD = np.asarray(self._mean_VK @ _spectral(positive_KK, dim, seed))
        length_V1 = np.linalg.norm(style_VD, axis=1, keepdims=True)
        self._style_VD = style_VD / np.maximum(length_V1, 1e-9)

    def channels(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        found = np.zeros((len(left_P), 2))
        for start in range(0, len(left_P), _BLOCK):
            left, right = left_P[start : start + _BLOCK], right_P[start : start + _BLOCK]
            shared = self._attracted_VK[left].multiply(self._mean_VK[right])
            found[start : start + _BLOCK, 0] = np.asarray(shared.sum(axis=1)).ravel()
            cosine = (self._style_VD[left] * self._style_VD[right]).sum(axis=1)
            found[start : start + _BLOCK, 1] = cosine
        return found


def _tokens(items: pd.DataFrame, num_items: int) -> tuple[list[list[str]], ...]:
    """Returns each item's words, words bound to its type, and category, `[V]` lists each."""
    words: list[list[str]] = [[] for _ in range(num_items)]
    bound: list[list[str]] = [[] for _ in range(num_items)]
    category: list[list[str]] = [[] for _ in range(num_items)]
    columns = [items.get(name, pd.Series([None] * len(items))) for name in (TITLE, CATEGORY)]
    types = items.get(PRODUCT_TYPE, pd.Series([""] * len(items)))
    for index, title, own, kind in zip(items[ITEM_INDEX], *columns, types, strict=True):
        if index >= FIRST_ITEM_INDEX:
            words[index] = text_words(title)
            bound[index] = [f"{kind}/{word}" for word in text_words(title, own)]
            category[index] = [own] if isinstance(own, str) else []
    return words, bound, category


def _attraction(has_VK: Counts, together_VV: Counts) -> tuple[Counts, Counts]:
    """Returns log((n + 1) / (e + 1)) of tokens that met, and its positive mutual information."""
    met = sparse.coo_array(has_VK.T @ (together_VV @ has_VK))
    total_K = np.asarray(met.sum(axis=1), dtype=np.float64).ravel()
    row, column = met.coords
    chance = total_K[row] * total_K[column] / max(total_K.sum(), 1.0)
    smoothed = np.log((met.data + _SMOOTHING) / (chance + _SMOOTHING))
    context_K = total_K**_CONTEXT_EXPONENT
    expected = total_K[row] * context_K[column] / max(context_K.sum(), 1.0)
    positive = np.log(np.maximum(met.data / expected, 1.0))
    coords = (row, column)
    information = Counts((positive, coords), shape=met.shape)
    return Counts((smoothed, coords), shape=met.shape), Counts((information + information.T) / 2)


def _spectral(positive_KK: Counts, dim: int, seed: int) -> NDArray[np.float64]:
    """Returns U sqrt(L) of the largest eigenvalues L, `[K, D]`; products give attraction."""
    size = positive_KK.shape[0]
    if size <= dim + 1:
        values, directions = np.linalg.eigh(positive_KK.toarray())
    else:
        start = np.random.default_rng(seed).random(size)
        values, directions = eigsh(positive_KK, k=dim, which="LA", v0=start)
    scaled: NDArray[np.float64] = directions * np.sqrt(np.maximum(values, 0.0))
    return scaled
