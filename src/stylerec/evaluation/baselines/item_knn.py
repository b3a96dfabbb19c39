"""Item-item nearest neighbours. B customers of a block, V items."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stylerec.evaluation.baselines.known import Known, history_matrix
from stylerec.evaluation.blocks import Block, BlockScorer


def item_knn_scorer(known: Known, *, exponent: float, only_last: bool) -> BlockScorer:
    """Returns a scorer by item-item similarity (Sarwar et al. 2001), in blocks.

    Items a and b that n_a and n_b customers met, n_ab of them both, are `n_ab / (n_a n_b)^p`
    similar. The paper's cosine (section 3.1.1) has the exponent p = 0.5; a smaller one favours
    popular neighbours, a larger one rare pairs. The item-item matrix is never formed: with X the
    matrix whose columns are divided by `n^p` and H the block's histories, the scores are
    `(H X^T) X`.

    Args:
        known: Who met what.
        exponent: p; chosen on validation where it matters.
        only_last: Similar to the newest item of the history; otherwise the sum over all of it.
    """
    count = np.asarray(known.matrix.sum(axis=0), dtype=np.float32)
    scaled = sparse.csr_array(known.matrix * np.maximum(count, 1.0) ** -exponent)
    transposed = sparse.csr_array(scaled.T)

    def score(part: Block) -> NDArray[np.float32]:
        history = history_matrix(part, num_items=known.num_items, only_last=only_last)
        return np.asarray(((history @ transposed) @ scaled).toarray(), dtype=np.float32)

    return score
