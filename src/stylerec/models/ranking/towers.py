"""The item tower and the query tower.

B batch, L history, F interactions of all histories, N items asked for, V catalogue, E
`embedding_dim`, D = E + 1 (the last dimension is the item's bias), H heads.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from stylerec.features.item_features import ItemFeatures
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.content import ContentEncoder, WordPlaces
from stylerec.models.ranking.parameters import Parameters, ResidualLayers
from stylerec.schema.events import NUM_EVENT_CODES
from stylerec.schema.tensors import FIRST_ITEM_INDEX

ID_TABLES = ("item.id", "item.input_id")
"""Weights with a row per item of the catalogue."""

_LARGEST_LOGIT = 20.0
"""Of an interaction's weight: sums of exponentials stay far from overflow."""
_SMALLEST_TOTAL = 1e-12
"""Below the sum of weights of any history that is not empty."""


@dataclass(frozen=True)
class EmbeddedItems:
    """Embeddings of N items.

    Attributes:
        output_ND: What queries are multiplied with; the last dimension is the item's bias.
        separate_input_NE: What a history is aggregated from, where that is not the same.
    """

    output_ND: tf.Tensor
    separate_input_NE: tf.Tensor | None

    def of_history(self, row: tf.Tensor) -> tf.Tensor:
        """Returns what a history's items are aggregated from, any shape of rows, and E."""
        if self.separate_input_NE is not None:
            return tf.gather(self.separate_input_NE, row)
        # Gathered before it is cut: the cut of a whole table would be a copy of it.
        return tf.gather(self.output_ND, row)[..., :-1]


class ItemTower:
    """Embeds items as id part plus content part.

    An item whose id is dropped, or was never trained, has the content part alone; dropping ids in
    training teaches the content part to stand alone, as in DropoutNet (Volkovs et al., 2017).

    Args:
        config: Architecture.
        features: Content of all V items.
        has_id: bool `[V]`, items whose id part is used.
        parameters: Where the weights are made.
        id_start: float32 `[V, E]` of unit scale, where id embeddings start; noise without.
    """

    def __init__(
        self,
        config: RankingConfig,
        features: ItemFeatures,
        *,
        has_id: NDArray[np.bool_],
        parameters: Parameters,
        id_start: NDArray[np.float32] | None = None,
    ) -> None:
        self._config = config
        num_items, size = len(has_id), config.embedding_dim
        self._has_id_V = parameters.fixed("item.has_id", has_id.astype(np.float32))
        if id_start is None:
            self._id_VD = parameters.normal(ID_TABLES[0], num_items, size + 1)
        else:
            start_VE = id_start * np.float32(config.initial_std)
            self._id_VD = parameters.given(ID_TABLES[0], np.pad(start_VE, ((0, 0), (0, 1))))
        if config.use_input_embedding and id_start is None:
            self._input_id_VE = parameters.normal(ID_TABLES[1], num_items, size)
        elif config.use_input_embedding:
            self._input_id_VE = parameters.given(ID_TABLES[1], start_VE)
        if config.use_content:
            self._content = ContentEncoder(config, features, parameters)
        if config.use_input_embedding and config.use_content:
            self._input_projection_EE = parameters.identity("item.input_projection", size)

    def word_places(self, item_index: NDArray[np.int64]) -> WordPlaces | None:
        """Returns where the words of some items are, if content has any: see `embed`."""
        return self._content.word_places(item_index) if self._config.use_content else None

    def embed(
        self, item_index_N: tf.Tensor, is_id_kept_N: tf.Tensor, *, places: WordPlaces | None = None
    ) -> EmbeddedItems:
        """Returns the embeddings of the items asked for.

        Args:
            item_index_N: int64, 0 to V - 1.
            is_id_kept_N: float32, 0 where the id is dropped, else 1.
            places: Of the words of these items, for a faster gradient where the same are asked for
                again and again.
        """
        kept_N1 = (tf.gather(self._has_id_V, item_index_N) * is_id_kept_N)[:, None]
        output_ND = tf.gather(self._id_VD, item_index_N) * kept_N1
        if not self._config.use_input_embedding:
            if self._config.use_content:
                output_ND += self._content(item_index_N, places)
            return EmbeddedItems(output_ND, None)
        input_NE = tf.gather(self._input_id_VE, item_index_N) * kept_N1
        if self._config.use_content:
            content_ND = self._content(item_index_N, places)
            output_ND += content_ND
            input_NE += tf.matmul(content_ND[:, :-1], self._input_projection_EE)
        return EmbeddedItems(output_ND, input_NE)


