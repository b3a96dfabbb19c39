"""How much arithmetic training needs, and what share of a GPU's peak it reaches."""

import re

import torch
from torch import nn

from stylerec.models.next_item.config import NextItemConfig

_PEAK_TFLOPS = {
    # Dense, without sparsity, from NVIDIA's data sheets: (bfloat16, float32).
    "B200": (2250.0, 75.0),
    "H200": (989.4, 66.9),
    "H100": (989.4, 66.9),
    "A100": (312.0, 19.5),
    "L40S": (362.0, 91.6),
    "L4": (121.0, 30.3),
    "A10": (125.0, 31.2),
    "A10G": (70.0, 35.0),
}
_PCIE_TFLOPS = {"H100": (756.0, 51.2)}


def training_flops(
    config: NextItemConfig,
    encoder: nn.Module,
    *,
    num_tokens: float,
    num_pairs: float,
    num_scores: float,
) -> float:
    """Returns the floating-point operations that training on some interactions needs.

    `3 * (2 P T + 4 D N A + 2 D S)`: P weights of the blocks' linear layers, T interactions read,
    N blocks, A pairs of a query and a key it may look at, S scores of a target's state and a
    competing item. The factor 3 counts the backward pass as two forward ones (Kaplan et al. 2020,
    section 2.1; Chowdhery et al. 2022, appendix B, call the quotient with the peak model FLOPs
    utilisation). Padding, masked pairs, anything computed twice, embedding look-ups, the content
    projection and the optimiser are not counted: only work that the model needs.

    Args:
        config: Sizes.
        encoder: The history encoder, for P.
        num_tokens: T.
        num_pairs: A, `n (n + 1) / 2` for a history of n.
        num_scores: S.
    """
    num_weights = sum(
        module.weight.numel() for module in encoder.modules() if isinstance(module, nn.Linear)
    )
    attention = 4 * config.embedding_dim * config.num_layers * num_pairs
    return 3 * (2 * num_weights * num_tokens + attention + 2 * config.embedding_dim * num_scores)


def peak_flops(device: torch.device, dtype: torch.dtype) -> float | None:
    """Returns the most floating-point operations per second of a device, None if unknown.

    Known are data-centre GPUs by name; a CPU's depends on clocks that it changes as it likes.
    """
    if device.type != "cuda":
        return None
    return peak_flops_of(torch.cuda.get_device_name(device), dtype)


def peak_flops_of(name: str, dtype: torch.dtype) -> float | None:
    """Returns the peak of a GPU with this name, None if it is not in the table."""
    words = re.split(r"[\s-]+", name)
    table = {**_PEAK_TFLOPS, **(_PCIE_TFLOPS if "PCIe" in words else {})}
    for word in words:
        if word in table:
            bfloat16, float32 = table[word]
            return 1e12 * (bfloat16 if dtype == torch.bfloat16 else float32)
    return None
