"""One training step's loss: which items compete with the target, and how. N targets, M items."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylerec.models.next_item.batches import TrainingBatch
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.loss import full_softmax_loss, sampled_softmax_loss
from stylerec.models.next_item.model import NextItemModel


class Objective:
    """Full or sampled softmax over the items that occur in the training part.

    Items that never occur cannot be a target; as competitors they would only teach the model that
    their kind of content is never wanted, so they are left out.

    Args:
        counts: Training interactions per item, `[V]`.
        config: Chooses the loss.
        generator: Draws the negatives.
        device: Where the model lives.
    """

    def __init__(
        self,
        counts: NDArray[np.int64],
        config: NextItemConfig,
        *,
        generator: torch.Generator,
        device: torch.device,
    ) -> None:
        trained = np.flatnonzero(counts)
        self.is_full = config.uses_full_softmax(len(trained))
        self.num_negatives = config.num_negatives
        self.generator = generator
        self.device = device
        self.trained = torch.from_numpy(trained)
        weight = torch.from_numpy(counts[trained].astype(np.float64) ** config.negative_power)
        self.probability = weight / weight.sum()
        self.cumulative = torch.cumsum(self.probability, dim=0)
        self.column_V = torch.zeros(len(counts), dtype=torch.int64)
        self.column_V[self.trained] = torch.arange(len(trained))

    def draw(self) -> Tensor:
        """Returns columns of `trained` that compete: all of them, or a draw with replacement."""
        if self.is_full:
            return torch.arange(len(self.trained))
        uniform = torch.rand(self.num_negatives, generator=self.generator, dtype=torch.float64)
        return torch.searchsorted(self.cumulative, uniform).clamp(max=len(self.trained) - 1)

    def loss(self, model: NextItemModel, batch: TrainingBatch) -> Tensor:
        """Returns the mean loss of a batch's targets, a scalar that can be differentiated.

        The embeddings of the items that the batch needs are computed once and shared by inputs,
        targets and competitors.
        """
        history = batch.history
        is_target_BL = batch.target > 0
        target_N = batch.target[is_target_BL]
        drawn_M = self.draw()
        competitor_M = self.trained[drawn_M]
        needed = torch.cat([history.item_index.flatten(), target_N, competitor_M])
        item_U, place = torch.unique(needed, return_inverse=True)
        row_UD = model.items(item_U.to(self.device))
        sizes = (history.item_index.numel(), len(target_N), len(competitor_M))
        input_place, target_place, competitor_place = place.to(self.device).split(sizes)
        on_device = history.to(self.device)
        state_BLD = model.encoder(
            row_UD[input_place].unflatten(0, history.item_index.shape),
            on_device.item_index,
            on_device.event_type,
            on_device.age_days,
        )
        state_ND = state_BLD[is_target_BL.to(self.device)]
        logits_NM = state_ND @ row_UD[competitor_place].T
        if self.is_full:
            return full_softmax_loss(logits_NM, self.column_V[target_N].to(self.device))
        return sampled_softmax_loss(
            (state_ND * row_UD[target_place]).sum(dim=-1),
            logits_NM,
            log_q_M=self.probability[drawn_M].log().float().to(self.device),
            is_target_NM=(target_N[:, None] == competitor_M[None, :]).to(self.device),
        )
