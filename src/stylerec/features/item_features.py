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

    def text_weights(self) -> NDArray[np.float32]:
        """Returns what each word of `text_tokens` counts, float32 `[V, T]`, 0 in padding.

        TF-IDF (Salton and Buckley 1988) with the smoothed inverse document frequency
        `log((1 + V) / (1 + items with the word)) + 1`, each item's weights of unit length: the
        words that tell an item from others decide, and a long text weighs no more than a short one.
        """
        tokens = self.text_tokens
        weights = np.where(tokens > 0, self.word_rarity()[tokens], 0.0)
        length = np.linalg.norm(weights, axis=1, keepdims=True)
        return np.asarray(weights / np.maximum(length, 1e-12), dtype=np.float32)

    def word_rarity(self) -> NDArray[np.float32]:
        """Returns the smoothed inverse document frequency of each hashed word, float32 `[W]`."""
        tokens = self.text_tokens
        in_order = np.sort(tokens, axis=1)
        is_first = np.ones(tokens.shape, dtype=np.bool_)
        is_first[:, 1:] = in_order[:, 1:] != in_order[:, :-1]
        num_items = np.bincount(in_order[is_first], minlength=int(tokens.max(initial=0)) + 1)
        return np.asarray(np.log((1 + len(tokens)) / (1 + num_items)) + 1.0, dtype=np.float32)

    def save(self, path: Path) -> None:
        """Writes the arrays as safetensors."""
        save_file({name: np.ascontiguousarray(a) for name, a in vars(self).items()}, path)

    @classmethod
    def load(cls, path: Path) -> "ItemFeatures":
        """Reads what `save` wrote."""
        return cls(**load_file(path))
