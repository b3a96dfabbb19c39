"""Losses over the catalogue. N targets, M negatives, V catalogue."""

import math

import torch
from torch import Tensor
from torch.nn import functional


def full_softmax_loss(logits_NV: Tensor, target_N: Tensor) -> Tensor:
    """Returns the mean cross-entropy of the targets among all items, a scalar.

    Args:
        logits_NV: Score of every item, `[N, V]`.
        target_N: Column of each target, int64 `[N]`.
    """
    return functional.cross_entropy(logits_NV, target_N)


def sampled_softmax_loss(
    positive_N: Tensor,
    negative_NM: Tensor,
    *,
    log_q_M: Tensor,
    is_target_NM: Tensor,
) -> Tensor:
    """Returns the mean sampled softmax loss with logQ correction, a scalar.

    The sum over the catalogue in the softmax's denominator is replaced by the target's own term
    plus an importance-weighted sample of the others (Bengio & Senecal 2008, section III):
    `exp(s_pos) + sum_m exp(s_m - log(M Q(m)))`, whose expectation over negatives drawn with
    replacement from Q is the full sum. Without the correction, popular items would be punished for
    being drawn often (Yi et al. 2019, equation 4). Unlike Yi et al. the target itself is not
    corrected, since it is in the sum with certainty and not by chance.

    Args:
        positive_N: Score of each target, `[N]`.
        negative_NM: Scores of the negatives shared by the batch, `[N, M]`.
        log_q_M: Log of the probability with which each negative is drawn, `[M]`.
        is_target_NM: Where a negative happens to be the row's own target, bool `[N, M]`; these are
            left out.
    """
    log_expected_M = log_q_M + math.log(negative_NM.shape[1])
    corrected_NM = (negative_NM - log_expected_M).masked_fill(is_target_NM, float("-inf"))
    log_sum_N = torch.logsumexp(torch.cat([positive_N[:, None], corrected_NM], dim=1), dim=1)
    return (log_sum_N - positive_N).mean()
