"""The ranking model: both towers, and the graph that is served.

B batch, L history, K context items, C candidates, V catalogue, E `embedding_dim`, M dimensions of
content, D = E + M + 1.
"""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from stylerec.features.item_features import ItemFeatures
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.content_match import ContentMatch
from stylerec.models.ranking.parameters import Parameters
from stylerec.models.ranking.towers import EmbeddedItems, ItemTower, QueryTower, with_bias
from stylerec.schema.tensors import FIRST_ITEM_INDEX, QUERY_EMBEDDING, SCORES

NO_CANDIDATE_SCORE = -1e9
_TABLE_BLOCK = 16_384


class RankingModel:
    """The item tower, the query tower and their weights.

    Args:
        config: Architecture.
        features: Content of all V items.
        has_id: bool `[V]`, items whose id part is trained and used.
        id_start: float32 `[V, E]` of unit scale, where id embeddings start; noise without.

    Attributes:
        config: As given.
        has_id: As given.
        num_items: V.
        parameters: All weights by name.
    """

    def __init__(
        self,
        config: RankingConfig,
        features: ItemFeatures,
        *,
        has_id: NDArray[np.bool_],
        id_start: NDArray[np.float32] | None = None,
    ) -> None:
        self.config, self.has_id = config, has_id
        self.num_items = len(has_id)
        self.parameters = Parameters(config.seed, initial_std=config.initial_std)
        self.item_tower = ItemTower(
            config,
            features,
            has_id=has_id,
            parameters=self.parameters,
            id_start=id_start,
        )
        self.query_tower = QueryTower(config, self.parameters)
        self.match = ContentMatch(config, features, self.parameters) if config.has_match else None

    def item_tables(self) -> EmbeddedItems:
        """Returns the embeddings of all V items; items without an id have content alone."""
        blocks = [
            self.item_tower.embed(tf.constant(rows), tf.ones(len(rows)))
            for rows in np.split(
                np.arange(self.num_items), range(_TABLE_BLOCK, self.num_items, _TABLE_BLOCK)
            )
        ]
        inputs = [b.separate_input_NE for b in blocks if b.separate_input_NE is not None]
        return EmbeddedItems(
            output_ND=tf.concat([block.output_ND for block in blocks], axis=0),
            separate_input_NE=tf.concat(inputs, axis=0) if inputs else None,
        )


class ScoringGraph:
    """What is served: history, context and candidates to scores, over fixed item tables."""

    def __init__(self, model: RankingModel) -> None:
        tables = model.item_tables()
        self._match, self._size = model.match, model.config.embedding_dim
        rows_VD = tables.output_ND
        if self._match is not None:
            rows_VD = self._match.item_rows(rows_VD, has_id=model.has_id)
        # Variables: tf2onnx makes constants of them, but inputs of captured tensors.
        self.item_embedding_VD = tf.Variable(rows_VD, trainable=False)
        separate_VE = tables.separate_input_NE
        self._separate_VE = (
            None if separate_VE is None else tf.Variable(separate_VE, trainable=False)
        )
        self._query_tower, self._use_item_bias = model.query_tower, model.config.use_item_bias
        self._last_index = model.num_items - 1

    def encode(
        self, history_item_index: tf.Tensor, history_event_type: tf.Tensor, age_days: tf.Tensor
    ) -> tf.Tensor:
        """Returns query embeddings `[B, D]` of histories `[B, L]`; finite for an empty history."""
        index_BL = self._clipped(history_item_index)
        rows_BLD = tf.gather(self.item_embedding_VD, index_BL)
        if self._separate_VE is None:
            history_BLE = rows_BLD[..., : self._size]
        else:
            history_BLE = tf.gather(self._separate_VE, index_BL)
        query_BE = self._query_tower(
            history_BLE,
            item_index_BL=index_BL,
            event_type_BL=history_event_type,
            age_days_BL=age_days,
        )
        if self._match is not None:
            content_BM = self._match.of_history(index_BL, rows_BLD[..., self._size : -1])
            query_BE = tf.concat([query_BE, content_BM], axis=1)
        return with_bias(query_BE, use_item_bias=self._use_item_bias)

    def __call__(
        self,
        history_item_index: tf.Tensor,
        history_event_type: tf.Tensor,
        history_age_days: tf.Tensor,
        context_item_index: tf.Tensor,
        context_weight: tf.Tensor,
        candidate_index: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Returns `scores` `[B, C]` and `query_embedding` `[B, D]` (without context).

        Inputs are as `MODEL_SPECS["ranking"]` lists them. Indices are clipped into the catalogue;
        candidates that are padding or unknown score -1e9.
        """
        query_BD = self.encode(history_item_index, history_event_type, history_age_days)
        blended_BD = self._blend(query_BD, self._clipped(context_item_index), context_weight)
        candidate_BC = self._clipped(candidate_index)
        candidate_BCD = tf.gather(self.item_embedding_VD, candidate_BC)
        scores_BC = tf.squeeze(tf.matmul(candidate_BCD, blended_BD[:, :, None]), axis=2)
        is_item_BC = candidate_BC >= FIRST_ITEM_INDEX
        return {
            SCORES: tf.where(is_item_BC, scores_BC, NO_CANDIDATE_SCORE),
            QUERY_EMBEDDING: query_BD,
        }

    def _blend(self, query_BD: tf.Tensor, context_BK: tf.Tensor, weight_B1: tf.Tensor) -> tf.Tensor:
        """Returns `(1 - w) q/|q| + w m/|m|`, m the context items' mean; q where there is none.

        The bias is left out of m: how popular the context items are says nothing about what is
        like them.
        """
        is_item_BK1 = tf.cast(context_BK >= FIRST_ITEM_INDEX, tf.float32)[:, :, None]
        context_BKD = tf.gather(self.item_embedding_VD, context_BK) * is_item_BK1
        sum_BE = tf.reduce_sum(context_BKD[:, :, :-1], axis=1)
        # The direction of the sum is the direction of the mean.
        mean_BD = _unit(tf.pad(sum_BE, [[0, 0], [0, 1]]))
        weight_B1 = tf.clip_by_value(weight_B1, 0.0, 1.0)
        blended_BD = (1.0 - weight_B1) * _unit(query_BD) + weight_B1 * mean_BD
        has_context_B1 = (tf.reduce_sum(is_item_BK1, axis=1) > 0) & (weight_B1 > 0)
        return tf.where(has_context_B1, blended_BD, query_BD)

    def _clipped(self, index: tf.Tensor) -> tf.Tensor:
        return tf.clip_by_value(index, 0, self._last_index)


def _unit(x_BD: tf.Tensor) -> tf.Tensor:
    norm_B1 = tf.sqrt(tf.reduce_sum(x_BD * x_BD, axis=1, keepdims=True))
    return x_BD / tf.maximum(norm_B1, 1e-6)
