"""Training batches of outfits with freshly drawn counter-examples.

Legend: B outfits, K counter-examples per outfit, N items of the longest outfit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stylerec.data.outfit_negatives import Negatives
from stylerec.data.outfits import Outfit, pad_outfits


@dataclass(frozen=True)
class OutfitBatch:
    """Outfits and their counter-examples, 0 padded int64.

    `false_BKN[b]` holds those of `true_BN[b]`, first with all items replaced, then with one.
    """

    true_BN: Tensor
    false_BKN: Tensor


def counter_examples(
    outfits_BN: NDArray[np.int64],
    negatives: Negatives,
    generator: np.random.Generator,
    *,
    num_whole: int,
    num_single: int = 0,
) -> NDArray[np.int64]:
    """Returns counter-examples of every outfit, int64 `[B, num_whole + num_single, N]`.

    Args:
        outfits_BN: int64, heroes in column 0, right padded with 0.
        negatives: Source of replacements.
        generator: Source of the draws.
        num_whole: Counter-examples with every item but the hero replaced; they come first.
        num_single: Counter-examples with one item replaced.
    """
    drawn = [negatives.replace(outfits_BN, generator) for _ in range(num_whole)]
    drawn += [negatives.replace_one(outfits_BN, generator) for _ in range(num_single)]
    return np.stack(drawn, axis=1)


def replaceable(outfits: Sequence[Outfit], negatives: Negatives) -> NDArray[np.int64]:
    """Returns the padded outfits of which an item besides the hero has an alternative, `[B, N]`.

    The others would be their own counter-example and are left out.
    """
    padded_BN = pad_outfits(outfits)
    return padded_BN[negatives.has_alternative(padded_BN)[:, 1:].any(axis=1)]


class OutfitBatches:
    """Draws each epoch's batches in a new order with new counter-examples.

    Args:
        outfits_BN: Training outfits, int64, heroes in column 0, right padded with 0.
        negatives: Source of counter-examples.
        batch_size: B.
        num_negatives: Counter-examples per outfit with every item but the hero replaced.
        num_single_negatives: Counter-examples per outfit with one item replaced.
        seed: The same seed yields the same epochs.
        device: Where the batches go.
        is_fixed: Whether counter-examples are drawn once instead of anew each epoch.
    """

    def __init__(
        self,
        outfits_BN: NDArray[np.int64],
        negatives: Negatives,
        *,
        batch_size: int,
        num_negatives: int,
        num_single_negatives: int,
        seed: int,
        device: torch.device,
        is_fixed: bool = False,
    ) -> None:
        self._outfits_BN, self._negatives = outfits_BN, negatives
        self._batch_size = batch_size
        self._num_whole, self._num_single = num_negatives, num_single_negatives
        self._generator = np.random.default_rng(seed)
        self._device = device
        self._fixed_BKN = self._drawn(outfits_BN) if is_fixed else None

    def __len__(self) -> int:
        return -(-len(self._outfits_BN) // self._batch_size)

    def epoch(self) -> Iterator[OutfitBatch]:
        """Yields every outfit once."""
        order = self._generator.permutation(len(self._outfits_BN))
        for start in range(0, len(order), self._batch_size):
            rows = order[start : start + self._batch_size]
            true_BN = self._outfits_BN[rows]
            fixed_BKN = self._fixed_BKN
            false_BKN = self._drawn(true_BN) if fixed_BKN is None else fixed_BKN[rows]
            yield OutfitBatch(
                torch.from_numpy(true_BN).to(self._device),
                torch.from_numpy(false_BKN).to(self._device),
            )

    def _drawn(self, true_BN: NDArray[np.int64]) -> NDArray[np.int64]:
        return counter_examples(
            true_BN,
            self._negatives,
            self._generator,
            num_whole=self._num_whole,
            num_single=self._num_single,
        )
