"""Runs epochs, keeps the best one's weights, and can go on from a checkpoint bit by bit.

Everything random is drawn from the seed and the number of the epoch or step, so that a checkpoint
needs no state of a random generator.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from stylerec.data.splits import Split
from stylerec.errors import ConfigError
from stylerec.models.checkpoint import Checkpoint
from stylerec.models.checkpoint_schedule import CheckpointSchedule
from stylerec.models.progress import TrainingProgress
from stylerec.models.ranking.batches import Batch, examples_per_epoch
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel
from stylerec.models.ranking.negatives import FullSoftmaxItems, SampledItems
from stylerec.models.ranking.prefetch import prefetched
from stylerec.models.ranking.step import StepInputs, TrainStep, step_inputs
from stylerec.models.records import EpochRecord
from stylerec.schema.tensors import RANKING

BatchesOfEpoch = Callable[[int, int, int], Iterator[Batch]]
"""Yields an epoch's batches, from its number, its passes and the batches to leave out."""


@dataclass
class _Epoch:
    """How far an epoch is."""

    number: int
    num_batches: int = 0
    num_examples: int = 0
    loss: float = 0.0
    """Sum of losses times weights."""
    weight: float = 0.0
    training_s: float = 0.0

    @property
    def mean_loss(self) -> float:
        return self.loss / self.weight if self.weight else float("nan")


@dataclass(frozen=True)
class EpochLength:
    """How much one epoch trains on.

    Attributes:
        num_passes: Passes over the customers, more than one where there are few.
        num_examples: Examples of all passes.
        num_steps: Steps of all passes, about.
    """

    num_passes: int
    num_examples: int
    num_steps: int

    @classmethod
    def of(cls, config: RankingConfig, split: Split) -> "EpochLength":
        """Returns how long an epoch on a split with examples is."""
        per_pass = examples_per_epoch(split, config.examples_per_customer)
        steps_per_pass = math.ceil(per_pass / config.batch_size)
        num_passes = math.ceil(config.min_steps_per_epoch / steps_per_pass)
        return cls(num_passes, num_passes * per_pass, num_passes * steps_per_pass)


class Trainer:
    """The state of one training run.

    Args:
        model: Made in the scope of `strategy`.
        items: Chooses the items of each step.
        length: Of an epoch.
        batches: Yields the batches of an epoch.
        validate: Returns the model's validation NDCG@10.
        strategy: Devices to train on.

    Attributes:
        model: As given.
        length: As given.
    """

    def __init__(
        self,
        model: RankingModel,
        items: FullSoftmaxItems | SampledItems,
        *,
        length: EpochLength,
        batches: BatchesOfEpoch,
        validate: Callable[[RankingModel], float],
        strategy: tf.distribute.Strategy,
    ) -> None:
        self.model, self.length, self._items = model, length, items
        self._batches, self._validate = batches, validate
        num_steps = model.config.max_epochs * length.num_steps
        self._step = TrainStep(model, items, num_steps=num_steps, strategy=strategy)
        self._weights = {n: w for n, w in model.parameters.variables.items() if w.trainable}
        self._state = {f"weight.{n}": w for n, w in self._weights.items()}
        self._state |= self._step.optimizer.moments
        self._epoch = _Epoch(1)
        self._num_steps = 0
        self._records: list[EpochRecord] = []
        self._best: dict[str, NDArray[np.float32]] = {}
        self._began, self._seconds_before = time.perf_counter(), 0.0

    @property
    def seconds(self) -> float:
        """Time trained so far, in this process and in those it goes on from."""
        return self._seconds_before + time.perf_counter() - self._began

    def go_on_from(self, checkpoint: Checkpoint) -> None:
        """Takes over a checkpoint's state."""
        for name, variable in self._state.items():
            variable.assign(checkpoint.arrays[name])
        self._best = {n: checkpoint.arrays[f"best.{n}"] for n in checkpoint.state["best"]}
        self._epoch = _Epoch(**checkpoint.state["epoch"])
        self._num_steps = checkpoint.state["num_steps"]
        self._seconds_before = checkpoint.state["seconds"]
        self._records = [EpochRecord(**record) for record in checkpoint.state["records"]]

    def run(self, schedule: CheckpointSchedule, shown: TrainingProgress) -> tuple[EpochRecord, ...]:
        """Trains until the validation metric stalls and restores the best epoch's weights.

        Raises:
            ConfigError: The loss is not finite.
            SystemExit: The process was asked to end; its checkpoint is written.
        """
        config = self.model.config
        while self._epoch.number <= config.max_epochs:
            self._train(schedule, shown)
            record = self._finished_epoch()
            shown.end_epoch(record, best_epoch=self._best_record.epoch)
            if record.epoch - self._best_record.epoch >= config.patience:
                break
            self._epoch = _Epoch(record.epoch + 1)
        for name, weight in self._weights.items():
            weight.assign(self._best[name])
        return tuple(self._records)

    @property
    def _best_record(self) -> EpochRecord:
        return max(self._records, key=lambda record: record.validation_ndcg_at_10)

    def _train(self, schedule: CheckpointSchedule, shown: TrainingProgress) -> None:
        epoch = self._epoch
        shown.start_epoch(
            epoch.number, num_examples=self.length.num_examples, num_done=epoch.num_examples
        )
        last = time.perf_counter()
        with closing(prefetched(self._inputs())) as all_inputs:
            for inputs, num_examples, weight in all_inputs:
                if inputs is not None:
                    epoch.loss += weight * self._step(inputs, step=self._num_steps)
                epoch.weight += weight
                epoch.num_examples += num_examples
                epoch.num_batches += 1
                self._num_steps += 1
                epoch.training_s += time.perf_counter() - last
                shown.step(num_examples, loss=epoch.mean_loss)
                schedule.after_step(self._checkpoint)
                last = time.perf_counter()

    def _inputs(self) -> Iterator[tuple[StepInputs | None, int, float]]:
        """Yields each step's inputs, None where nothing in a batch counts; and how much it does."""
        epoch, first_step = self._epoch.number, self._num_steps
        batches = self._batches(epoch, self.length.num_passes, self._epoch.num_batches)
        for step, batch in enumerate(batches, start=first_step):
            weight = float(batch.weight.sum())
            inputs = step_inputs(batch, self._items(batch, step=step)) if weight else None
            yield inputs, len(batch.target), weight

    def _finished_epoch(self) -> EpochRecord:
        epoch, began = self._epoch, time.perf_counter()
        if not np.isfinite(epoch.mean_loss):
            raise ConfigError(
                f"{RANKING}.learning_rate",
                expected="a finite training loss",
                got=f"{epoch.mean_loss} in epoch {epoch.number}",
                fix=f"lower it from {self.model.config.learning_rate}",
            )
        record = EpochRecord(
            epoch=epoch.number,
            loss=epoch.mean_loss,
            validation_ndcg_at_10=self._validate(self.model),
            examples_per_s=epoch.num_examples / epoch.training_s,
            seconds=epoch.training_s + time.perf_counter() - began,
        )
        self._records.append(record)
        if self._best_record is record:
            self._best = {name: weight.numpy() for name, weight in self._weights.items()}
        return record

    def _checkpoint(self) -> Checkpoint:
        arrays = {name: variable.numpy() for name, variable in self._state.items()}
        arrays |= {f"best.{name}": weight for name, weight in self._best.items()}
        state = {
            "epoch": asdict(self._epoch),
            "num_steps": self._num_steps,
            "seconds": self.seconds,
            "records": [record.model_dump() for record in self._records],
            "best": list(self._best),
        }
        return Checkpoint(arrays, state)
