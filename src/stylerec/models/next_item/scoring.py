"""The served graph: history and context in, scores of the candidates out.

B batch, L history, K context items, C candidates, V catalogue, X embedding with content.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from stylerec.models.next_item.model import NextItemModel, query_of
from stylerec.schema.tensors import FIRST_ITEM_INDEX

NOT_AN_ITEM_SCORE = -1e9
_SMALLEST_NORM = 1e-12


class ScoringGraph(nn.Module):
    """The model with its whole item table baked in, taking inputs as `MODEL_SPECS` names them.

    Args:
        model: A trained model, in evaluation mode.
    """

    def __init__(self, model: NextItemModel) -> None:
        super().__init__()
        with torch.inference_mode():
            row_VX = model.item_rows()
        self.encoder, self.match = model.encoder, model.match
        self.register_buffer("table", row_VX.clone())

    def forward(
        self,
        history_item_index: Tensor,
        history_event_type: Tensor,
        history_age_days: Tensor,
        context_item_index: Tensor,
        context_weight: Tensor,
        candidate_index: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Returns `scores` `[B, C]` and `query_embedding` `[B, X]`.

        The query embedding is the state at the newest position with the history's content. With
        context items it is blended with their mean, both at unit length:
        `(1 - w) q / |q| + w m / |m|`. Scores are dot products with the candidates' embeddings, -1e9
        for padding and unknown. Indices outside the catalogue count as its nearest index.

        Args:
            history_item_index: int64 `[B, L]`, 0 is padding, newest last.
            history_event_type: int64 `[B, L]`.
            history_age_days: float32 `[B, L]`.
            context_item_index: int64 `[B, K]`, 0 is padding.
            context_weight: w, 0 to 1, float32 `[B, 1]`; 0 ignores the context.
            candidate_index: int64 `[B, C]`, 0 is padding.
        """
        row_VX = self.get_buffer("table")
        last = row_VX.shape[0] - 1
        history_BL = history_item_index.clamp(0, last)
        query_BX = query_of(
            self.encoder,
            self.match,
            functional.embedding(history_BL, row_VX),
            history_BL,
            history_event_type,
            history_age_days,
        )
        blended_BX = _blend(
            query_BX, context_item_index.clamp(0, last), context_weight, row_VX=row_VX
        )
        candidate_BC = candidate_index.clamp(0, last)
        candidate_BCX = functional.embedding(candidate_BC, row_VX)
        scores_BC = torch.matmul(candidate_BCX, blended_BX.unsqueeze(-1)).squeeze(-1)
        is_item_BC = candidate_BC >= FIRST_ITEM_INDEX
        return torch.where(is_item_BC, scores_BC, NOT_AN_ITEM_SCORE), query_BX


def _blend(query_BX: Tensor, context_BK: Tensor, weight_B1: Tensor, *, row_VX: Tensor) -> Tensor:
    is_item_BK1 = (context_BK >= FIRST_ITEM_INDEX).unsqueeze(-1).to(query_BX.dtype)
    count_B1 = is_item_BK1.sum(dim=1)
    total_BX = (functional.embedding(context_BK, row_VX) * is_item_BK1).sum(dim=1)
    mean_BX = total_BX / count_B1.clamp(min=1.0)
    blended_BX = (1.0 - weight_B1) * _unit(query_BX) + weight_B1 * _unit(mean_BX)
    return torch.where((count_B1 > 0) & (weight_B1 > 0), blended_BX, query_BX)


def _unit(x_BX: Tensor) -> Tensor:
    norm_B1 = torch.linalg.vector_norm(x_BX, dim=-1, keepdim=True)
    unit_BX: Tensor = x_BX / norm_B1.clamp(min=_SMALLEST_NORM)
    return unit_BX
