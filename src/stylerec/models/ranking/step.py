"""One optimisation step.

B batch, F interactions of the batch's histories, N items of the step, U of these compete, D
embedding.
"""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from stylerec.models.ranking.batches import Batch
from stylerec.models.ranking.loss import gbce_loss, softmax_loss
from stylerec.models.ranking.model import RankingModel
from stylerec.models.ranking.negatives import FullSoftmaxItems, SampledItems, StepItems
from stylerec.models.ranking.optimizer import AdamW
from stylerec.models.ranking.precision import choose_precision
from stylerec.models.ranking.towers import ID_TABLES, with_bias
from stylerec.schema.tensors import HISTORY_AGE_DAYS, HISTORY_EVENT_TYPE

FINAL_LEARNING_RATE_SHARE = 0.05
"""The learning rate falls along a half cosine to this share of its start."""


class StepInputs(NamedTuple):
    """What one step reads: histories without their padding, one after another."""

    item_N: NDArray[np.int64]
    history_F: NDArray[np.int64]
    row_F: NDArray[np.int64]
    from_newest_F: NDArray[np.int64]
    event_type_F: NDArray[np.int64]
    age_days_F: NDArray[np.float32]
    target_B: NDArray[np.int64]
    share_B: NDArray[np.float32]
    draws_U: NDArray[np.float32]
    correction_U: NDArray[np.float32]


_INTS = tf.TensorSpec([None], tf.int64)
_FLOATS = tf.TensorSpec([None], tf.float32)
_SIGNATURE = StepInputs(
    *(_INTS, _INTS, _INTS, _INTS, _INTS, _FLOATS, _INTS, _FLOATS, _FLOATS, _FLOATS)
)


def step_inputs(batch: Batch, items: StepItems) -> StepInputs:
    """Returns what the step on this batch and these items reads.

    Args:
        batch: With a positive sum of weights.
        items: Rows of its items.
    """
    row_F, column_F = np.nonzero(items.history_row >= 0)
    return StepInputs(
        item_N=items.item_index,
        history_F=items.history_row[row_F, column_F],
        row_F=row_F,
        from_newest_F=items.history_row.shape[1] - 1 - column_F,
        event_type_F=batch.history[HISTORY_EVENT_TYPE][row_F, column_F],
        age_days_F=batch.history[HISTORY_AGE_DAYS][row_F, column_F],
        target_B=items.target_row,
        share_B=batch.weight / batch.weight.sum(),
        draws_U=items.draws,
        correction_U=items.correction,
    )


