"""What an outfit model has to beat: scores that only count, on the same counter-examples.

V rows of the vocabulary, A attributes, K attribute values, B outfits, N items of the longest.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from stylerec.data.outfit_comparison import Scorer
from stylerec.data.outfit_evidence import Counts, value_pairs, values_at, worn_together
from stylerec.data.outfits import Outfit
from stylerec.schema.tensors import FIRST_ITEM_INDEX

_SMOOTHING = 1.0


def cooccurrence_score(train: Sequence[Outfit], *, num_items: int) -> Scorer:
    """Returns a scorer: the mean, over an outfit's pairs, of the training outfits they share."""
    together = worn_together(train, num_items=num_items)
    return lambda outfits_BN: _mean_of_pairs(
        outfits_BN, lambda left, right: values_at(together, left, right)
    )


def attribute_pmi_score(
    train: Sequence[Outfit], values_VA: Sequence[Sequence[str]], *, num_items: int
) -> Scorer:
    """Returns a scorer: the mean, over an outfit's pairs, of their values' mutual information.

    A pair of items scores the sum of log((n_ab + 1) / (e_ab + 1)) over the values a of the one and
    b of the other, n_ab how often two items with them meet in training and e_ab how often they
    would by chance (Church and Hanks, 1990, smoothed so that a value seen once decides nothing).

    Args:
        train: Training outfits.
        values_VA: The values of each item, the same number for every item; the rows of padding and
            of the unknown item are ignored.
        num_items: V.
    """
    has_value = _has_value(values_VA, num_items)
    met = value_pairs(train, has_value, num_items=num_items)
    total = met.sum(axis=1)
    chance = np.outer(total, total) / max(total.sum(), 1.0)
    information = np.log((met + _SMOOTHING) / (chance + _SMOOTHING)).astype(np.float32)
    informed = np.asarray(has_value @ information)
    dense = has_value.toarray()
    return lambda outfits_BN: _mean_of_pairs(
        outfits_BN, lambda left, right: (informed[left] * dense[right]).sum(axis=1)
    )


def _has_value(values_VA: Sequence[Sequence[str]], num_items: int) -> Counts:
    """Returns which item has which value `[V, K]`; equal words of two attributes are two values."""
    known = pd.DataFrame(list(values_VA)[FIRST_ITEM_INDEX:])
    codes = [pd.factorize(known[column])[0] for column in known]
    sizes = [int(code.max(initial=-1)) + 1 for code in codes]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    columns = np.concatenate([code + begin for code, begin in zip(codes, offsets, strict=False)])
    rows = np.tile(np.arange(FIRST_ITEM_INDEX, num_items), len(codes))
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_array((ones, (rows, columns)), shape=(num_items, int(offsets[-1])))


def _mean_of_pairs(
    outfits_BN: NDArray[np.int64],
    score: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.floating]],
) -> NDArray[np.float64]:
    """Returns the mean score of an outfit's pairs of known items, 0 without a pair."""
    left, right = np.triu_indices(outfits_BN.shape[1], k=1)
    pairs_BP2 = np.stack([outfits_BN[:, left], outfits_BN[:, right]], axis=2)
    is_pair_BP = (pairs_BP2 >= FIRST_ITEM_INDEX).all(axis=2)
    scores_BP = np.zeros(is_pair_BP.shape)
    scores_BP[is_pair_BP] = score(*pairs_BP2[is_pair_BP].T)
    means: NDArray[np.float64] = scores_BP.sum(axis=1) / np.maximum(is_pair_BP.sum(axis=1), 1)
    return means
