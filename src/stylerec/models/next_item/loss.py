"""Losses over the catalogue. N targets, U competing items, M negatives, D embedding."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx, once_differentiable
from torch.nn import functional

_TILE_ELEMENTS = {"cpu": 1_500_000, "cuda": 64_000_000}
"""Logits held at a time: on a CPU as many as its second-level cache holds."""
_MIN_TILE_ROWS = 32
_NO_COMPETITOR = -30_000.0
"""A logit whose exponential is 0, and which bfloat16 can hold."""


def softmax_loss(
    state_ND: Tensor,
    item_UD: Tensor,
    *,
    column_N: Tensor,
    weight_N: Tensor | None = None,
    correction_U: Tensor | None = None,
    product_dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Returns the weighted mean cross-entropy of the targets among U items, a scalar.

    Without a correction this is the full softmax. With one it is the sampled softmax: the sum over
    the catalogue in the denominator becomes the target's own term plus an importance-weighted
    sample of the others, `exp(s_pos) + sum_u exp(s_u - correction_u)` (Bengio & Senecal 2008,
    section III; Yi et al. 2019, equation 4, call it logQ correction). Unlike Yi et al. the target's
    own score is not corrected, since it is in the sum with certainty and not by chance.

    The logits `[N, U]` never exist as a whole: rows are worked off in tiles, and each tile's
    gradients are summed in the forward pass, as in the fused linear cross-entropy of
    Wijmans et al. 2024 ("Cut your losses"), so that memory grows with U and not with N * U.

    Args:
        state_ND: What the history says.
        item_UD: Embeddings of the items that compete, the targets among them.
        column_N: Row of `item_UD` that is each target, int64 `[N]`.
        weight_N: At least 0, not all 0; None weighs all the same.
        correction_U: Log of how often each item is expected in the sample, less the log of how
            often it is there; infinite where an item is here as a target only.
        product_dtype: Of the matrix products; sums are float32 whatever it is.
    """
    weight_N = torch.ones_like(state_ND[:, 0]) if weight_N is None else weight_N
    apply: Callable[..., Tensor] = _TiledSoftmax.apply
    share_N = weight_N / weight_N.sum()
    return apply(state_ND, item_UD, column_N, share_N, correction_U, product_dtype)


class _TiledSoftmax(torch.autograd.Function):
    """Cross-entropy and both gradients, one tile of rows at a time."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        state_ND: Tensor,
        item_UD: Tensor,
        column_N: Tensor,
        share_N: Tensor,
        correction_U: Tensor | None,
        dtype: torch.dtype,
    ) -> Tensor:
        """Returns the loss and keeps the gradients; `share_N` are weights that sum to 1."""
        dim = state_ND.shape[1]
        item_UE, state_NE = item_UD.to(dtype), state_ND.to(dtype)
        if correction_U is not None:
            # One dimension more subtracts the correction inside the product.
            subtracted_U1 = -correction_U.clamp(max=-_NO_COMPETITOR).unsqueeze(1)
            item_UE = torch.cat([item_UE, subtracted_U1.to(dtype)], dim=1)
            state_NE = torch.cat([state_NE, torch.ones_like(state_NE[:, :1])], dim=1)
        item_EU = item_UE.T.contiguous()
        own_ND = item_UD[column_N]
        own_logit_N = (state_ND * own_ND).sum(dim=1)
        grad_state_ND = torch.empty_like(state_ND)
        grad_item_UD = torch.zeros_like(item_UD)
        own_probability_N = torch.empty_like(own_logit_N)
        loss = torch.zeros((), device=state_ND.device)
        rows = max(_MIN_TILE_ROWS, _TILE_ELEMENTS[state_ND.device.type] // len(item_UD))
        for first in range(0, len(state_ND), rows):
            tile = slice(first, first + rows)
            logit_TU = state_NE[tile] @ item_EU
            logit_TU.scatter_(1, column_N[tile].unsqueeze(1), _NO_COMPETITOR)
            largest_T = torch.maximum(logit_TU.amax(dim=1), own_logit_N[tile].to(dtype))
            odds_TU = logit_TU.sub_(largest_T.unsqueeze(1)).exp_()
            own_log_odds_T = own_logit_N[tile] - largest_T.float()
            total_T = odds_TU.sum(dim=1, dtype=torch.float32) + own_log_odds_T.exp()
            own_probability_N[tile] = own_log_odds_T.exp() / total_T
            loss += (share_N[tile] * (total_T.log() - own_log_odds_T)).sum()
            factor_T1 = (share_N[tile] / total_T).unsqueeze(1)
            grad_state_ND[tile] = (odds_TU @ item_UE[:, :dim]).float() * factor_T1
            scaled_TD = (state_ND[tile] * (factor_T1 / share_N.mean())).to(dtype)
            grad_item_UD += (odds_TU.T @ scaled_TD).float()
        grad_item_UD *= share_N.mean()
        grad_own_N1 = (share_N * (own_probability_N - 1.0)).unsqueeze(1)
        grad_state_ND += grad_own_N1 * own_ND
        grad_item_UD.index_add_(0, column_N, grad_own_N1 * state_ND)
        ctx.save_for_backward(grad_state_ND, grad_item_UD)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Returns the gradients of states and items."""
        saved: tuple[Tensor, ...] = ctx.saved_tensors
        grad_state_ND, grad_item_UD = saved
        return grad * grad_state_ND, grad * grad_item_UD, None, None, None, None


def gbce_loss(
    positive_N: Tensor,
    negative_NM: Tensor,
    *,
    is_target_NM: Tensor,
    sampling_rate: float,
    calibration: float,
    weight_N: Tensor | None = None,
) -> Tensor:
    """Returns the generalised binary cross-entropy, a scalar.

    gSASRec (Petrov & Macdonald 2023, the definition of gBCE and of its beta): the mean over a
    target and its M negatives of `-beta log sigmoid(s_pos)` and `-log(1 - sigmoid(s_m))`, with
    `beta = a (t (1 - 1/a) + 1/a)`, a the sampling rate. It undoes the overconfidence that negative
    sampling teaches: t = 0 is the plain binary cross-entropy, t = 1 is calibrated fully. Negatives
    are shared by the batch; the paper draws them per target.

    Args:
        positive_N: Score of each target.
        negative_NM: Scores of the negatives, drawn uniformly.
        is_target_NM: Where a negative happens to be the row's own target; these are left out.
        sampling_rate: a, negatives over items that could be one, above 0.
        calibration: t, 0 to 1.
        weight_N: At least 0, not all 0; None weighs all the same.
    """
    beta = sampling_rate * (calibration * (1.0 - 1.0 / sampling_rate) + 1.0 / sampling_rate)
    positive_loss_N = -beta * functional.logsigmoid(positive_N)
    negative_loss_NM = functional.softplus(negative_NM).masked_fill(is_target_NM, 0.0)
    loss_N = (positive_loss_N + negative_loss_NM.sum(dim=1)) / (1 + negative_NM.shape[1])
    if weight_N is None:
        return loss_N.mean()
    return (loss_N * weight_N).sum() / weight_N.sum()


def log_expected_counts(drawn_U: Tensor, probability_U: Tensor, *, num_draws: int) -> Tensor:
    """Returns `log(M Q) - log(times drawn)`, the correction of merged repeats; infinite if undrawn.

    Args:
        drawn_U: How often each item was drawn, with replacement, int64.
        probability_U: Q, the chance of each draw.
        num_draws: M.
    """
    return torch.log(probability_U * num_draws) - torch.log(drawn_U.to(probability_U.dtype))