class QueryTower:
    """Embeds a customer as a weighted sum of the items in the history, then dense layers.

    A new customer needs no training: the tower holds no customer weights. With `weighted`
    aggregation, interaction l counts in head h as
    `exp(event[type_l, h] + recency[L - 1 - l, h] - decay[h] * log(1 + age_days_l))`, else as 1; the
    sum is divided by the sum of these weights to the power of `history_exponent`. All three start
    at 0, the plain mean where the exponent is 1. Padding and unknown items count nothing, and an
    empty history becomes what the dense layers make of zeros.

    Serving asks for padded histories, training for flat ones: most of a padded batch is padding.
    """

    def __init__(self, config: RankingConfig, parameters: Parameters) -> None:
        self._is_weighted = config.aggregation == "weighted"
        self._num_heads = config.num_heads if self._is_weighted else 1
        self._head_size = config.embedding_dim // self._num_heads
        self._exponent = config.history_exponent
        self._event_TH = self._decay_H = None
        if self._is_weighted:
            heads = self._num_heads
            self._recency_LH = parameters.zeros("query.recency", config.max_history_len, heads)
            if config.use_event_types:
                self._event_TH = parameters.zeros("query.event", NUM_EVENT_CODES, heads)
            if config.use_time_gaps:
                self._decay_H = parameters.zeros("query.decay", heads)
        self._layers = ResidualLayers(
            parameters,
            "query.layer",
            width=config.embedding_dim,
            num_layers=config.num_query_layers,
        )

    def __call__(
        self,
        history_BLE: tf.Tensor,
        *,
        item_index_BL: tf.Tensor,
        event_type_BL: tf.Tensor,
        age_days_BL: tf.Tensor,
    ) -> tf.Tensor:
        """Returns query embeddings without the bias dimension, `[B, E]`.

        Args:
            history_BLE: Input embeddings of the items in the history.
            item_index_BL: int64, below 2 where the history has no known item.
            event_type_BL: int64 codes of `schema.events`; others are clipped into their range.
            age_days_BL: float32, at least 0.
        """
        shape = tf.shape(item_index_BL)
        weight_BLH = tf.cast(item_index_BL >= FIRST_ITEM_INDEX, tf.float32)[:, :, None]
        if self._is_weighted:
            from_newest_BL = tf.broadcast_to(tf.range(shape[1] - 1, -1, -1), shape)
            weight_BLH *= self._weights(event_type_BL, from_newest_BL, age_days_BL)
        heads = (shape[0], shape[1], self._num_heads, self._head_size)
        weighted_BLHe = tf.reshape(history_BLE, heads) * weight_BLH[..., None]
        return self._from_sums(
            tf.reduce_sum(weighted_BLHe, axis=1), tf.reduce_sum(weight_BLH, axis=1)
        )

    def of_interactions(
        self,
        history_FE: tf.Tensor,
        *,
        row_F: tf.Tensor,
        from_newest_F: tf.Tensor,
        event_type_F: tf.Tensor,
        age_days_F: tf.Tensor,
        num_rows: tf.Tensor,
    ) -> tf.Tensor:
        """Returns what `__call__` does for the same histories, `[B, E]`.

        Args:
            history_FE: Input embeddings of all histories' known items.
            row_F: int64, whose history each is in.
            from_newest_F: int64, places from the end of the history.
            event_type_F: int64, as for `__call__`.
            age_days_F: float32, as for `__call__`.
            num_rows: B.
        """
        if self._is_weighted:
            weight_FH = self._weights(event_type_F, from_newest_F, age_days_F)
        else:
            weight_FH = tf.ones_like(age_days_F)[:, None]
        heads = (-1, self._num_heads, self._head_size)
        weighted_FHe = tf.reshape(history_FE, heads) * weight_FH[..., None]
        return self._from_sums(
            tf.math.unsorted_segment_sum(weighted_FHe, row_F, num_rows),
            tf.math.unsorted_segment_sum(weight_FH, row_F, num_rows),
        )

    def _from_sums(self, sum_BHe: tf.Tensor, total_BH: tf.Tensor) -> tf.Tensor:
        divisor_BH = tf.maximum(total_BH, _SMALLEST_TOTAL)
        if self._exponent != 1.0:
            divisor_BH = tf.pow(divisor_BH, self._exponent)
        query_BHe = sum_BHe / divisor_BH[..., None]
        return self._layers(tf.reshape(query_BHe, (-1, self._num_heads * self._head_size)))

    def _weights(
        self, event_type: tf.Tensor, from_newest: tf.Tensor, age_days: tf.Tensor
    ) -> tf.Tensor:
        """Returns the weight of each interaction in each head: any shape, and H."""
        logit = tf.gather(self._recency_LH, tf.minimum(from_newest, self._recency_LH.shape[0] - 1))
        if self._event_TH is not None:
            logit += tf.gather(self._event_TH, tf.clip_by_value(event_type, 0, NUM_EVENT_CODES - 1))
        if self._decay_H is not None:
            # log1p would be more exact below a second, but has no ONNX form.
            logit -= self._decay_H * tf.math.log(1.0 + tf.maximum(age_days, 0.0))[..., None]
        return tf.exp(tf.clip_by_value(logit, -_LARGEST_LOGIT, _LARGEST_LOGIT))


def with_bias(query_BE: tf.Tensor, *, use_item_bias: bool = True) -> tf.Tensor:
    """Returns `[B, D]`: a trailing 1, so that the product with an item adds its bias, or 0."""
    last_B1 = tf.ones_like(query_BE[:, :1]) if use_item_bias else tf.zeros_like(query_BE[:, :1])
    return tf.concat([query_BE, last_B1], axis=1)
