"""What words and categories say about two items that no other outfit holds.

Every item has tokens: its words, its category, and both again bound to its product type, because
"leather" on a shoe and on a bag are two things. What they say about a pair of items:

- Tokens that meet on different items of training outfits oftener than by chance attract each other;
  a spectral embedding of these attractions also reaches tokens that never met (Levy and Goldberg,
  "Neural Word Embedding as Implicit Matrix Factorization", NIPS 2014).
- Rare words that both items have, such as a brand or a print, need no training outfit.
- Words tell what an item costs for its category, and stylists mix price tiers seldom. Prices of
  training items alone are read; an item's own is not needed.

V rows of the vocabulary, K tokens, T tokens of an item, P pairs, D dimensions.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import eigsh, lsqr

from stylerec.data.outfit_evidence import Counts, is_worn, worn_together
from stylerec.data.outfits import ITEM_INDEX, Outfit
from stylerec.features.content import text_words
from stylerec.schema.columns import CATEGORY, PRICE, PRODUCT_TYPE, TITLE
from stylerec.schema.tensors import FIRST_ITEM_INDEX

Tokens = list[list[str]]
"""Every item's tokens, V lists."""

_MIN_ITEMS = 3
"""Tokens on fewer training items than this are left out."""
_MAX_VOCABULARY = 8_000
"""Tokens of a kind, the most frequent ones: attractions of all pairs are held at once."""
_MAX_TOKENS = 24
"""T at most; later ones of a longer title are left out."""
_CONTEXT_EXPONENT = 0.75
_BLOCK = 10_000
_PRICE_PENALTY = 10.0
"""Of a word's squared effect on the log price, in items."""
_PRICE_SMOOTHING = 5.0
"""Items of the product type that a category's mean log price counts besides its own."""


class WordEvidence:
    """Channels of evidence about pairs of items from their tokens; a `Channels`.

    Args:
        train: Training outfits.
        items: Canonical item columns plus `item_index`; title, category, product type and, of items
            of training outfits, price are read; a column may be absent.
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
        dim: int = 64,
        seed: int = 0,
    ) -> None:
        words, bound, category = item_tokens(items, num_items)
        is_trained_V = is_worn(train, num_items=num_items)
        together_VV = worn_together(train, num_items=num_items)
        self._spaces = [
            _TokenSpace(tokens, is_trained_V, together_VV, dim=dim, seed=seed)
            for tokens in (words, bound, category)
        ]
        self._shared = _SharedWords(words, is_trained_V)
        self._tier_V = _price_tier(items, words, is_trained_V)

    def channels(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns the evidence about each pair, `[P, 13]`.

        Per kind of token (words, bound, category) the mean attraction, the strongest one and the
        embeddings' cosine; of shared words the cosine and the rarest one's weight; of the price
        tiers the distance and the product.
        """
        left_tier_P, right_tier_P = self._tier_V[left_P], self._tier_V[right_P]
        tiers = np.stack([np.abs(left_tier_P - right_tier_P), left_tier_P * right_tier_P], axis=1)
        said = [space.channels(left_P, right_P) for space in self._spaces]
        return np.concatenate([*said, self._shared.channels(left_P, right_P), tiers], axis=1)