class TrainStep:
    """One compiled optimisation step, on every device of the model's strategy.

    Each device takes its share of the batch's rows; their gradients are summed, so that the step
    is the one that a single device would make.

    Args:
        model: Whose weights it changes; made in the scope of `strategy`.
        items: Chooses the steps' items.
        num_steps: Steps over which the learning rate falls to its end.
        strategy: Devices to train on.

    Attributes:
        optimizer: Holds the moments.
    """

    def __init__(
        self,
        model: RankingModel,
        items: FullSoftmaxItems | SampledItems,
        *,
        num_steps: int,
        strategy: tf.distribute.Strategy | None = None,
    ) -> None:
        self._model, self._num_steps = model, num_steps
        self._is_sampled, self._sampling_rate = items.is_sampled, items.sampling_rate
        self._strategy = strategy or tf.distribute.get_strategy()
        # The full softmax embeds the same items in each step.
        self._places = (
            model.item_tower.word_places(items.item_index)
            if isinstance(items, FullSoftmaxItems)
            else None
        )
        self._product_dtype = choose_precision(model.config.precision)
        self._weights = {
            name: weight for name, weight in model.parameters.variables.items() if weight.trainable
        }
        # Decay would pull the query tower back to the plain mean it starts from.
        decayed = {
            name
            for name, weight in self._weights.items()
            if len(weight.shape) > 1 and not name.startswith("query.")
        }
        with self._strategy.scope():
            self.optimizer = AdamW(
                self._weights,
                decayed=decayed,
                weight_decay=model.config.weight_decay,
                lazy={*ID_TABLES} if items.is_sampled else set(),
            )
        scalar = tf.TensorSpec([], tf.float32)
        self._run = tf.function(
            self._on_all_devices,
            input_signature=[_SIGNATURE, scalar, scalar, tf.TensorSpec([2], tf.int32)],
        )

    def __call__(self, inputs: StepInputs, *, step: int) -> float:
        """Changes the weights once and returns the loss; `step` seeds the dropout."""
        config = self._model.config
        seed = np.array([config.seed, step], dtype=np.int32)
        rate = config.learning_rate * _rate_share(step / self._num_steps)
        return float(self._run(inputs, np.float32(rate), np.float32(step), seed))

    def _on_all_devices(
        self, inputs: StepInputs, rate: tf.Tensor, step: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        losses = self._strategy.run(self._on_device, args=(inputs, rate, step, seed))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    def _on_device(
        self, inputs: StepInputs, rate: tf.Tensor, step: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        replica = tf.distribute.get_replica_context()
        batch, count = tf.shape(inputs.target_B)[0], replica.num_replicas_in_sync
        number = replica.replica_id_in_sync_group
        first, last = batch * number // count, batch * (number + 1) // count
        with tf.GradientTape() as tape:
            loss = self._loss(_rows(inputs, first, last), seed, batch=batch, first=first)
        gradients = self.optimizer.dense(tape.gradient(loss, list(self._weights.values())))
        if count > 1:
            gradients = replica.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        self.optimizer.apply(gradients, rate=rate, step=step)
        return loss

    def _loss(
        self, inputs: StepInputs, seed: tf.Tensor, *, batch: tf.Tensor, first: tf.Tensor
    ) -> tf.Tensor:
        config = self._model.config
        is_dropped_N = tf.random.stateless_uniform(tf.shape(inputs.item_N), seed)
        kept_N = tf.cast(is_dropped_N >= config.id_dropout, tf.float32)
        tables = self._model.item_tower.embed(inputs.item_N, kept_N, places=self._places)
        num_rows = tf.shape(inputs.target_B)[0]
        query_BE = self._model.query_tower.of_interactions(
            tables.of_history(inputs.history_F),
            row_F=inputs.row_F,
            from_newest_F=inputs.from_newest_F,
            event_type_F=inputs.event_type_F,
            age_days_F=inputs.age_days_F,
            num_rows=num_rows,
        )
        # Drawn for the whole batch, so that devices together drop what one alone would.
        noise_BE = tf.random.stateless_uniform((batch, config.embedding_dim), seed)
        kept_BE = tf.cast(noise_BE[first : first + num_rows] >= config.dropout, tf.float32)
        query_BE *= kept_BE / (1.0 - config.dropout)
        query_BD = with_bias(query_BE, use_item_bias=config.use_item_bias)
        item_UD = tables.output_ND
        if self._is_sampled:
            item_UD = item_UD[: tf.shape(inputs.draws_U)[0]]
        if config.loss == "gbce":
            return gbce_loss(
                query_BD,
                item_UD,
                target_B=inputs.target_B,
                share_B=inputs.share_B,
                draws_U=inputs.draws_U,
                sampling_rate=self._sampling_rate,
                calibration=config.gbce_calibration,
            )
        return softmax_loss(
            query_BD,
            item_UD,
            target_B=inputs.target_B,
            share_B=inputs.share_B,
            correction_U=inputs.correction_U if self._is_sampled else None,
            product_dtype=self._product_dtype,
        )


def _rows(inputs: StepInputs, first: tf.Tensor, last: tf.Tensor) -> StepInputs:
    """Returns the part of a batch that one device takes: rows `first` to `last`."""
    bounds = tf.searchsorted(inputs.row_F, tf.cast([first, last], tf.int64))
    flat, rows = slice(bounds[0], bounds[1]), slice(first, last)
    return inputs._replace(
        history_F=inputs.history_F[flat],
        row_F=inputs.row_F[flat] - tf.cast(first, tf.int64),
        from_newest_F=inputs.from_newest_F[flat],
        event_type_F=inputs.event_type_F[flat],
        age_days_F=inputs.age_days_F[flat],
        target_B=inputs.target_B[rows],
        share_B=inputs.share_B[rows],
    )


def _rate_share(progress: float) -> float:
    cosine = 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
    return FINAL_LEARNING_RATE_SHARE + (1.0 - FINAL_LEARNING_RATE_SHARE) * cosine
