"""Catalogue rows to the content arrays that item towers take: text, categories, price, picture."""

import html
import re
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.features.item_features import ItemFeatures
from stylerec.features.pictures import colour_grid
from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.columns import (
    ATTRIBUTES,
    CATEGORICAL_ITEM_COLUMNS,
    DESCRIPTION,
    ITEM_ID,
    PRICE,
    SALE_PRICE,
    TITLE,
)
from stylerec.schema.tensors import FIRST_ITEM_INDEX

NUM_TEXT_BUCKETS = 8192
"""Embedding rows for hashed words; bucket 0 is padding."""
MAX_TEXT_TOKENS = 24
"""Distinct words kept per item, title first."""

_WORD = re.compile(r"\w+")


def text_words(*texts: object) -> list[str]:
    """Returns the distinct lower-cased words of texts and lists of texts, in order of appearance.

    Missing values are skipped and HTML entities decoded, as scraped catalogues hold both.
    """
    words: dict[str, None] = {}
    for text in texts:
        if isinstance(text, str):
            words.update(dict.fromkeys(_WORD.findall(html.unescape(text).lower())))
        elif isinstance(text, Iterable):
            words.update(dict.fromkeys(text_words(*text)))
    return list(words)


def text_bucket(word: str) -> int:
    """Returns the word's bucket, 1 to `NUM_TEXT_BUCKETS - 1`, the same in every process."""
    return 1 + zlib.crc32(word.encode("utf-8")) % (NUM_TEXT_BUCKETS - 1)


def build_item_features(
    items: pd.DataFrame, vocabulary: Vocabulary, images: NDArray[np.uint8] | None
) -> ItemFeatures:
    """Returns the content features of every item, rows in index order.

    Args:
        items: Canonical item columns, rows in any order; absent columns count as missing. An item
            of the vocabulary without a row here keeps all-zero features.
        vocabulary: Item ids and categorical values.
        images: uint8 `[V, S, S, 3]` in index order, or None without pictures.

    Raises:
        ValueError: A row names an item outside the vocabulary, or `images` has another length.
    """
    rows = vocabulary.encode_items(items[ITEM_ID])
    if (rows < FIRST_ITEM_INDEX).any():
        raise ValueError(f"items: {(rows < FIRST_ITEM_INDEX).sum()} rows not in the vocabulary")
    num_items = vocabulary.num_items
    if images is not None and len(images) != num_items:
        raise ValueError(f"images: expected {num_items} rows, got {len(images)}")

    def scattered(values: NDArray[Any]) -> NDArray[Any]:
        table = np.zeros((num_items, values.shape[1]), dtype=values.dtype)
        table[rows] = values
        return table

    return ItemFeatures(
        text_tokens=scattered(_text_tokens(items)),
        categorical=scattered(_categorical(items, vocabulary)),
        numeric=scattered(_numeric(items)),
        image=np.zeros((num_items, 0), np.float32) if images is None else colour_grid(images),
    )


def column_values(items: pd.DataFrame, column: str) -> list[Any]:
    """Returns a column's values with None for missing ones, all None if the column is absent."""
    if column not in items:
        return [None] * len(items)
    return [
        None if value is None or value is pd.NaT or value is pd.NA or value != value else value
        for value in _scalars(items[column])
    ]


def _scalars(column: pd.Series) -> Sequence[Any]:
    # A list cell compares elementwise with itself: a tuple compares as one value.
    return [tuple(v) if isinstance(v, list | np.ndarray) else v for v in column]


def _text_tokens(items: pd.DataFrame) -> NDArray[np.int32]:
    """Returns int32 `[n, MAX_TEXT_TOKENS]`, right padded with 0."""
    tokens = np.zeros((len(items), MAX_TEXT_TOKENS), dtype=np.int32)
    texts = zip(
        *(column_values(items, column) for column in (TITLE, ATTRIBUTES, DESCRIPTION)), strict=True
    )
    buckets: dict[str, int] = {}
    for row, parts in enumerate(texts):
        words = text_words(*parts)[:MAX_TEXT_TOKENS]
        for word in words:
            if word not in buckets:
                buckets[word] = text_bucket(word)
        tokens[row, : len(words)] = [buckets[word] for word in words]
    return tokens


def _categorical(items: pd.DataFrame, vocabulary: Vocabulary) -> NDArray[np.int32]:
    """Returns int32 `[n, F]`, columns as in `CATEGORICAL_ITEM_COLUMNS`."""
    encoded = [
        vocabulary.encode_category(column, column_values(items, column))
        for column in CATEGORICAL_ITEM_COLUMNS
    ]
    return np.stack(encoded, axis=1).astype(np.int32)


def _numeric(items: pd.DataFrame) -> NDArray[np.float32]:
    """Returns float32 `[n, 2]`: standardised log price, sale discount as a share of the price."""
    price = np.array(column_values(items, PRICE), dtype=np.float64)
    sale = np.array(column_values(items, SALE_PRICE), dtype=np.float64)
    is_priced = ~np.isnan(price)
    log_price = np.log1p(np.where(is_priced, price, 0.0))
    deviation = log_price[is_priced].std() if is_priced.any() else 0.0
    if deviation > 0:
        standardised = (log_price - log_price[is_priced].mean()) / deviation
    else:
        standardised = np.zeros_like(log_price)
    is_discounted = is_priced & (price > 0) & ~np.isnan(sale)
    ratio = np.divide(sale, price, out=np.ones_like(price), where=is_discounted)
    columns = [np.where(is_priced, standardised, 0.0), np.clip(1.0 - ratio, 0.0, 1.0)]
    return np.stack(columns, axis=1).astype(np.float32)
