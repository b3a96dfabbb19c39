"""In which number formats training multiplies matrices."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch

PrecisionName = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class Precision:
    """Formats of one training run; weights, their updates, norms and sums are always float32.

    Attributes:
        device_type: Where the model lives.
        encoder: Of the encoder's matrix products.
        loss: Of the loss's matrix products, see `loss.softmax_loss`.
    """

    device_type: str
    encoder: torch.dtype
    loss: torch.dtype

    def autocast(self) -> AbstractContextManager[object]:
        """Returns the context in which a step's loss is computed."""
        if self.encoder == torch.float32:
            return nullcontext()
        return torch.autocast(self.device_type, dtype=self.encoder)


def choose_precision(name: PrecisionName, device: torch.device) -> Precision:
    """Returns the formats that a config asks for.

    `float32` and `bfloat16` are what they say, on every device. `auto` is bfloat16 on a GPU that
    has it. On a CPU with matrix tiles (AMX) it is bfloat16 for the loss, nearly all of the work
    there, and float32 for the encoder, whose products are too small to gain; else float32.
    """
    if name != "auto":
        dtype = torch.float32 if name == "float32" else torch.bfloat16
        return Precision(device.type, encoder=dtype, loss=dtype)
    is_fast_on_gpu = device.type == "cuda" and torch.cuda.is_bf16_supported()
    has_tiles = device.type == "cpu" and torch.cpu._is_amx_tile_supported()
    return Precision(
        device.type,
        encoder=torch.bfloat16 if is_fast_on_gpu else torch.float32,
        loss=torch.bfloat16 if is_fast_on_gpu or has_tiles else torch.float32,
    )
