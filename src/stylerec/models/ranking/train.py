"""Trains the ranking model."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from stylerec.data.cooccurrence import spectral_embedding
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import Targets, training_counts
from stylerec.data.target_weights import target_weights
from stylerec.errors import DataError
from stylerec.models.checkpoint import run_fingerprint
from stylerec.models.checkpoint_schedule import CHECKPOINT_INTERVAL_S, CheckpointSchedule
from stylerec.models.content_match import choose_match_weight
from stylerec.models.progress import TrainingProgress
from stylerec.models.ranking.artifacts import save_trained
from stylerec.models.ranking.batches import (
    Batch,
    examples_per_epoch,
    iterate_epoch,
)
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel, ScoringGraph
from stylerec.models.ranking.negatives import choose_step_items
from stylerec.models.ranking.trainer import BatchesOfEpoch, EpochLength, Trainer
from stylerec.models.ranking.validation import (
    choose_targets,
    validation_ndcg_at_10,
)
from stylerec.models.records import EpochRecord, TrainingResult, peak_rss_mib
from stylerec.schema.tensors import FIRST_ITEM_INDEX, RANKING


def train_ranking(
    prepared: Path,
    output: Path,
    config: RankingConfig,
    *,
    devices: Sequence[str] = (),
    checkpoint: Path | None = None,
    checkpoint_interval_s: float = CHECKPOINT_INTERVAL_S,
    progress: Callable[[str], None] = print,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> TrainingResult:
    """Trains on the split's train part and writes the best epoch's model into `output`.

    Stops when the validation NDCG@10 (all items, those seen filtered, at most
    `max_validation_customers`) has not improved for `patience` epochs. The test targets are never
    read. The same seed, data, machine and number of threads give the same weights, interrupted or
    not.

    Args:
        prepared: Folder that the preparation wrote.
        output: Folder for `config.json`, `weights.safetensors` and `training.json`; replaced whole.
        config: Architecture and training.
        devices: TensorFlow's names of the devices that share each batch, such as `GPU:0`; without,
            all GPUs of this machine, or its CPU.
        checkpoint: Folder for the run's state. A run that finds its own there goes on from it; it
            is removed when the training is done.
        checkpoint_interval_s: Least seconds between two checkpoints.
        progress: Takes one line per epoch, and one per ten seconds within long ones.
        on_epoch: Takes each finished epoch's record; what it raises ends the training.

    Raises:
        DataError: No customer has the interactions that training and validation need.
        ConfigError: The loss is not finite, or the weights of targets do not suit the data; what
            was in `output` is still there.
        ReleaseError: The checkpoint is damaged or of another run, or `output` cannot be written.
        SystemExit: SIGTERM came, and a checkpoint was written.
    """
    data = PreparedData(prepared)
    targets = _validation_targets(data, config)
    trainer = _trainer(data, config, targets, devices)
    shown = TrainingProgress(
        RANKING, num_epochs=config.max_epochs, progress=progress, on_epoch=on_epoch
    )
    schedule = CheckpointSchedule(
        checkpoint,
        fingerprint=run_fingerprint(config, data),
        interval_s=checkpoint_interval_s,
        progress=shown.say,
    )
    with shown, schedule:
        found = schedule.read()
        if found is not None:
            trainer.go_on_from(found)
        epochs = trainer.run(schedule, shown)
        best = max(epochs, key=lambda record: record.validation_ndcg_at_10)
        match_weight, ndcg = _choose_match_weight(
            trainer.model, _validate(data, targets), without=best.validation_ndcg_at_10
        )
        if match_weight:
            shown.say(f"content similarity counts {match_weight:g}: validation NDCG@10 {ndcg:.4f}")
        result = TrainingResult(
            model=RANKING,
            num_weights=sum(int(np.prod(w.shape)) for w in trainer.model.parameters.trainable),
            best_epoch=best.epoch,
            validation_ndcg_at_10=ndcg,
            match_weight=match_weight,
            num_validation_customers=len(targets),
            num_examples=trainer.length.num_examples,
            seconds=trainer.seconds,
            epochs=epochs,
            peak_rss_mib=peak_rss_mib(),
        )
        save_trained(trainer.model, output, result)
        schedule.discard()
    return result


def training_strategy(devices: Sequence[str] = ()) -> tf.distribute.Strategy:
    """Returns how the devices share a step: each holds all weights and takes some of the rows.

    Args:
        devices: TensorFlow's names; without, all GPUs of this machine, or its CPU.
    """
    chosen = list(devices) or [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
    return (
        tf.distribute.MirroredStrategy(chosen) if len(chosen) > 1 else tf.distribute.get_strategy()
    )


def _trainer(
    data: PreparedData, config: RankingConfig, targets: Targets, devices: Sequence[str]
) -> Trainer:
    num_items = len(data.item_features.text_tokens)
    counts = training_counts(data.histories, data.split, num_items=num_items)
    has_id = _items_with_id(counts, config)
    strategy = training_strategy(devices)
    with strategy.scope():
        model = RankingModel(
            config, data.item_features, has_id=has_id, id_start=_id_start(data, config)
        )
    return Trainer(
        model,
        choose_step_items(config, counts, has_id=has_id),
        length=EpochLength.of(config, data.split),
        batches=_batches(data, config),
        validate=_validate(data, targets),
        strategy=strategy,
    )


def _validation_targets(data: PreparedData, config: RankingConfig) -> Targets:
    targets = choose_targets(
        data.histories, data.split.validation, config.max_validation_customers, seed=config.seed
    )
    if not len(targets) or not examples_per_epoch(data.split, 1):
        raise DataError(
            str(data.folder / "histories"),
            expected="customers with at least 4 interactions, the last but one with a new item",
            got=f"{data.histories.num_customers} customers, too few or none with as many",
            fix="give a longer interaction log",
        )
    return targets


def _items_with_id(counts: NDArray[np.int64], config: RankingConfig) -> NDArray[np.bool_]:
    """Returns which items have an id part, `[V]`: those that train, all of them without content."""
    has_id = counts > 0 if config.use_content else np.ones(len(counts), dtype=np.bool_)
    has_id[:FIRST_ITEM_INDEX] = False
    return has_id


def _id_start(data: PreparedData, config: RankingConfig) -> NDArray[np.float32] | None:
    if config.initialisation == "random":
        return None
    return spectral_embedding(
        data.histories,
        data.split,
        num_items=len(data.item_features.text_tokens),
        dim=config.embedding_dim,
        seed=config.seed,
    )


def _batches(data: PreparedData, config: RankingConfig) -> BatchesOfEpoch:
    histories, split = data.histories, data.split
    weigh = target_weights(
        data,
        model=RANKING,
        event_weights=config.event_weights,
        use_propensity=config.use_propensity,
        min_propensity=config.min_propensity,
    )

    def batches(epoch: int, num_passes: int, first_batch: int) -> Iterator[Batch]:
        return iterate_epoch(
            histories,
            split,
            examples_per_customer=config.examples_per_customer,
            batch_size=config.batch_size,
            max_len=config.max_history_len,
            rng=np.random.default_rng((config.seed, 0, epoch)),
            num_passes=num_passes,
            first_batch=first_batch,
            weigh=weigh,
        )

    return batches


def _choose_match_weight(
    model: RankingModel, validate: Callable[[RankingModel], float], *, without: float
) -> tuple[float, float]:
    """Sets how much content similarity adds to the best epoch's scores."""
    if model.match is None:
        return 0.0, without
    weight = model.match.weight

    def metric(value: float) -> float:
        weight.assign([value])
        return validate(model)

    chosen, ndcg = choose_match_weight(metric, without=without)
    weight.assign([chosen])
    return chosen, ndcg


def _validate(data: PreparedData, targets: Targets) -> Callable[[RankingModel], float]:
    histories = data.histories

    def validate(model: RankingModel) -> float:
        return validation_ndcg_at_10(
            ScoringGraph(model), histories, targets, max_len=model.config.max_history_len
        )

    return validate
