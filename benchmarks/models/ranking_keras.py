"""The ranking model as plain Keras code: the same towers and loss, written with Keras layers.

What somebody writes who starts from Keras's guides; the peer of `ranking_speed`. B batch, L
history, N items the softmax is over, E `embedding_dim`, W = E + 1, H heads, T words per item.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from numpy.typing import NDArray

from stylerec.features.item_features import ItemFeatures
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel
from stylerec.schema.events import NUM_EVENT_CODES

HISTORY_ROW, EVENT_TYPE, AGE_DAYS = "history_row", "event_type", "age_days"


class PlainContent(layers.Layer):
    """Words, categories and numbers of all N items, summed, and residual dense layers."""

    def __init__(
        self, config: RankingConfig, features: ItemFeatures, text_weights: NDArray[np.float32]
    ) -> None:
        super().__init__()
        self.weight_NT1 = ops.convert_to_tensor(text_weights[..., None])
        width = config.embedding_dim + 1
        self.words = None
        if features.text_tokens.any():
            self.words = layers.Embedding(int(features.text_tokens.max()) + 1, width)
        columns = [column for column in features.categorical.T if column.any()]
        self.columns = [ops.convert_to_tensor(column) for column in columns]
        self.categories = [layers.Embedding(int(column.max()) + 1, width) for column in columns]
        dense_NP = np.concatenate([features.numeric, features.image], axis=1)
        self.dense_NP = ops.convert_to_tensor(dense_NP)
        self.dense = layers.Dense(width, use_bias=False) if dense_NP.any() else None
        self.inner = [
            layers.Dense(2 * width, activation=_gelu) for _ in range(config.num_content_layers)
        ]
        self.outer = [layers.Dense(width, use_bias=False) for _ in range(config.num_content_layers)]

    def call(self, tokens_NT: tf.Tensor) -> tf.Tensor:
        """Returns `[N, W]`."""
        parts = []
        if self.words is not None:
            parts.append(ops.sum(self.words(tokens_NT) * self.weight_NT1, axis=1))
        parts += [
            table(column) for table, column in zip(self.categories, self.columns, strict=True)
        ]
        if self.dense is not None:
            parts.append(self.dense(self.dense_NP))
        content_NW = sum(parts)
        for inner, outer in zip(self.inner, self.outer, strict=True):
            content_NW = content_NW + outer(inner(content_NW))
        return content_NW


class PlainRanking(keras.Model):
    """Histories to logits over N items.

    Args:
        config: Architecture.
        features: Content of the N items.
        text_weights: What each of their words counts, see `ItemFeatures.text_weights`.
    """

    def __init__(
        self, config: RankingConfig, features: ItemFeatures, text_weights: NDArray[np.float32]
    ) -> None:
        super().__init__()
        self.settings = config
        size, heads = config.embedding_dim, config.num_heads
        self.num_items = len(features.text_tokens)
        self.item_id = layers.Embedding(self.num_items, size + 1)
        self.input_id = (
            layers.Embedding(self.num_items, size) if config.use_input_embedding else None
        )
        self.content = PlainContent(config, features, text_weights) if config.use_content else None
        self.tokens_NT = ops.convert_to_tensor(features.text_tokens)
        self.is_weighted = config.aggregation == "weighted"
        if self.is_weighted:
            self.event = layers.Embedding(NUM_EVENT_CODES, heads)
            self.recency = layers.Embedding(config.max_history_len, heads)
            self.decay = layers.Dense(heads, use_bias=False)
        self.inner = [
            layers.Dense(2 * size, activation=_gelu) for _ in range(config.num_query_layers)
        ]
        self.outer = [layers.Dense(size, use_bias=False) for _ in range(config.num_query_layers)]
        self.dropout = layers.Dropout(config.dropout)
        self.seeds = keras.random.SeedGenerator(config.seed)

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Returns logits `[B, N]`; history rows count from 1, 0 is padding."""
        items_NW = self.item_id(ops.arange(self.num_items))
        if training and self.settings.id_dropout:
            noise_N1 = keras.random.uniform((self.num_items, 1), seed=self.seeds)
            items_NW = items_NW * ops.cast(noise_N1 >= self.settings.id_dropout, "float32")
        if self.content is not None:
            items_NW = items_NW + self.content(self.tokens_NT)
        row_BL = inputs[HISTORY_ROW]
        place_BL = ops.maximum(row_BL - 1, 0)
        if self.input_id is not None:
            history_BLE = self.input_id(place_BL)
        else:
            history_BLE = ops.take(items_NW[:, :-1], place_BL, axis=0)
        query_BE = self.aggregate(history_BLE, inputs)
        for inner, outer in zip(self.inner, self.outer, strict=True):
            query_BE = query_BE + outer(inner(query_BE))
        query_BE = self.dropout(query_BE, training=training)
        return ops.matmul(query_BE, ops.transpose(items_NW[:, :-1])) + items_NW[:, -1]

    def aggregate(self, history_BLE: tf.Tensor, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns the weighted sum of each history over a power of its weights, `[B, E]`."""
        config = self.settings
        weight_BLH = ops.cast(inputs[HISTORY_ROW] > 0, "float32")[..., None]
        heads = 1
        if self.is_weighted:
            heads, length = config.num_heads, config.max_history_len
            logit_BLH = self.event(inputs[EVENT_TYPE]) + self.recency(
                ops.arange(length - 1, -1, -1)
            )
            logit_BLH = logit_BLH - self.decay(ops.log1p(inputs[AGE_DAYS])[..., None])
            weight_BLH = ops.exp(logit_BLH) * weight_BLH
        shape = (-1, config.max_history_len, heads, config.embedding_dim // heads)
        sum_BHe = ops.sum(ops.reshape(history_BLE, shape) * weight_BLH[..., None], axis=1)
        total_BH = ops.maximum(ops.sum(weight_BLH, axis=1), 1e-12) ** config.history_exponent
        return ops.reshape(sum_BHe / total_BH[..., None], (-1, config.embedding_dim))


def compiled_peer(
    config: RankingConfig,
    features: ItemFeatures,
    *,
    text_weights: NDArray[np.float32],
    num_steps: int,
) -> PlainRanking:
    """Returns the model, compiled with the loss and the optimiser that ours has.

    Args:
        config: Architecture and training.
        features: Content of the N items the softmax is over.
        text_weights: What each of their words counts in the whole catalogue, `[N, T]`.
        num_steps: Steps over which the learning rate falls.
    """
    model = PlainRanking(config, features, text_weights)
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, num_steps, alpha=0.05)
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=config.weight_decay),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def copy_weights(source: RankingModel, peer: PlainRanking, item_index: NDArray[np.int64]) -> None:
    """Gives a built peer the weights of our model, so that both compute the same.

    Args:
        source: Our model.
        peer: Called once before, so that its weights exist.
        item_index: Our index of each of the peer's N items.
    """
    weights = {name: weight.numpy() for name, weight in source.parameters.variables.items()}
    pairs: list[tuple[Any, list[str]]] = []
    if peer.content is not None:
        layers_of_content = zip(peer.content.inner, peer.content.outer, strict=True)
        pairs += [
            (layer, [f"item.category.{number}"])
            for number, layer in enumerate(peer.content.categories)
        ]
        pairs += [(peer.content.words, ["item.text"])] if peer.content.words else []
        pairs += [(peer.content.dense, ["item.dense"])] if peer.content.dense else []
        pairs += _residual("item.layer", list(layers_of_content))
    pairs += _residual("query.layer", list(zip(peer.inner, peer.outer, strict=True)))
    if peer.is_weighted:
        weights["query.decay"] = weights["query.decay"][None]
        pairs += [
            (getattr(peer, name), [f"query.{name}"]) for name in ("event", "recency", "decay")
        ]
    for layer, names in pairs:
        layer.set_weights([weights[name] for name in names])
    peer.item_id.set_weights([weights["item.id"][item_index]])
    if peer.input_id is not None:
        peer.input_id.set_weights([weights["item.input_id"][item_index]])


def _residual(prefix: str, pairs: list[tuple[Any, Any]]) -> list[tuple[Any, list[str]]]:
    return [
        named
        for number, (inner, outer) in enumerate(pairs)
        for named in (
            (inner, [f"{prefix}.{number}.inner", f"{prefix}.{number}.bias"]),
            (outer, [f"{prefix}.{number}.outer"]),
        )
    ]


def _gelu(x: tf.Tensor) -> tf.Tensor:
    return keras.activations.gelu(x, approximate=True)
