"""Trains the next-item model on prepared data."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from torch import Tensor

from stylerec.aside import written_aside
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import leave_one_out
from stylerec.errors import ConfigError, DataError, ReleaseError
from stylerec.models.next_item.artifacts import TRAINING_FILE
from stylerec.models.next_item.batches import (
    Windows,
    epoch_batches,
    trained_counts,
    training_windows,
)
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.model import NextItemModel
from stylerec.models.next_item.objective import Objective
from stylerec.models.next_item.validation import (
    ValidationBlock,
    validation_blocks,
    validation_ndcg_at_10,
)

_MAX_GRADIENT_NORM = 5.0
_SMALLEST_RATE = 0.02
"""Share of the learning rate that is left in the last steps."""


class EpochRecord(BaseModel):
    """One pass over the training part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    loss: float
    validation_ndcg_at_10: float
    seconds: float
    """Training and validation together."""


class TrainingResult(BaseModel):
    """What training did; written as `training.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    best_epoch: int
    best_validation_ndcg_at_10: float
    """Full ranking over all items, seen items filtered; at most the configured customers."""
    num_windows: int
    num_targets: int
    num_trained_items: int
    seconds: float
    epochs: tuple[EpochRecord, ...]


def train_next_item(
    prepared: Path,
    output: Path,
    config: NextItemConfig,
    *,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    progress: Callable[[str], None] = print,
) -> TrainingResult:
    """Trains on the leave-one-out training part and writes the weights of the best epoch.

    `output` gets `config.json`, `weights.safetensors` and `training.json`, all at once; what was
    there is replaced. On a CPU the same seed gives the same weights for the same thread count.

    Args:
        prepared: Folder of `PreparedData`.
        output: Folder to write.
        config: Model and training settings.
        device: Where to train; `auto` takes a GPU if there is one.
        progress: Gets one line per epoch.

    Raises:
        DataError: No customer has the interactions that validation needs.
        ConfigError: The loss stopped being a number.
        ReleaseError: The output cannot be written.
    """
    place = torch.device(_device_name(device))
    data = PreparedData(prepared)
    with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        torch.manual_seed(config.seed)
        trainer = _Trainer(data, config, place)
        result = trainer.run(progress)
    with written_aside(output, error=ReleaseError, write_errors=(SafetensorError,)) as folder:
        trainer.model.cpu().save(folder)
        (folder / TRAINING_FILE).write_text(result.model_dump_json(indent=2))
    return result


class _Trainer:
    """The state of one training run: model, optimiser, data and the best weights so far."""

    def __init__(self, data: PreparedData, config: NextItemConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        self.histories = data.histories
        features = data.item_features
        split = leave_one_out(self.histories)
        counts = trained_counts(self.histories, split, num_items=len(features.text_tokens))
        self.generator = torch.Generator().manual_seed(config.seed)
        self.windows: Windows = training_windows(self.histories, split, max_len=config.max_len)
        self.blocks: list[ValidationBlock] = validation_blocks(
            self.histories,
            split,
            max_len=config.max_len,
            max_customers=config.max_validation_customers,
            generator=self.generator,
        )
        if not self.blocks or not counts.any():
            raise DataError(
                "histories",
                expected="customers with three interactions, the last but one with a new item",
                got=f"none among {self.histories.num_customers} customers",
                fix="prepare a longer interaction log",
            )
        self.num_trained_items = int((counts > 0).sum())
        self.model = NextItemModel(features, config)
        self.model.initialise(torch.from_numpy(counts > 0))
        self.model.to(device)
        self.objective = Objective(counts, config, generator=self.generator, device=device)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            betas=(0.9, 0.98),
            fused=True,
        )
        self.num_steps = 0
        self.steps_per_epoch = -(-int(self.windows.num_targets.sum()) // config.batch_targets)

    def run(self, progress: Callable[[str], None]) -> TrainingResult:
        """Returns the run's record; the model then holds the best epoch's weights."""
        began = time.perf_counter()
        records: list[EpochRecord] = []
        best = _Best(epoch=0, ndcg=-1.0, weights={})
        for epoch in range(1, self.config.max_epochs + 1):
            record, speed = self._epoch(epoch)
            records.append(record)
            if record.validation_ndcg_at_10 > best.ndcg:
                weights = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
                best = _Best(epoch, record.validation_ndcg_at_10, weights)
            elapsed = time.perf_counter() - began
            left = elapsed / epoch * (self.config.max_epochs - epoch)
            progress(
                f"next_item epoch {epoch}/{self.config.max_epochs}: loss {record.loss:.4f}, "
                f"validation NDCG@10 {record.validation_ndcg_at_10:.4f}, "
                f"{speed:,.0f} sequences/s, at most {left:.0f} s left"
            )
            if epoch - best.epoch >= self.config.patience:
                break
        self.model.load_state_dict(best.weights)
        self.model.eval()
        return TrainingResult(
            best_epoch=best.epoch,
            best_validation_ndcg_at_10=best.ndcg,
            num_windows=len(self.windows.start),
            num_targets=int(self.windows.num_targets.sum()),
            num_trained_items=self.num_trained_items,
            seconds=time.perf_counter() - began,
            epochs=tuple(records),
        )

    def _epoch(self, epoch: int) -> tuple[EpochRecord, float]:
        began = time.perf_counter()
        self.model.train()
        total, num_targets = 0.0, 0
        for batch in epoch_batches(
            self.histories,
            self.windows,
            batch_targets=self.config.batch_targets,
            generator=self.generator,
        ):
            loss = self.objective.loss(self.model, batch)
            self._step(loss)
            count = int((batch.target > 0).sum())
            total += float(loss.detach()) * count
            num_targets += count
        speed = len(self.windows.start) / (time.perf_counter() - began)
        if not np.isfinite(total):
            raise ConfigError(
                "next_item.learning_rate",
                expected="a loss that stays finite",
                got=f"a loss that is not a number in epoch {epoch}",
                fix=f"lower it from {self.config.learning_rate} in the pipeline's config",
            )
        ndcg = validation_ndcg_at_10(self.model, self.blocks, device=self.device)
        record = EpochRecord(
            epoch=epoch,
            loss=total / num_targets,
            validation_ndcg_at_10=ndcg,
            seconds=time.perf_counter() - began,
        )
        return record, speed

    def _step(self, loss: Tensor) -> None:
        self.num_steps += 1
        warm = min(1.0, self.num_steps / self.steps_per_epoch)
        remaining = 1.0 - self.num_steps / (self.steps_per_epoch * self.config.max_epochs)
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * warm * max(remaining, _SMALLEST_RATE)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _MAX_GRADIENT_NORM)
        self.optimiser.step()


@dataclass(frozen=True)
class _Best:
    epoch: int
    ndcg: float
    weights: dict[str, Tensor]


def _device_name(device: Literal["auto", "cpu", "cuda"]) -> str:
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device
