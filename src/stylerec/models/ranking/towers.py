"""The item tower and the query tower.

B batch, L history, N items asked for, V catalogue, E `embedding_dim`, D = E + 1 (the last
dimension is the item's bias), H heads, P numeric and image features.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from stylerec.features.item_features import ItemFeatures
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.parameters import Parameters, ResidualLayers
from stylerec.schema.events import NUM_EVENT_CODES
from stylerec.schema.tensors import FIRST_ITEM_INDEX

_MASKED = -1e9


@dataclass(frozen=True)
class EmbeddedItems:
    """Embeddings of N items.

    Attributes:
        output_ND: What queries are multiplied with; the last dimension is the item's bias.
        input_NE: What a history is aggregated from.
    """

    output_ND: tf.Tensor
    input_NE: tf.Tensor


class ContentEncoder:
    """Embeds items by what the catalogue says about them.

    Sums linear embeddings of the words, of each categorical column and of the numbers, as LightFM
    does (Kula, 2015), then adds residual dense layers. Kinds of content that no item has get no
    weights.
    """

    def __init__(
        self, config: RankingConfig, features: ItemFeatures, parameters: Parameters
    ) -> None:
        width = config.embedding_dim + 1
        self._width = width
        self._words: list[tuple[tf.RaggedTensor, tf.Variable]] = []
        if features.text_tokens.any():
            tokens = tf.RaggedTensor.from_tensor(tf.constant(features.text_tokens), padding=0)
            num_buckets = int(features.text_tokens.max()) + 1
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

    def __call__(self, item_index_N: tf.Tensor) -> tf.Tensor:
        """Returns the content embeddings of the items asked for, `[N, D]`."""
        num_rows = tf.shape(item_index_N)[0]
        content_ND = tf.zeros((num_rows, self._width))
        for tokens, table in self._words:
            own = tf.gather(tokens, item_index_N)
            content_ND += tf.sparse.segment_mean(
                table, own.flat_values, own.value_rowids(), num_segments=num_rows
            )
        for values, table in self._categorical:
            content_ND += tf.gather(table, tf.gather(values, item_index_N))
        for values, weight in self._dense:
            content_ND += tf.matmul(tf.gather(values, item_index_N), weight)
        return self._layers(content_ND)


class ItemTower:
    """Embeds items as id part plus content part.

    An item whose id is dropped, or was never trained, has the content part alone; dropping ids in
    training teaches the content part to stand alone, as in DropoutNet (Volkovs et al., 2017).

    Args:
        config: Architecture.
        features: Content of all V items.
        has_id: bool `[V]`, items whose id part is used.
        parameters: Where the weights are made.
    """

    def __init__(
        self,
        config: RankingConfig,
        features: ItemFeatures,
        *,
        has_id: NDArray[np.bool_],
        parameters: Parameters,
    ) -> None:
        self._config = config
        num_items, size = len(has_id), config.embedding_dim
        self._has_id_V = parameters.fixed("item.has_id", has_id.astype(np.float32))
        self._id_VD = parameters.normal("item.id", num_items, size + 1)
        if config.use_input_embedding:
            self._input_id_VE = parameters.normal("item.input_id", num_items, size)
        if config.use_content:
            self._content = ContentEncoder(config, features, parameters)
        if config.use_input_embedding and config.use_content:
            self._input_projection_EE = parameters.identity("item.input_projection", size)

    def embed(self, item_index_N: tf.Tensor, is_id_kept_N: tf.Tensor) -> EmbeddedItems:
        """Returns the embeddings of the items asked for.

        Args:
            item_index_N: int64, 0 to V - 1.
            is_id_kept_N: float32, 0 where the id is dropped, else 1.
        """
        kept_N1 = (tf.gather(self._has_id_V, item_index_N) * is_id_kept_N)[:, None]
        output_ND = tf.gather(self._id_VD, item_index_N) * kept_N1
        if not self._config.use_input_embedding:
            if self._config.use_content:
                output_ND += self._content(item_index_N)
            return EmbeddedItems(output_ND, output_ND[:, :-1])
        input_NE = tf.gather(self._input_id_VE, item_index_N) * kept_N1
        if self._config.use_content:
            content_ND = self._content(item_index_N)
            output_ND += content_ND
            input_NE += tf.matmul(content_ND[:, :-1], self._input_projection_EE)
        return EmbeddedItems(output_ND, input_NE)


class QueryTower:
    """Embeds a customer as the weighted mean of the items in the history, then dense layers.

    A new customer needs no training: the tower holds no customer weights. With `weighted`
    aggregation, interaction l counts in head h as
    `exp(event[type_l, h] + recency[L - 1 - l, h] - decay[h] * log(1 + age_days_l))`, divided by
    the sum over the history; all three start at 0, the plain mean. Padding and unknown items count
    nothing, and an empty history becomes what the dense layers make of zeros.
    """

    def __init__(self, config: RankingConfig, parameters: Parameters) -> None:
        self._num_heads = config.num_heads if config.aggregation == "weighted" else 1
        self._is_weighted = config.aggregation == "weighted"
        self._head_size = config.embedding_dim // self._num_heads
        if self._is_weighted:
            heads = self._num_heads
            self._event_TH = parameters.zeros("query.event", NUM_EVENT_CODES, heads)
            self._recency_LH = parameters.zeros("query.recency", config.max_history_len, heads)
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
        is_item_BL1 = tf.cast(item_index_BL >= FIRST_ITEM_INDEX, tf.float32)[:, :, None]
        weight_BLH = is_item_BL1
        if self._is_weighted:
            logit_BLH = self._weight_logits(event_type_BL, age_days_BL)
            logit_BLH = tf.where(is_item_BL1 > 0, logit_BLH, _MASKED)
            largest_B1H = tf.reduce_max(logit_BLH, axis=1, keepdims=True)
            weight_BLH = tf.exp(logit_BLH - tf.stop_gradient(largest_B1H)) * is_item_BL1
        # The largest weight of a history that has items is 1, so only empty ones meet the bound.
        total_B1H = tf.maximum(tf.reduce_sum(weight_BLH, axis=1, keepdims=True), 1e-6)
        shape = tf.shape(item_index_BL)
        heads = (shape[0], shape[1], self._num_heads, self._head_size)
        weighted_BLHe = tf.reshape(history_BLE, heads) * (weight_BLH / total_B1H)[..., None]
        mean_BHe = tf.reduce_sum(weighted_BLHe, axis=1)
        return self._layers(tf.reshape(mean_BHe, (shape[0], self._num_heads * self._head_size)))

    def _weight_logits(self, event_type_BL: tf.Tensor, age_days_BL: tf.Tensor) -> tf.Tensor:
        length = tf.shape(event_type_BL)[1]
        from_newest_L = tf.minimum(tf.range(length - 1, -1, -1), self._recency_LH.shape[0] - 1)
        event_BL = tf.clip_by_value(event_type_BL, 0, NUM_EVENT_CODES - 1)
        # log1p would be more exact below a second, but has no ONNX form.
        log_age_BL1 = tf.math.log(1.0 + tf.maximum(age_days_BL, 0.0))[:, :, None]
        return (
            tf.gather(self._event_TH, event_BL)
            + tf.gather(self._recency_LH, from_newest_L)[None]
            - self._decay_H * log_age_BL1
        )


def with_bias(query_BE: tf.Tensor) -> tf.Tensor:
    """Returns `[B, D]`: a trailing 1, so that the product with an item adds its bias."""
    return tf.concat([query_BE, tf.ones_like(query_BE[:, :1])], axis=1)
