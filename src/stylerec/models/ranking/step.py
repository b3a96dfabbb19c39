"""One optimisation step. B batch, L history, N items of the step, M negatives, D embedding."""

import keras
import numpy as np
import tensorflow as tf

from stylerec.models.ranking.batches import Batch
from stylerec.models.ranking.loss import full_softmax_loss, sampled_softmax_loss
from stylerec.models.ranking.model import RankingModel
from stylerec.models.ranking.negatives import StepItems
from stylerec.models.ranking.towers import with_bias
from stylerec.schema.tensors import (
    FIRST_ITEM_INDEX,
    HISTORY_AGE_DAYS,
    HISTORY_EVENT_TYPE,
    PADDING_INDEX,
)

FINAL_LEARNING_RATE_SHARE = 0.05
"""The learning rate falls along a half cosine to this share of its start."""


class TrainStep:
    """One compiled optimisation step.

    Args:
        model: Whose weights it changes.
        is_sampled: Its softmax is over sampled negatives instead of all items.
        num_steps: Steps over which the learning rate falls to its end.
    """

    def __init__(self, model: RankingModel, *, is_sampled: bool, num_steps: int) -> None:
        self._model, self._is_sampled = model, is_sampled
        self._weights = model.parameters.trainable
        rate = keras.optimizers.schedules.CosineDecay(
            model.config.learning_rate, num_steps, alpha=FINAL_LEARNING_RATE_SHARE
        )
        self._optimizer = keras.optimizers.AdamW(rate, weight_decay=model.config.weight_decay)
        # Decay would pull the query tower back to the plain mean it starts from.
        self._optimizer.exclude_from_weight_decay(
            var_list=[w for w in self._weights if len(w.shape) == 1 or w.name.startswith("query.")]
        )
        self._optimizer.build(self._weights)
        ints, floats = tf.int64, tf.float32
        self._run = tf.function(
            self._step,
            input_signature=[
                tf.TensorSpec([None], ints),
                tf.TensorSpec([None, None], ints),
                tf.TensorSpec([None, None], ints),
                tf.TensorSpec([None, None], floats),
                tf.TensorSpec([None], ints),
                tf.TensorSpec([None], ints),
                tf.TensorSpec([None], floats),
                tf.TensorSpec([2], tf.int32),
            ],
        )

    def __call__(self, batch: Batch, items: StepItems, *, step: int) -> float:
        """Changes the weights once and returns the loss; `step` seeds the dropout."""
        loss = self._run(
            items.item_index,
            items.history_row,
            batch.history[HISTORY_EVENT_TYPE],
            batch.history[HISTORY_AGE_DAYS],
            items.target_row,
            items.negative_row,
            items.log_expected_count,
            np.array([self._model.config.seed, step], dtype=np.int32),
        )
        return float(loss)

    def _step(
        self,
        item_N: tf.Tensor,
        history_BL: tf.Tensor,
        event_type_BL: tf.Tensor,
        age_days_BL: tf.Tensor,
        target_B: tf.Tensor,
        negative_M: tf.Tensor,
        log_expected_count_M: tf.Tensor,
        seed: tf.Tensor,
    ) -> tf.Tensor:
        config = self._model.config
        with tf.GradientTape() as tape:
            is_dropped_N = tf.random.stateless_uniform(tf.shape(item_N), seed) < config.id_dropout
            tables = self._model.item_tower.embed(item_N, 1.0 - tf.cast(is_dropped_N, tf.float32))
            query_BE = self._model.query_tower(
                tf.gather(tables.input_NE, history_BL),
                # Row 0 is padding; the tower only asks which places hold an item.
                item_index_BL=tf.where(history_BL > 0, FIRST_ITEM_INDEX, PADDING_INDEX),
                event_type_BL=event_type_BL,
                age_days_BL=age_days_BL,
            )
            query_BE = tf.nn.experimental.stateless_dropout(query_BE, config.dropout, seed)
            loss = self._loss(
                with_bias(query_BE), tables.output_ND, target_B, negative_M, log_expected_count_M
            )
        gradients = tape.gradient(loss, self._weights)
        dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
        self._optimizer.apply_gradients(zip(dense, self._weights, strict=True))
        return loss

    def _loss(
        self,
        query_BD: tf.Tensor,
        item_ND: tf.Tensor,
        target_B: tf.Tensor,
        negative_M: tf.Tensor,
        log_expected_count_M: tf.Tensor,
    ) -> tf.Tensor:
        if not self._is_sampled:
            # Row 0 is padding, which is nobody's candidate.
            return full_softmax_loss(query_BD, item_ND[1:], target_row_B=target_B - 1)
        return sampled_softmax_loss(
            query_BD,
            tf.gather(item_ND, target_B),
            tf.gather(item_ND, negative_M),
            target_B=target_B,
            negative_M=negative_M,
            log_expected_count_M=log_expected_count_M,
        )
