"""Trains the ranking model."""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import Split, leave_one_out
from stylerec.errors import ConfigError, DataError
from stylerec.models.ranking.artifacts import EpochRecord, TrainingResult, save_trained
from stylerec.models.ranking.batches import (
    Batch,
    count_training_interactions,
    examples_per_epoch,
    iterate_epoch,
)
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel, ScoringGraph
from stylerec.models.ranking.negatives import choose_step_items
from stylerec.models.ranking.step import TrainStep
from stylerec.models.ranking.validation import (
    choose_validation_customers,
    validation_ndcg_at_10,
)
from stylerec.schema.tensors import FIRST_ITEM_INDEX, RANKING


def train_ranking(
    prepared: Path,
    output: Path,
    config: RankingConfig,
    *,
    progress: Callable[[str], None] = print,
) -> TrainingResult:
    """Trains on the leave-one-out train part and writes the best epoch's model into `output`.

    Stops when the validation NDCG@10 (all items, those seen filtered, at most
    `max_validation_customers`) has not improved for `patience` epochs. The test targets are never
    read. The same seed, data and machine give the same weights.

    Args:
        prepared: Folder that the preparation wrote.
        output: Folder for `config.json`, `weights.safetensors` and `training.json`; replaced whole.
        config: Architecture and training.
        progress: Takes one line per epoch.

    Raises:
        DataError: No customer has the interactions that training and validation need.
        ConfigError: The loss is not finite; what was in `output` is still there.
    """
    started = time.perf_counter()
    data = PreparedData(prepared)
    histories = data.histories
    split = leave_one_out(histories)
    validation_customers = choose_validation_customers(
        histories, split, config.max_validation_customers, seed=config.seed
    )
    if not len(validation_customers) or not examples_per_epoch(split, 1):
        raise DataError(
            str(prepared / "histories"),
            expected="customers with at least 4 interactions, the last but one with a new item",
            got=f"{histories.num_customers} customers, too few or none with as many",
            fix="give a longer interaction log",
        )
    features = data.item_features
    counts = count_training_interactions(histories, split, num_items=len(features.text_tokens))
    model = RankingModel(config, features, has_id=_items_with_id(counts, config))
    epochs = _Trainer(model, histories, split, counts, validation_customers).run(progress)
    best = max(epochs, key=lambda record: record.validation_ndcg_at_10)
    result = TrainingResult(
        model=RANKING,
        num_weights=sum(int(np.prod(w.shape)) for w in model.parameters.trainable),
        best_epoch=best.epoch,
        validation_ndcg_at_10=best.validation_ndcg_at_10,
        num_validation_customers=len(validation_customers),
        seconds=time.perf_counter() - started,
        epochs=epochs,
    )
    save_trained(model, output, result)
    return result


def _items_with_id(counts: NDArray[np.int64], config: RankingConfig) -> NDArray[np.bool_]:
    """Returns which items have an id part, `[V]`: those that train, all of them without content."""
    has_id = counts > 0 if config.use_content else np.ones(len(counts), dtype=np.bool_)
    has_id[:FIRST_ITEM_INDEX] = False
    return has_id


class _Trainer:
    """Runs epochs, keeping the weights of the best one."""

    def __init__(
        self,
        model: RankingModel,
        histories: Histories,
        split: Split,
        counts: NDArray[np.int64],
        validation_customers: NDArray[np.int64],
    ) -> None:
        config = model.config
        self._model, self._histories, self._split = model, histories, split
        self._choose_items = choose_step_items(config, counts, has_id=model.has_id)
        per_pass = examples_per_epoch(split, config.examples_per_customer)
        steps_per_pass = math.ceil(per_pass / config.batch_size)
        self._num_passes = math.ceil(config.min_steps_per_epoch / steps_per_pass)
        self._train_step = TrainStep(
            model,
            is_sampled=self._choose_items.is_sampled,
            num_steps=config.max_epochs * self._num_passes * steps_per_pass,
        )
        self._rng = np.random.default_rng((config.seed, 0))
        self._validation_customers = validation_customers
        self._num_steps = 0

    def run(self, progress: Callable[[str], None]) -> tuple[EpochRecord, ...]:
        """Trains until the validation metric stalls and restores the best epoch's weights."""
        config = self._model.config
        records: list[EpochRecord] = []
        best: list[NDArray[np.float32]] = []
        best_epoch, best_ndcg = 0, -1.0
        for epoch in range(1, config.max_epochs + 1):
            records.append(self._run_epoch(epoch))
            ndcg = records[-1].validation_ndcg_at_10
            if ndcg > best_ndcg:
                best_epoch, best_ndcg = epoch, ndcg
                best = [weight.numpy() for weight in self._model.parameters.trainable]
            progress(_progress_line(records[-1], config.max_epochs, best_epoch))
            if epoch - best_epoch >= config.patience:
                break
        for weight, value in zip(self._model.parameters.trainable, best, strict=True):
            weight.assign(value)
        return tuple(records)

    def _batches(self) -> Iterator[Batch]:
        config = self._model.config
        for _ in range(self._num_passes):
            yield from iterate_epoch(
                self._histories,
                self._split,
                examples_per_customer=config.examples_per_customer,
                batch_size=config.batch_size,
                max_len=config.max_history_len,
                rng=self._rng,
            )

    def _run_epoch(self, epoch: int) -> EpochRecord:
        config, started = self._model.config, time.perf_counter()
        losses, sizes = [], []
        for batch in self._batches():
            items = self._choose_items(batch)
            losses.append(self._train_step(batch, items, step=self._num_steps))
            sizes.append(len(batch.target))
            self._num_steps += 1
        loss = float(np.average(losses, weights=sizes))
        if not np.isfinite(loss):
            raise ConfigError(
                f"{RANKING}.learning_rate",
                expected="a finite training loss",
                got=f"{loss} in epoch {epoch}",
                fix=f"lower it from {config.learning_rate}",
            )
        training_s = time.perf_counter() - started
        ndcg = validation_ndcg_at_10(
            ScoringGraph(self._model),
            self._histories,
            self._validation_customers,
            max_len=config.max_history_len,
        )
        return EpochRecord(
            epoch=epoch,
            loss=loss,
            validation_ndcg_at_10=ndcg,
            examples_per_s=sum(sizes) / training_s,
            seconds=time.perf_counter() - started,
        )


def _progress_line(record: EpochRecord, num_epochs: int, best_epoch: int) -> str:
    left_s = (num_epochs - record.epoch) * record.seconds
    return (
        f"{RANKING}: epoch {record.epoch} of {num_epochs}, loss {record.loss:.4f}, "
        f"validation NDCG@10 {record.validation_ndcg_at_10:.4f} (best: epoch {best_epoch}), "
        f"{record.examples_per_s:,.0f} examples/s, at most {left_s:.0f} s left"
    )
