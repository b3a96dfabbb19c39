"""Product pictures from image files to one memory-mapped array."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from stylerec.data.preparation.mapped import mapped_array
from stylerec.data.prepared import IMAGE_SIZE
from stylerec.schema.tensors import FIRST_ITEM_INDEX

_BLOCK = 1_024
_WHITE = (255, 255, 255)


@dataclass(frozen=True)
class DecodedPictures:
    """Pictures in index order.

    Attributes:
        images: uint8 `[V, IMAGE_SIZE, IMAGE_SIZE, 3]`, zeros where an item has no usable picture.
        num_decoded: Items with a picture.
        num_missing: Items whose file is absent or outside the tables' folder.
        num_corrupt: Items whose file is not a picture.
    """

    images: NDArray[np.uint8]
    num_decoded: int
    num_missing: int
    num_corrupt: int


def decode_pictures(
    folder: Path,
    paths: list[str | None],
    target: Path,
    *,
    num_threads: int,
    progress: Callable[[str], None],
) -> DecodedPictures:
    """Decodes every item's picture into a `.npy` file that is mapped, not held in memory.

    Args:
        folder: What the paths are relative to.
        paths: One per catalogue item in index order (padding and unknown excluded), None without.
        target: The `.npy` file to write.
        num_threads: Pictures decoded at a time.
        progress: Takes one line now and then.

    Raises:
        OSError: `target` cannot be written.
    """
    shape = (len(paths) + FIRST_ITEM_INDEX, IMAGE_SIZE, IMAGE_SIZE, 3)
    images = mapped_array(target, np.uint8, shape)
    root = folder.resolve()
    counts = {"decoded": 0, "missing": 0, "corrupt": 0, "none": 0}

    def decode(row: int) -> str:
        name = paths[row]
        if name is None:
            return "none"
        path = (root / name).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            return "missing"
        picture = read_picture(path)
        if picture is None:
            return "corrupt"
        images[row + FIRST_ITEM_INDEX] = picture
        return "decoded"

    with ThreadPoolExecutor(num_threads) as pool:
        for start in range(0, len(paths), _BLOCK):
            for outcome in pool.map(decode, range(start, min(start + _BLOCK, len(paths)))):
                counts[outcome] += 1
            progress(f"pictures: {min(start + _BLOCK, len(paths)):,} of {len(paths):,} items")
    return DecodedPictures(images, counts["decoded"], counts["missing"], counts["corrupt"])


def read_picture(path: Path) -> NDArray[np.uint8] | None:
    """Returns a picture as uint8 `[IMAGE_SIZE, IMAGE_SIZE, 3]`, or None if it cannot be decoded.

    The whole picture is kept in its proportions and padded with white, the usual packshot
    background; transparent pixels become white too.
    """
    try:
        with Image.open(path) as opened:
            opened.draft("RGB", (2 * IMAGE_SIZE, 2 * IMAGE_SIZE))
            picture = opened.convert("RGBA" if opened.mode in ("P", "LA", "RGBA") else "RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    if picture.mode == "RGBA":
        canvas = Image.new("RGBA", picture.size, _WHITE)
        picture = Image.alpha_composite(canvas, picture).convert("RGB")
    size = (IMAGE_SIZE, IMAGE_SIZE)
    return np.asarray(ImageOps.pad(picture, size, color=_WHITE), dtype=np.uint8)
