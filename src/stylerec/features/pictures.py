"""Colour and texture of a product picture on a coarse grid: image features without a network."""

import numpy as np
from numpy.typing import NDArray

GRID = 4
"""The picture is cut into `GRID` x `GRID` cells."""
CHANNELS = 4
"""Per cell: mean red, green, blue, and mean brightness step between neighbouring pixels."""
NUM_IMAGE_FEATURES = GRID * GRID * CHANNELS
_BLOCK = 1_024


def colour_grid(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns standardised colour-grid features, float32 `[V, NUM_IMAGE_FEATURES]`.

    Each feature has mean 0 and deviation 1 over the items that have a picture. Pictures are read
    in blocks, so a memory-mapped array larger than memory is fine.

    Args:
        images: uint8 `[V, S, S, 3]` with S a multiple of `GRID`; all zero where an item has no
            picture, and its features are then zero too.

    Raises:
        ValueError: The pictures are not square RGB with a side that `GRID` divides.
    """
    if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 3:
        raise ValueError(f"images: expected [V, S, S, 3], got {list(images.shape)}")
    if images.shape[1] % GRID:
        raise ValueError(f"images: expected a side divisible by {GRID}, got {images.shape[1]}")
    features = np.zeros((len(images), NUM_IMAGE_FEATURES), dtype=np.float32)
    has_picture = np.zeros(len(images), dtype=bool)
    for start in range(0, len(images), _BLOCK):
        block = np.asarray(images[start : start + _BLOCK])
        features[start : start + _BLOCK] = _cells(block.astype(np.float32) / 255.0)
        has_picture[start : start + _BLOCK] = block.any(axis=(1, 2, 3))
    if not has_picture.any():
        return np.zeros_like(features)
    pictured = features[has_picture].astype(np.float64)
    deviation = pictured.std(axis=0)
    # A cell that is white in every picture has nothing to say; dividing would only add noise.
    scale = np.where(deviation > 1e-6, 1.0 / np.maximum(deviation, 1e-6), 0.0)
    standardised = (features - pictured.mean(axis=0)) * scale
    return np.where(has_picture[:, None], standardised, 0.0).astype(np.float32)


def _cells(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns raw cell features of float pixels `[B, S, S, 3]` as `[B, GRID * GRID * 4]`."""
    brightness = pixels.mean(axis=3)
    step_x = np.abs(np.diff(brightness, axis=2, append=brightness[:, :, -1:]))
    step_y = np.abs(np.diff(brightness, axis=1, append=brightness[:, -1:, :]))
    channels = np.concatenate([pixels, (step_x + step_y)[..., None]], axis=3)
    count, side, _, depth = channels.shape
    cell = side // GRID
    grid = channels.reshape(count, GRID, cell, GRID, cell, depth).mean(axis=(2, 4))
    return np.asarray(grid.reshape(count, -1), dtype=np.float32)
