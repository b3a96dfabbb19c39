"""Building blocks of the history encoder. B batch, L history, D embedding, H heads."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from stylerec.models.next_item.config import NextItemConfig

GAP_BOUNDARIES_DAYS = tuple(600.0 * 2.0**k / 86_400.0 for k in range(19))
"""Ten minutes, doubling up to five years: finer gaps would be lost in float32 ages."""
NUM_GAP_BUCKETS = len(GAP_BOUNDARIES_DAYS) + 2
"""Bucket 0 has no earlier interaction, bucket 1 lies below the first boundary."""


def gap_buckets(age_days_BL: Tensor, is_real_BL: Tensor, boundaries_days: Tensor) -> Tensor:
    """Returns the bucket of the time between each interaction and the one before it.

    Only age differences count, so neither the moment of asking nor a later interaction matters.
    Comparing with boundaries instead of taking a logarithm gives the same bucket in every runtime.

    Args:
        age_days_BL: Ages in days, float32 `[B, L]`, newest last.
        is_real_BL: False in padding, bool `[B, L]`.
        boundaries_days: Ascending, float32 `[NUM_GAP_BUCKETS - 2]`.

    Returns:
        int64 `[B, L]`, 0 where the interaction is the customer's first or padding.
    """
    gap_days = functional.pad(age_days_BL[:, :-1] - age_days_BL[:, 1:], (1, 0))
    has_previous = functional.pad(is_real_BL[:, :-1] & is_real_BL[:, 1:], (1, 0))
    bucket = 1 + (gap_days.unsqueeze(-1) >= boundaries_days).to(torch.int64).sum(dim=-1)
    return torch.where(has_previous, bucket, torch.zeros_like(bucket))


def attention_mask(is_real_BL: Tensor) -> Tensor:
    """Returns which position may look at which, bool `[B, 1, L, L]` (query, key).

    A position sees itself and earlier real ones. Seeing itself keeps the softmax of padding
    positions, and so the query of an empty history, finite.
    """
    step = torch.arange(is_real_BL.shape[1], device=is_real_BL.device)
    is_earlier = step[:, None] > step[None, :]
    is_self = step[:, None] == step[None, :]
    return ((is_earlier & is_real_BL[:, None, :]) | is_self).unsqueeze(1)


class SelfAttention(nn.Module):
    """Multi-head scaled dot-product attention (Vaswani et al. 2017, equation 1)."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.output = nn.Linear(dim, dim)

    def forward(self, x_BLD: Tensor, mask_B1LL: Tensor) -> Tensor:
        """Returns the attended values, `[B, L, D]`."""
        parts = self.query_key_value(x_BLD).unflatten(-1, (3, self.num_heads, -1))
        query_BHLd, key_BHLd, value_BHLd = parts.permute(2, 0, 3, 1, 4).unbind(0)
        attended = functional.scaled_dot_product_attention(
            query_BHLd, key_BHLd, value_BHLd, attn_mask=mask_B1LL
        )
        joined: Tensor = self.output(attended.transpose(1, 2).flatten(2))
        return joined


class FeedForward(nn.Module):
    """Position-wise two-layer network; GELU in its tanh form, since exact GELU breaks in ONNX."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(dim, width)
        self.outer = nn.Linear(width, dim)

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Returns `[B, L, D]`."""
        y_BLD: Tensor = self.outer(functional.gelu(self.inner(x_BLD), approximate="tanh"))
        return y_BLD


class SwiGlu(nn.Module):
    """Gated feed-forward network (Shazeer 2020, equation 6), without biases."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(dim, 2 * width, bias=False)
        self.outer = nn.Linear(width, dim, bias=False)

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Returns `[B, L, D]`."""
        gate, value = self.inner(x_BLD).chunk(2, dim=-1)
        y_BLD: Tensor = self.outer(functional.silu(gate) * value)
        return y_BLD


class PreNormBlock(nn.Module):
    """SASRec's block (Kang & McAuley 2018, section III.B) with each norm before its part."""

    def __init__(self, config: NextItemConfig) -> None:
        super().__init__()
        dim = config.embedding_dim
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, config.num_heads)
        self.feed_forward_norm = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim, config.feed_forward_factor * dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x_BLD: Tensor, mask_B1LL: Tensor) -> Tensor:
        """Returns `[B, L, D]`."""
        x_BLD = x_BLD + self.dropout(self.attention(self.attention_norm(x_BLD), mask_B1LL))
        fed_BLD: Tensor = self.dropout(self.feed_forward(self.feed_forward_norm(x_BLD)))
        return x_BLD + fed_BLD


class LigrBlock(nn.Module):
    """eSASRec's block: residuals scaled by a learned gate, and SwiGLU.

    LiGR, Borisyuk et al. 2025, section 3.1; eSASRec, Tikhonovich et al. 2025. Dropout acts on
    what joins the residual, not on attention weights.
    """

    def __init__(self, config: NextItemConfig) -> None:
        super().__init__()
        dim = config.embedding_dim
        self.attention_norm = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, config.num_heads)
        self.attention_gate = nn.Linear(dim, dim)
        self.feed_forward_norm = nn.LayerNorm(dim)
        self.feed_forward = SwiGlu(dim, config.feed_forward_factor * dim)
        self.feed_forward_gate = nn.Linear(dim, dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x_BLD: Tensor, mask_B1LL: Tensor) -> Tensor:
        """Returns `[B, L, D]`."""
        attended_BLD = self.dropout(self.attention(self.attention_norm(x_BLD), mask_B1LL))
        x_BLD = x_BLD + torch.sigmoid(self.attention_gate(x_BLD)) * attended_BLD
        fed_BLD: Tensor = self.dropout(self.feed_forward(self.feed_forward_norm(x_BLD)))
        return x_BLD + torch.sigmoid(self.feed_forward_gate(x_BLD)) * fed_BLD


def transformer_block(config: NextItemConfig) -> nn.Module:
    """Returns a new block of the configured kind."""
    return LigrBlock(config) if config.block == "ligr" else PreNormBlock(config)
