"""Items whose words are like those of a customer's history. B customers of a block, V items."""

import html

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from stylerec.evaluation.baselines.known import history_matrix
from stylerec.evaluation.blocks import Block, BlockScorer
from stylerec.features.content import column_values
from stylerec.schema.columns import BRAND, CATEGORY, TITLE
from stylerec.schema.tensors import FIRST_ITEM_INDEX

COLUMNS = (TITLE, BRAND, CATEGORY)


def content_knn_scorer(items: pd.DataFrame, *, only_last: bool, max_words: int = 1) -> BlockScorer:
    """Returns a scorer by the cosine of TF-IDF vectors; it knows nothing of other customers.

    It is the yardstick for items that nobody has met yet: they have words all the same.

    Args:
        items: Canonical columns, one row per item in index order.
        only_last: Similar to the newest item of the history; otherwise to the mean of its vectors.
        max_words: Longest phrase that counts as a term, in words.
    """
    vectors = tfidf_vectors(items, max_words=max_words)
    transposed = sparse.csr_array(vectors.T)

    def score(part: Block) -> NDArray[np.float32]:
        history = history_matrix(part, num_items=vectors.shape[0], only_last=only_last)
        # The sum ranks as the mean does: a customer's scores share the divisor.
        return np.asarray((history @ vectors @ transposed).toarray(), dtype=np.float32)

    return score


def has_words(items: pd.DataFrame) -> bool:
    """Returns whether any item has a title, brand or category."""
    return any(document.strip() for document in _documents(items))


def tfidf_vectors(items: pd.DataFrame, *, max_words: int) -> sparse.csr_array[np.float32]:
    """Returns a unit row of TF-IDF weights per item, float32 `[V, terms]`.

    Rows of padding, the unknown item and items without words are zero.

    Args:
        items: Canonical columns, one row per item in index order.
        max_words: Longest phrase that counts as a term, in words.
    """
    vectorizer = TfidfVectorizer(token_pattern=r"\w+", ngram_range=(1, max_words), dtype=np.float32)
    known = vectorizer.fit_transform(_documents(items))
    nothing = sparse.csr_array((FIRST_ITEM_INDEX, known.shape[1]), dtype=np.float32)
    return sparse.csr_array(sparse.vstack([nothing, known]))


def _documents(items: pd.DataFrame) -> list[str]:
    columns = [column_values(items, column) for column in COLUMNS]
    return [
        html.unescape(" ".join(value for value in values if value is not None))
        for values in zip(*columns, strict=True)
    ]
