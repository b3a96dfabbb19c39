"""Content features of every item as arrays, rows in `item_index` order."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file


@dataclass(frozen=True)
class ItemFeatures:
    """What the item towers know about an item besides its id. V = `Vocabulary.num_items`.

    Rows 0 (padding) and 1 (unknown) are all zero.

    Attributes:
        text_tokens: int32 `[V, T]`, hashed words of title, description and attributes in
            1..`NUM_TEXT_BUCKETS`-1, right padded with 0.
        categorical: int32 `[V, F]`, columns as in `CATEGORICAL_ITEM_COLUMNS`; 0 missing, 1 unknown.
        numeric: float32 `[V, 2]`, standardised log price and sale discount (0 to 1); 0 if missing.
        image: float32 `[V, G]`, colour-grid features of the picture, `G = 0` without pictures.
    """

    text_tokens: NDArray[np.int32]
    categorical: NDArray[np.int32]
    numeric: NDArray[np.float32]
    image: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Writes the arrays as safetensors."""
        save_file({name: np.ascontiguousarray(a) for name, a in vars(self).items()}, path)

    @classmethod
    def load(cls, path: Path) -> "ItemFeatures":
        """Reads what `save` wrote."""
        return cls(**load_file(path))
