"""The content embedding behind the content rung: TF-IDF of words and categories, then SVD."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from stylerec.features.content import column_values, text_words
from stylerec.schema.columns import ATTRIBUTES, CATEGORICAL_ITEM_COLUMNS, DESCRIPTION, TITLE
from stylerec.schema.tensors import FIRST_ITEM_INDEX

_SVD_SEED = 0


def content_embedding(
    items: pd.DataFrame, *, num_dimensions: int, max_words: int
) -> NDArray[np.float32]:
    """Returns float32 `[V, E]` with unit rows, zero where an item has no content.

    Latent semantic analysis (Deerwester et al. 1990): words of title, description and attributes
    and one token per categorical value, weighted by TF-IDF with sublinear frequency, reduced by a
    truncated SVD. A word that names a single item says nothing about its neighbours and is left
    out.

    Args:
        items: Canonical columns, one row per catalogue item in index order.
        num_dimensions: Largest E; fewer where the catalogue has fewer distinct words.
        max_words: Most frequent words kept.
    """
    embedding = np.zeros((len(items) + FIRST_ITEM_INDEX, num_dimensions), dtype=np.float32)
    documents = _documents(items)
    vectorizer = TfidfVectorizer(
        analyzer=_same, sublinear_tf=True, min_df=2, max_features=max_words, dtype=np.float32
    )
    num_documents_of: dict[str, int] = {}
    for document in documents:
        for word in set(document):
            num_documents_of[word] = num_documents_of.get(word, 0) + 1
    num_words = min(max_words, sum(n > 1 for n in num_documents_of.values()))
    if num_words < 2:
        return embedding[:, :1]
    weights = vectorizer.fit_transform(documents)
    width = min(num_dimensions, num_words - 1, len(items) - 1)
    reduced = TruncatedSVD(width, random_state=_SVD_SEED).fit_transform(weights)
    norm = np.linalg.norm(reduced, axis=1, keepdims=True)
    unit = np.divide(reduced, norm, out=np.zeros_like(reduced), where=norm > 1e-6)
    embedding[FIRST_ITEM_INDEX:, :width] = unit
    return np.ascontiguousarray(embedding[:, :width])


def _same(document: list[str]) -> list[str]:
    return document


def _documents(items: pd.DataFrame) -> list[list[str]]:
    texts = zip(*(column_values(items, c) for c in (TITLE, ATTRIBUTES, DESCRIPTION)), strict=True)
    categories = zip(*(column_values(items, c) for c in CATEGORICAL_ITEM_COLUMNS), strict=True)
    return [
        text_words(*parts)
        + [
            f"{column}={value}"
            for column, value in zip(CATEGORICAL_ITEM_COLUMNS, values, strict=True)
            if value is not None
        ]
        for parts, values in zip(texts, categories, strict=True)
    ]
