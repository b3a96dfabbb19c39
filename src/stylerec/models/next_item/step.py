"""One optimiser step, by one process or by several that each take a part of the batch."""

import dataclasses

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from stylerec.models.next_item.batches import TrainingBatch
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.model import NextItemModel
from stylerec.models.next_item.objective import Objective
from stylerec.models.next_item.precision import Precision
from stylerec.models.next_item.processes import Processes
from stylerec.models.next_item.randomness import Stream, derived_seed

_MAX_GRADIENT_NORM = 5.0
_SMALLEST_RATE = 0.02
"""Share of the learning rate that is left in the last steps."""


class TrainStep:
    """Updates a model by its gradient on one batch.

    With several processes the gradient is that of the whole batch, whatever part each of them has:
    torch's `DistributedDataParallel` averages over processes, so each scales its mean loss by its
    share of the batch's weight.

    Args:
        model: On its device, initialised.
        objective: Computes the loss; draws from `generator` and from torch's own generators only.
        config: Chooses the optimiser's settings.
        generator: The objective's: set before each step, alike in all processes.
        steps_per_epoch: Optimiser steps that an epoch takes, about.
        precision: Number formats.
        processes: That train together.
    """

    def __init__(
        self,
        model: NextItemModel,
        objective: Objective,
        config: NextItemConfig,
        *,
        generator: torch.Generator,
        steps_per_epoch: int,
        precision: Precision,
        processes: Processes,
    ) -> None:
        self._config, self._model, self._generator = config, model, generator
        self._steps_per_epoch = steps_per_epoch
        self._precision, self._processes = precision, processes
        self._loss: nn.Module = _BatchLoss(model, objective)
        if processes.size > 1:
            self._loss = DistributedDataParallel(
                self._loss, forward_sync_buffers=False, gradient_as_bucket_view=True
            )
        self.optimiser = torch.optim.AdamW(
            model.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            betas=(0.9, 0.98),
            fused=True,
        )

    def __call__(
        self, batch: TrainingBatch, *, weight: float, total_weight: float, number: int
    ) -> Tensor:
        """Updates the model and returns this process's weighted sum of losses, float64.

        Args:
            batch: This process's part.
            weight: Sum of its targets' weights; with 0 the process only takes part.
            total_weight: Sum over all processes, above 0.
            number: Steps before this one.
        """
        self._seed(number)
        if weight == 0.0:
            batch = dataclasses.replace(batch, weight=torch.ones_like(batch.weight))
        with self._precision.autocast():
            mean_loss: Tensor = self._loss(batch)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate(number + 1)
        self.optimiser.zero_grad(set_to_none=True)
        share = weight / total_weight * self._processes.size
        torch.autograd.backward(mean_loss * share)
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), _MAX_GRADIENT_NORM)
        self.optimiser.step()
        return mean_loss.detach().double() * weight

    def _rate(self, number: int) -> float:
        """Returns the learning rate of a step, from 1: a linear rise, then a linear fall."""
        warm = min(1.0, number / self._steps_per_epoch)
        remaining = 1.0 - number / (self._steps_per_epoch * self._config.max_epochs)
        return self._config.learning_rate * warm * max(remaining, _SMALLEST_RATE)

    def _seed(self, number: int) -> None:
        seed = self._config.seed
        self._generator.manual_seed(derived_seed(seed, Stream.NEGATIVES, number))
        torch.manual_seed(derived_seed(seed, Stream.DROPOUT, number, self._processes.rank))


class _BatchLoss(nn.Module):
    """The objective as a module: what is run together needs one `forward`."""

    def __init__(self, model: NextItemModel, objective: Objective) -> None:
        super().__init__()
        self.model, self.objective = model, objective

    def forward(self, batch: TrainingBatch) -> Tensor:
        """Returns the batch's weighted mean loss."""
        return self.objective.loss(self.model, batch)
