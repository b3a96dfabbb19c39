"""Embeds items by what the catalogue says about them.

N items asked for, V catalogue, D width, P numeric and image features.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from stylerec.features.item_features import ItemFeatures
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.parameters import Parameters, ResidualLayers


class WordPlaces(NamedTuple):
    """The words of N items, by item and by word.

    Summing a gradient word by word, in one sequential pass, takes half the time of scattering it
    item by item.

    Attributes:
        of_item: Each item's words, N rows.
        item_row: int64, which of the N items each occurrence is in.
        word: int32, ascending.
    """

    of_item: tf.RaggedTensor
    item_row: NDArray[np.int64]
    word: NDArray[np.int32]


class ContentEncoder:
    """Embeds items by what the catalogue says about them.

    Sums linear embeddings of the words, weighted by TF-IDF, of each categorical column and of the
    numbers, as LightFM does (Kula, 2015), then adds residual dense layers. Kinds of content that no
    item has get no weights.
    """

    def __init__(
        self, config: RankingConfig, features: ItemFeatures, parameters: Parameters
    ) -> None:
        width = config.embedding_dim + 1
        self._width = width
        self._tokens = features.text_tokens
        # A word's TF-IDF weight in an item is its rarity times what the item's length makes of it.
        self._rarity_W1 = tf.constant(features.word_rarity()[:, None])
        self._scale_V1 = tf.constant(_text_scale(features)[:, None])
        self._words: list[tuple[tf.RaggedTensor, tf.Variable]] = []
        if features.text_tokens.any():
            tokens = tf.RaggedTensor.from_tensor(tf.constant(features.text_tokens), padding=0)
            num_buckets = int(self._tokens.max()) + 1
            self._words.append((tokens, parameters.normal("item.text", num_buckets, width)))
        self._categorical = [
            (tf.constant(values), parameters.normal(f"item.category.{c}", values.max() + 1, width))
            for c, values in enumerate(features.categorical.T)
            if values.any()
        ]
        dense_VP = np.concatenate([features.numeric, features.image], axis=1)
        self._dense: list[tuple[tf.Tensor, tf.Variable]] = []
        if dense_VP.any():
            weight = parameters.normal("item.dense", dense_VP.shape[1], width)
            self._dense.append((tf.constant(dense_VP), weight))
        self._layers = ResidualLayers(
            parameters, "item.layer", width=width, num_layers=config.num_content_layers
        )

    def word_places(self, item_index: NDArray[np.int64]) -> WordPlaces:
        """Returns where the words of some items are.

        Args:
            item_index: `[N]`, the very items of later calls.
        """
        of_item = tf.RaggedTensor.from_tensor(tf.constant(self._tokens[item_index]), padding=0)
        word, row = of_item.flat_values.numpy(), of_item.value_rowids().numpy()
        by_word = np.argsort(word, kind="stable")
        return WordPlaces(of_item, row[by_word], word[by_word])

    def __call__(self, item_index_N: tf.Tensor, places: WordPlaces | None = None) -> tf.Tensor:
        """Returns the content embeddings of the items asked for, `[N, D]`.

        Args:
            item_index_N: int64, 0 to V - 1.
            places: Of the words of these items; changes no result.
        """
        content_ND = tf.zeros((tf.shape(item_index_N)[0], self._width))
        for tokens, table in self._words:
            words = places.of_item if places else tf.gather(tokens, item_index_N)
            sum_ND = _sum_of_words(words, table * self._rarity_W1, places)
            content_ND += sum_ND * tf.gather(self._scale_V1, item_index_N)
        for values, table in self._categorical:
            content_ND += tf.gather(table, tf.gather(values, item_index_N))
        for values, weight in self._dense:
            content_ND += tf.matmul(tf.gather(values, item_index_N), weight)
        return self._layers(content_ND)


def _text_scale(features: ItemFeatures) -> NDArray[np.float32]:
    """Returns one over the length of each item's vector of rarities, `[V]`, 0 without words."""
    rarity = np.where(features.text_tokens > 0, features.word_rarity()[features.text_tokens], 0.0)
    length = np.linalg.norm(rarity, axis=1)
    return np.where(length > 0, 1.0 / np.maximum(length, 1e-12), 0.0).astype(np.float32)


def _sum_of_words(
    words: tf.RaggedTensor, table_WD: tf.Tensor, places: WordPlaces | None
) -> tf.Tensor:
    """Returns the sum of the rows of each item's words, `[N, D]`, zero for an item without any."""
    num_items, num_words = words.nrows(), table_WD.shape[0]

    def total(table_WD: tf.Tensor) -> tf.Tensor:
        rows = words.value_rowids()
        return tf.sparse.segment_sum(table_WD, words.flat_values, rows, num_segments=num_items)

    if places is None:
        return total(table_WD)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def with_gradient_by_word(
        table_WD: tf.Tensor,
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        def gradient(upstream_ND: tf.Tensor) -> tf.Tensor:
            return tf.sparse.segment_sum(
                upstream_ND, places.item_row, places.word, num_segments=num_words
            )

        return total(table_WD), gradient

    return with_gradient_by_word(table_WD)
