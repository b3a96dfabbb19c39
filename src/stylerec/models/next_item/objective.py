"""One training step's loss: which items compete with the target, and how.

N targets, U distinct competing items, M negatives, D embedding, V catalogue.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylerec.models.next_item.batches import TrainingBatch
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.loss import gbce_loss, log_expected_counts, softmax_loss
from stylerec.models.next_item.model import NextItemModel


class Objective:
    """Full softmax, sampled softmax or gBCE over the items that occur in the training part.

    Items that never occur cannot be a target; as competitors they would only teach the model that
    their kind of content is never wanted, so they are left out.

    Args:
        counts: Training interactions per item, `[V]`.
        config: Chooses the loss.
        generator: Draws the negatives.
        device: Where the model lives.
        product_dtype: Of the loss's matrix products.
    """

    def __init__(
        self,
        counts: NDArray[np.int64],
        config: NextItemConfig,
        *,
        generator: torch.Generator,
        device: torch.device,
        product_dtype: torch.dtype = torch.float32,
    ) -> None:
        trained = np.flatnonzero(counts)
        self.loss_name = config.loss_for(len(trained))
        self.num_negatives = config.num_negatives
        self.calibration = config.gbce_calibration
        self.generator = generator
        self.device = device
        self.product_dtype = product_dtype
        self.trained = torch.from_numpy(trained)
        power = 0.0 if self.loss_name == "gbce" else config.negative_power
        weight = torch.from_numpy(counts[trained].astype(np.float64) ** power)
        self.probability = weight / weight.sum()
        self.cumulative = torch.cumsum(self.probability, dim=0)
        self.column_V = torch.zeros(len(counts), dtype=torch.int64)
        self.column_V[self.trained] = torch.arange(len(trained))

    def loss(self, model: NextItemModel, batch: TrainingBatch) -> Tensor:
        """Returns the weighted mean loss of a batch's targets, a scalar that can be differentiated.

        The embeddings of the items that the batch needs are computed once and shared by inputs,
        targets and competitors.
        """
        history = batch.history
        is_target_BL = batch.target > 0
        target_N = self.column_V[batch.target[is_target_BL]]
        weight_N = batch.weight[is_target_BL].to(self.device)
        competitor_U, correction_U = self._competitors(target_N)
        needed = torch.cat([history.item_index.flatten(), self.trained[competitor_U]])
        distinct, place = torch.unique(needed, return_inverse=True)
        row_XD = model.items(distinct.to(self.device))
        sizes = (history.item_index.numel(), len(competitor_U))
        input_place, competitor_place = place.to(self.device).split(sizes)
        on_device = history.to(self.device)
        state_BLD = model.encoder(
            row_XD[input_place].unflatten(0, history.item_index.shape),
            on_device.item_index,
            on_device.event_type,
            on_device.age_days,
        )
        state_ND = state_BLD[is_target_BL.to(self.device)].float()
        item_UD = row_XD[competitor_place].float()
        column_N = torch.searchsorted(competitor_U, target_N).to(self.device)
        if self.loss_name == "gbce":
            return self._gbce(state_ND, item_UD, column_N, weight_N, correction_U)
        return softmax_loss(
            state_ND,
            item_UD,
            column_N=column_N,
            weight_N=weight_N,
            correction_U=correction_U,
            product_dtype=self.product_dtype,
        )

    def draw(self) -> Tensor:
        """Returns columns of `trained`, drawn with replacement, `[M]`."""
        uniform = torch.rand(self.num_negatives, generator=self.generator, dtype=torch.float64)
        return torch.searchsorted(self.cumulative, uniform).clamp(max=len(self.trained) - 1)

    def _competitors(self, target_N: Tensor) -> tuple[Tensor, Tensor | None]:
        """Returns ascending columns of `trained`, `[U]`, and their logQ correction, None if all."""
        if self.loss_name == "full_softmax":
            return torch.arange(len(self.trained)), None
        drawn_M = self.draw()
        competitor_U = torch.unique(torch.cat([drawn_M, target_N]))
        times_U = torch.zeros(len(competitor_U), dtype=torch.int64)
        place_M = torch.searchsorted(competitor_U, drawn_M)
        times_U.index_add_(0, place_M, torch.ones_like(place_M))
        correction_U = log_expected_counts(
            times_U, self.probability[competitor_U], num_draws=self.num_negatives
        )
        return competitor_U, correction_U.float().to(self.device)

    def _gbce(
        self,
        state_ND: Tensor,
        item_UD: Tensor,
        column_N: Tensor,
        weight_N: Tensor,
        correction_U: Tensor | None,
    ) -> Tensor:
        assert correction_U is not None
        negative = torch.isfinite(correction_U).nonzero().squeeze(1)
        num_others = max(len(self.trained) - 1, 1)
        return gbce_loss(
            (state_ND * item_UD[column_N]).sum(dim=1),
            state_ND @ item_UD[negative].T,
            is_target_NM=column_N[:, None] == negative[None, :],
            sampling_rate=min(1.0, len(negative) / num_others),
            calibration=self.calibration,
            weight_N=weight_N,
        )
