"""Trains the next-item model on prepared data."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError

from stylerec.aside import written_aside
from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError
from stylerec.models.checkpoint import run_fingerprint
from stylerec.models.checkpoint_schedule import CHECKPOINT_INTERVAL_S, CheckpointSchedule
from stylerec.models.next_item.artifacts import TRAINING_FILE
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.processes import ALONE, Processes
from stylerec.models.next_item.trainer import Trainer
from stylerec.models.progress import TrainingProgress
from stylerec.models.records import EpochRecord, TrainingResult
from stylerec.schema.tensors import NEXT_ITEM


def train_next_item(
    prepared: Path,
    output: Path,
    config: NextItemConfig,
    *,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    checkpoint: Path | None = None,
    checkpoint_interval_s: float = CHECKPOINT_INTERVAL_S,
    progress: Callable[[str], None] = print,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    processes: Processes = ALONE,
) -> TrainingResult:
    """Trains on the split's training part and writes the weights of the best epoch.

    `output` gets `config.json`, `weights.safetensors` and `training.json`, all at once; what was
    there is replaced. On a CPU the same seed gives the same weights for the same thread count,
    whether or not training was interrupted and went on from a checkpoint.

    Args:
        prepared: Folder of `PreparedData`.
        output: Folder to write.
        config: Model and training settings.
        device: Where to train; `auto` takes a GPU if there is one.
        checkpoint: Folder that keeps the state of this run; where it holds one already, training
            goes on from there. Removed when training has succeeded.
        checkpoint_interval_s: Seconds between two checkpoints.
        progress: Gets one line per epoch, and one per ten seconds within long epochs.
        on_epoch: Takes each finished epoch's record; what it raises ends the training.
        processes: This process among those that train together, see `distributed.py`.

    Raises:
        DataError: No customer has the interactions that validation needs.
        ConfigError: The loss stopped being a number.
        ReleaseError: The output cannot be written, or the checkpoint is damaged or of another run.
        SystemExit: SIGTERM came, and a checkpoint was written.
    """
    began = time.perf_counter()
    place = _device(device, processes)
    data = PreparedData(prepared)
    report = progress if processes.is_first else _silent
    with (
        torch.random.fork_rng(devices=[place] if place.type == "cuda" else []),
        TrainingProgress(
            NEXT_ITEM, num_epochs=config.max_epochs, progress=report, on_epoch=on_epoch
        ) as shown,
        CheckpointSchedule(
            checkpoint,
            fingerprint=run_fingerprint(config, data),
            interval_s=checkpoint_interval_s,
            progress=shown.say,
            is_writer=processes.is_first,
        ) as schedule,
    ):
        found = processes.shared(schedule.read() if processes.is_first else None)
        trainer = Trainer(data, config, device=place, processes=processes, found=found)
        result = trainer.run(schedule, shown, began=began)
        if processes.is_first:
            _write(trainer, output, result)
            schedule.discard()
        processes.wait()
    return result


def _write(trainer: Trainer, output: Path, result: TrainingResult) -> None:
    with written_aside(output, error=ReleaseError, write_errors=(SafetensorError,)) as folder:
        trainer.model.cpu().save(folder)
        (folder / TRAINING_FILE).write_text(result.model_dump_json(indent=2))


def _device(name: Literal["auto", "cpu", "cuda"], processes: Processes) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name, processes.local_rank) if name == "cuda" else torch.device(name)


def _silent(line: str) -> None:
    """Takes a line of a process that does not report."""
