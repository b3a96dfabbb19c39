"""Trains the picture network to name product types, at a cost that is bounded in steps."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from stylerec.models.outfit.config import OutfitConfig
from stylerec.models.outfit.images import PictureNetwork, has_picture, to_tensor
from stylerec.schema.tensors import FIRST_ITEM_INDEX

_REPORT_EVERY = 50
_NUM_STATISTICS = 4_096
"""Pictures from which the features' mean and deviation are taken."""


def typed_pictures(images: NDArray[np.uint8], product_type: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the rows that have a picture and a known product type, ascending."""
    return np.flatnonzero(has_picture(images) & (product_type >= FIRST_ITEM_INDEX))


def train_picture_network(
    images: NDArray[np.uint8],
    product_type: NDArray[np.int64],
    config: OutfitConfig,
    *,
    num_types: int,
    device: torch.device,
    progress: Callable[[str], None],
) -> PictureNetwork:
    """Returns a network trained to name the product type of pictures, mirrored at random.

    Args:
        images: uint8 `[V, P, P, 3]`, memory-mapped or not.
        product_type: int64 `[V]`; pictures of missing or unknown types do not train.
        config: Sizes, steps and seed; the caller seeds torch's own generator.
        num_types: Product types, rows 0 and 1 included.
        device: Where to train.
        progress: Takes one line now and then.

    Raises:
        ValueError: No picture has a known product type.
    """
    rows = typed_pictures(images, product_type)
    if not len(rows):
        raise ValueError("images: expected pictures of known product types, got none")
    network = PictureNetwork(
        num_types,
        config.picture_channels,
        is_localised=config.picture_pooling == "localised",
    )
    network.to(device).train()
    per_epoch = -(-len(rows) // config.picture_batch_size)
    num_steps = min(config.picture_epochs * per_epoch, config.picture_max_steps)
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.picture_learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.picture_learning_rate, total_steps=num_steps
    )
    generator = np.random.default_rng(config.seed)
    batches = _batches(images, rows, generator, size=config.picture_batch_size)
    for step, (pictures, chosen) in zip(range(1, num_steps + 1), batches, strict=False):
        target_B = torch.from_numpy(product_type[chosen]).to(device)
        logits_BT = network(to_tensor(pictures, device))
        loss = functional.cross_entropy(logits_BT, target_B)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        if step % _REPORT_EVERY == 0 or step == num_steps:
            right = float((logits_BT.argmax(dim=1) == target_B).float().mean())
            progress(f"outfit pictures, step {step} of {num_steps}: {right:.0%} of types right")
    set_statistics(network, images, product_type, generator.permutation(rows)[:_NUM_STATISTICS])
    return network.eval()


def _batches(
    images: NDArray[np.uint8],
    rows: NDArray[np.int64],
    generator: np.random.Generator,
    *,
    size: int,
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Yields pictures and their rows for ever, each epoch in a new order."""
    while True:
        order = generator.permutation(rows)
        for start in range(0, len(order), size):
            chosen = np.sort(order[start : start + size])
            pictures = images[chosen]
            is_mirrored = generator.random(len(chosen)) < 0.5
            pictures[is_mirrored] = pictures[is_mirrored, :, ::-1]
            yield pictures, chosen


@torch.no_grad()
def set_statistics(
    network: PictureNetwork,
    images: NDArray[np.uint8],
    product_type: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> None:
    """Stores the features' mean and deviation over `rows` in the network."""
    network.eval()
    device = network.feature_mean.device
    found = [
        network.localised(
            to_tensor(images[np.sort(block)], device),
            torch.from_numpy(product_type[np.sort(block)]).to(device),
        )
        for block in np.array_split(rows, -(-len(rows) // 512))
    ]
    features_RF = torch.cat(found)
    network.feature_mean.copy_(features_RF.mean(dim=0))
    network.feature_deviation.copy_(features_RF.std(dim=0, correction=0).clamp(min=1e-3))
