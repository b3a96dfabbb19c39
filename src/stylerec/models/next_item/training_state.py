"""Where a training run is, as a checkpoint and back."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from stylerec.models.checkpoint import Checkpoint
from stylerec.models.records import EpochRecord

_MODEL, _BEST, _OPTIMISER = "model.", "best.", "optimiser."


class Place(BaseModel):
    """How far a run is; numbers only.

    There is no generator among them: what a step draws depends on the seed and on how many steps
    came before it alone, see `randomness.py`.

    Attributes:
        epoch: The one under way, from 1.
        step: Batches of it that are done.
        num_steps: Optimiser steps in all, which the schedule of the learning rate counts.
        loss_sum: Of the epoch so far: each target's loss times its weight.
        weight_sum: The targets' weights.
        num_examples: Targets of the epoch so far.
        epoch_s: Seconds of training on the epoch so far, over all processes that went on with it.
        setup_s: Seconds of reading and preparing, likewise.
        best_epoch: The best of the finished epochs, 0 before there is one.
        best_ndcg: Its validation NDCG@10.
        records: Of the finished epochs.
    """

    model_config = ConfigDict(extra="forbid")

    epoch: int = 1
    step: int = 0
    num_steps: int = 0
    loss_sum: float = 0.0
    weight_sum: float = 0.0
    num_examples: int = 0
    epoch_s: float = 0.0
    setup_s: float = 0.0
    best_epoch: int = 0
    best_ndcg: float = -1.0
    records: list[EpochRecord] = Field(default_factory=list)

    def start_epoch(self) -> None:
        """Moves to the beginning of the next epoch."""
        self.epoch += 1
        self.step = self.num_examples = 0
        self.loss_sum = self.weight_sum = self.epoch_s = 0.0


@dataclass
class TrainingState:
    """A run's model, optimiser, best weights so far and place."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    best: dict[str, Tensor] = field(default_factory=dict)
    place: Place = field(default_factory=Place)

    def keep_best(self) -> None:
        """Copies the model's weights: they are the best so far."""
        self.best = {name: w.detach().clone() for name, w in self.model.state_dict().items()}

    def checkpoint(self) -> Checkpoint:
        """Returns everything that the run needs to go on."""
        moments = self.optimiser.state_dict()["state"]
        tensors = {
            **{_MODEL + name: tensor for name, tensor in self.model.state_dict().items()},
            **{_BEST + name: tensor for name, tensor in self.best.items()},
            **{
                f"{_OPTIMISER}{number}.{key}": tensor
                for number, values in moments.items()
                for key, tensor in values.items()
            },
        }
        arrays = {name: _array(tensor) for name, tensor in tensors.items()}
        return Checkpoint(arrays, self.place.model_dump())

    def restore(self, checkpoint: Checkpoint) -> None:
        """Goes to where another process's run was."""
        arrays = checkpoint.arrays
        self.model.load_state_dict(_under(_MODEL, arrays))
        device = next(self.model.parameters()).device
        self.best = {name: w.to(device) for name, w in _under(_BEST, arrays).items()}
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under(_OPTIMISER, arrays).items():
            number, key = name.split(".")
            moments.setdefault(int(number), {})[key] = tensor
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": moments, "param_groups": groups})
        self.place = Place.model_validate(checkpoint.state)


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().cpu().numpy()
    return array


def _under(prefix: str, arrays: dict[str, NDArray[Any]]) -> dict[str, Tensor]:
    # Copies: torch wants memory that it may write to.
    return {
        name.removeprefix(prefix): torch.from_numpy(np.array(array))
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
