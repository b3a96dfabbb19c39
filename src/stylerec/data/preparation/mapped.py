"""Memory-mapped scratch arrays whose disk space is there before anything is written."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def mapped_array(path: Path, dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
    """Returns a new zero array that lives in a `.npy` file.

    Writing to a mapped file on a full disk kills the process without a message, so the space is
    reserved first.

    Raises:
        OSError: The disk is full or not writable.
    """
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    with path.open("rb+") as file:
        os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
    return array
