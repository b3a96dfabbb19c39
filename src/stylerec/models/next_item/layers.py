"""Building blocks of the history encoder. B batch, L history, D embedding, H heads."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from stylerec.models.next_item.config import NextItemConfig

GAP_BOUNDARIES_DAYS = tuple(600.0 * 2.0**k / 86_400.0 for k in range(19))
"""Ten minutes, doubling up to five years: finer gaps would be lost in float32 ages."""
NUM_GAP_BUCKETS = len(GAP_BOUNDARIES_DAYS) + 2
"""Bucket 0 has no earlier interaction, bucket 1 lies below the first boundary."""
NUM_TIME_BUCKETS = len(GAP_BOUNDARIES_DAYS) + 1
"""Between any two interactions; bucket 0 lies below the first boundary."""


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
    bucket = 1 + torch.bucketize(gap_days, boundaries_days, right=True)
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


@dataclass(frozen=True)
class Pairs:
    """What blocks know about each query and key position, besides what is at them.

    Attributes:
        mask_B1LL: Which key each query may look at, bool.
        distance_LL: Interactions between the two, int64; 0 where the key is later.
        time_BLL: Bucket of the time between the two, int64 below `NUM_TIME_BUCKETS`; None where no
            block asks for it.
    """

    mask_B1LL: Tensor
    distance_LL: Tensor
    time_BLL: Tensor | None


def time_buckets(age_days_BL: Tensor, boundaries_days: Tensor) -> Tensor:
    """Returns the bucket of the time from each key to each query, int64 `[B, L, L]` (query, key).

    Args:
        age_days_BL: Ages in days, float32 `[B, L]`, newest last.
        boundaries_days: Ascending, float32 `[NUM_TIME_BUCKETS - 1]`.
    """
    elapsed_days_BLL = age_days_BL[:, None, :] - age_days_BL[:, :, None]
    return torch.bucketize(elapsed_days_BLL, boundaries_days, right=True)


class SelfAttention(nn.Module):
    """Multi-head scaled dot-product attention (Vaswani et al. 2017, equation 1)."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        # The softmax cancels a bias of the keys. Its gradient would be rounding error alone, which
        # Adam scales up to whole steps: the weights would depend on how a batch was summed.
        self.query_key_value = nn.Linear(dim, 3 * dim, bias=False)
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

    def forward(self, x_BLD: Tensor, pairs: Pairs) -> Tensor:
        """Returns `[B, L, D]`."""
        x_BLD = x_BLD + self.dropout(self.attention(self.attention_norm(x_BLD), pairs.mask_B1LL))
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

    def forward(self, x_BLD: Tensor, pairs: Pairs) -> Tensor:
        """Returns `[B, L, D]`."""
        attended_BLD = self.attention(self.attention_norm(x_BLD), pairs.mask_B1LL)
        attended_BLD = self.dropout(attended_BLD)
        x_BLD = x_BLD + torch.sigmoid(self.attention_gate(x_BLD)) * attended_BLD
        fed_BLD: Tensor = self.dropout(self.feed_forward(self.feed_forward_norm(x_BLD)))
        return x_BLD + torch.sigmoid(self.feed_forward_gate(x_BLD)) * fed_BLD


class HstuBlock(nn.Module):
    """Hierarchical sequential transduction unit (Zhai et al. 2024, equations 1 to 3).

    `U, V, Q, K = SiLU(f1(norm(X)))`, `A = SiLU(Q K' + bias) / N` and
    `Y = f2(norm(A V) * U)`: attention without a softmax, so that how much a customer did of
    something is not normalised away, and a gate in the place of a feed-forward part. The bias is a
    learned number per distance and one per time between the two interactions, shared by the heads.

    N is `max_len` and not the batch's own length, so that padding changes nothing. Deliberate
    differences: times are measured from the query's interaction, as the next one's is not known
    when the model is asked; buckets of time double; states and items are not scaled to unit length,
    so scores need no temperature.
    """

    def __init__(self, config: NextItemConfig) -> None:
        super().__init__()
        dim = config.embedding_dim
        self.num_heads, self.max_len = config.num_heads, config.max_len
        self.norm = nn.LayerNorm(dim)
        self.inner = nn.Linear(dim, 4 * dim, bias=False)
        self.position_bias = nn.Embedding(config.max_len, 1)
        self.time_bias = nn.Embedding(NUM_TIME_BUCKETS, 1)
        # Pointwise attention starts out tiny; a larger epsilon would keep it so.
        self.attended_norm = nn.LayerNorm(dim, eps=1e-6)
        self.outer = nn.Linear(dim, dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x_BLD: Tensor, pairs: Pairs) -> Tensor:
        """Returns `[B, L, D]`."""
        assert pairs.time_BLL is not None
        gate_BLD, *parts = functional.silu(self.inner(self.norm(x_BLD))).chunk(4, dim=-1)
        value_BHLd, query_BHLd, key_BHLd = (self._heads(part_BLD) for part_BLD in parts)
        distance_LL = pairs.distance_LL.clamp(max=self.max_len - 1)
        bias_BLL = (self.position_bias(distance_LL) + self.time_bias(pairs.time_BLL)).squeeze(-1)
        logits_BHLL = query_BHLd @ key_BHLd.transpose(-1, -2) + bias_BLL.unsqueeze(1)
        weights_BHLL = functional.silu(logits_BHLL) * pairs.mask_B1LL / self.max_len
        attended_BLD = (weights_BHLL @ value_BHLd).transpose(1, 2).flatten(2)
        gated_BLD = self.dropout(self.attended_norm(attended_BLD) * gate_BLD)
        y_BLD: Tensor = x_BLD + self.outer(gated_BLD)
        return y_BLD

    def _heads(self, part_BLD: Tensor) -> Tensor:
        return part_BLD.reshape(*part_BLD.shape[:2], self.num_heads, -1).transpose(1, 2)


BLOCKS: dict[str, type[nn.Module]] = {
    "pre_norm": PreNormBlock,
    "ligr": LigrBlock,
    "hstu": HstuBlock,
}


class Blocks(nn.ModuleList):
    """The encoder's blocks, one after another."""

    def __init__(self, config: NextItemConfig) -> None:
        super().__init__(BLOCKS[config.block](config) for _ in range(config.num_layers))
        self.use_times = config.block == "hstu"
        boundaries = torch.tensor(GAP_BOUNDARIES_DAYS)
        self.register_buffer("time_boundaries_days", boundaries, persistent=False)

    def forward(self, x_BLD: Tensor, is_real_BL: Tensor, age_days_BL: Tensor) -> Tensor:
        """Returns the states after the last block, `[B, L, D]`.

        Args:
            x_BLD: What is at each position.
            is_real_BL: False in padding.
            age_days_BL: float32.
        """
        step = torch.arange(is_real_BL.shape[1], device=is_real_BL.device)
        boundaries = self.get_buffer("time_boundaries_days")
        pairs = Pairs(
            mask_B1LL=attention_mask(is_real_BL),
            distance_LL=(step[:, None] - step[None, :]).clamp(min=0),
            time_BLL=time_buckets(age_days_BL, boundaries) if self.use_times else None,
        )
        for block in self:
            x_BLD = block(x_BLD, pairs)
        return x_BLD