class _TokenSpace:
    """One kind of token: how its tokens attract each other, and where they lie."""

    def __init__(
        self,
        tokens: Tokens,
        is_trained_V: NDArray[np.bool_],
        together_VV: Counts,
        *,
        dim: int,
        seed: int,
    ) -> None:
        self._token_VT, size = token_table(tokens, is_trained_V)
        has_VK = _membership(self._token_VT, size)
        self._attraction_KK, positive_KK = _attraction(has_VK, together_VV)
        self._size_V = np.maximum((self._token_VT > 0).sum(axis=1), 1)
        style_VD = has_VK @ _spectral(positive_KK, dim, seed)
        length_V1 = np.linalg.norm(style_VD, axis=1, keepdims=True)
        self._style_VD = style_VD / np.maximum(length_V1, 1e-9)

    def channels(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        found = np.zeros((len(left_P), 3))
        for start in range(0, len(left_P), _BLOCK):
            left, right = left_P[start : start + _BLOCK], right_P[start : start + _BLOCK]
            met_PTT = self._attraction_KK[
                self._token_VT[left][:, :, None], self._token_VT[right][:, None, :]
            ]
            rows = found[start : start + _BLOCK]
            rows[:, 0] = met_PTT.sum(axis=(1, 2)) / (self._size_V[left] * self._size_V[right])
            rows[:, 1] = met_PTT.max(axis=(1, 2))
            rows[:, 2] = (self._style_VD[left] * self._style_VD[right]).sum(axis=1)
        return found


class _SharedWords:
    """Words that two items both have, the rarer among training items the weightier."""

    def __init__(self, words: Tokens, is_trained_V: NDArray[np.bool_]) -> None:
        counts = _counts(words, is_trained_V)
        named = [row for row in np.flatnonzero(is_trained_V) if words[row]]
        column = {word: k for k, word in enumerate(dict.fromkeys(w for own in words for w in own))}
        weight_K = np.array([np.log((len(named) + 1) / (counts[word] + 1)) for word in column])
        rows = np.repeat(np.arange(len(words)), [len(own) for own in words])
        columns = np.array([column[word] for own in words for word in own], dtype=np.int64)
        shape = (len(words), len(column))
        # Roots, so that the product of two items' entries is the shared word's weight.
        self._root_VK = Counts((np.sqrt(weight_K[columns]), (rows, columns)), shape=shape)
        self._weight_VK = Counts((weight_K[columns], (rows, columns)), shape=shape)
        self._length_V = np.sqrt(np.asarray(self._weight_VK.power(2).sum(axis=1)).ravel())

    def channels(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        if not self._root_VK.nnz or not len(left_P):
            return np.zeros((len(left_P), 2))
        product = self._weight_VK[left_P].multiply(self._weight_VK[right_P]).sum(axis=1)
        lengths = self._length_V[left_P] * self._length_V[right_P]
        rarest = self._root_VK[left_P].multiply(self._root_VK[right_P]).max(axis=1).toarray()
        return np.stack([np.asarray(product).ravel() / np.maximum(lengths, 1e-9), rarest], axis=1)


def item_tokens(items: pd.DataFrame, num_items: int) -> tuple[Tokens, Tokens, Tokens]:
    """Returns each item's words, words bound to its type, and category."""
    words: Tokens = [[] for _ in range(num_items)]
    bound: Tokens = [[] for _ in range(num_items)]
    category: Tokens = [[] for _ in range(num_items)]
    titles, own_categories, types = (
        items.get(name, pd.Series([None] * len(items))) for name in (TITLE, CATEGORY, PRODUCT_TYPE)
    )
    for index, title, own, kind in zip(
        items[ITEM_INDEX], titles, own_categories, types, strict=True
    ):
        if index >= FIRST_ITEM_INDEX:
            words[index] = list(dict.fromkeys(map(_singular, text_words(title))))
            category[index] = [own] if isinstance(own, str) else []
            bound[index] = [f"{kind}/{token}" for token in (*words[index], *category[index])]
    return words, bound, category


def _singular(word: str) -> str:
    """Returns an English plural's singular by its ending, so that a boot is found among boots."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("shes", "sses", "ches")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def _counts(tokens: Tokens, is_trained_V: NDArray[np.bool_]) -> Counter[str]:
    """Returns on how many training items each token is."""
    return Counter(
        token for own, used in zip(tokens, is_trained_V, strict=True) if used for token in own
    )


def token_table(tokens: Tokens, is_trained_V: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Returns each item's tokens, int64 `[V, T]` padded with 0, and K, the 0 included."""
    counts = _counts(tokens, is_trained_V)
    frequent = [token for token, n in counts.most_common(_MAX_VOCABULARY) if n >= _MIN_ITEMS]
    column = {token: k for k, token in enumerate(frequent, start=1)}
    known = [[column[t] for t in own if t in column][:_MAX_TOKENS] for own in tokens]
    table = np.zeros((len(tokens), max(1, *map(len, known))), dtype=np.int64)
    for row, own in enumerate(known):
        table[row, : len(own)] = own
    return table, len(column) + 1


def _membership(token_VT: NDArray[np.int64], size: int) -> Counts:
    """Returns which item has which token, `[V, K]` of ones and zeros; the padding has none."""
    rows, places = np.nonzero(token_VT)
    ones = np.ones(len(rows), dtype=np.float32)
    return Counts((ones, (rows, token_VT[rows, places])), shape=(len(token_VT), size))


def _attraction(has_VK: Counts, together_VV: Counts) -> tuple[NDArray[np.float32], Counts]:
    """Returns log((n + 1) / (e + 1)) of tokens that met, and its positive mutual information."""
    met = sparse.coo_array(has_VK.T @ (together_VV @ has_VK))
    total_K = np.asarray(met.sum(axis=1), dtype=np.float64).ravel()
    row, column = met.coords
    chance = total_K[row] * total_K[column] / max(total_K.sum(), 1.0)
    attraction_KK = np.zeros(met.shape, dtype=np.float32)
    attraction_KK[row, column] = np.log((met.data + 1.0) / (chance + 1.0))
    context_K = total_K**_CONTEXT_EXPONENT
    expected = total_K[row] * context_K[column] / max(context_K.sum(), 1.0)
    positive = np.log(np.maximum(met.data / expected, 1.0))
    information = Counts((positive, (row, column)), shape=met.shape)
    return attraction_KK, Counts((information + information.T) / 2)


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


def _price_tier(
    items: pd.DataFrame, words: Tokens, is_trained_V: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Returns how far above its category's an item's log price is by its words, `[V]`.

    Ridge regression on training items; 0 throughout without prices.
    """
    tier_V = np.zeros(len(words))
    if PRICE not in items:
        return tier_V
    rows = items[items[PRICE].gt(0) & is_trained_V[items[ITEM_INDEX]]]
    if rows.empty:
        return tier_V
    log_price = np.log(rows[PRICE])
    kinds, types = (
        rows[name].fillna("") if name in rows else pd.Series("", index=rows.index)
        for name in (CATEGORY, PRODUCT_TYPE)
    )
    of_type = log_price.groupby(types).transform("mean")
    cell = log_price.groupby([types, kinds])
    total, size = cell.transform("sum"), cell.transform("size")
    usual = (total + _PRICE_SMOOTHING * of_type) / (size + _PRICE_SMOOTHING)
    table, num_tokens = token_table(words, is_trained_V)
    has_VK = _membership(table, num_tokens)
    above = (log_price - usual).to_numpy()
    effect_K = lsqr(has_VK[rows[ITEM_INDEX].to_numpy()], above, damp=np.sqrt(_PRICE_PENALTY))[0]
    return np.asarray(has_VK @ effect_K)
