"""Everything that titles, categories and product types say about pairs of items.

P pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.data.outfits import Outfit
from stylerec.models.outfit.evidence_scorer import Channels
from stylerec.models.outfit.typed_style import TypedStyle
from stylerec.models.outfit.word_evidence import WordEvidence


@dataclass(frozen=True)
class TextEvidence:
    """Channels of several kinds of evidence side by side; a `Channels`.

    Attributes:
        parts: The kinds of evidence.
    """

    parts: tuple[Channels, ...]

    def channels(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns the parts' channels, in order, `[P, their total]`."""
        return np.concatenate([part.channels(left_P, right_P) for part in self.parts], axis=1)


def text_evidence(
    train: Sequence[Outfit], items: pd.DataFrame, *, num_items: int, seed: int = 0
) -> TextEvidence:
    """Returns counted words and learnt styles.

    Args:
        train: Training outfits; no other outfit is read.
        items: Canonical item columns plus `item_index`.
        num_items: V.
        seed: Of the solver's start and of the network.
    """
    return TextEvidence(
        (
            WordEvidence(train, items, num_items=num_items, seed=seed),
            TypedStyle(train, items, num_items=num_items, seed=seed),
        )
    )
