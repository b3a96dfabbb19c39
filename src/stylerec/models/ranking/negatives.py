"""Which items a training step's loss is over: all of them, or the targets and sampled negatives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stylerec.models.ranking.batches import Batch
from stylerec.models.ranking.config import NegativeKind, RankingConfig
from stylerec.schema.tensors import FIRST_ITEM_INDEX, HISTORY_ITEM_INDEX

POPULARITY_EXPONENT = 0.75
"""Popularity sampling draws items by count ** 0.75, as word2vec does (Mikolov et al., 2013)."""
NO_COMPETITOR = 1e9
"""The log of an expected count that leaves an item's exponential at 0."""

NO_ROW = -1


@dataclass(frozen=True)
class StepItems:
    """The items one training step embeds, and where the batch finds them among these.

    Attributes:
        item_index: int64 `[N]`; first the U items that compete, then those that are only read in
            histories.
        history_row: int64 `[B, L]`, rows of the histories' items; -1 for padding and unknown.
        target_row: int64 `[B]`, rows of the targets.
        draws: float32 `[U]`, how often each competitor was drawn as a negative.
        correction: float32 `[U]`, log of how often each is expected among the draws, less the log
            of how often it is there; 0 for the full softmax.
    """

    item_index: NDArray[np.int64]
    history_row: NDArray[np.int64]
    target_row: NDArray[np.int64]
    draws: NDArray[np.float32]
    correction: NDArray[np.float32]


class FullSoftmaxItems:
    """Every candidate item in every step.

    Args:
        candidates: bool `[V]`, items the softmax is over.

    Attributes:
        item_index: int64 `[N]`, these items, the same in each step.
    """

    is_sampled = False
    sampling_rate = 1.0

    def __init__(self, candidates: NDArray[np.bool_]) -> None:
        self.item_index = np.flatnonzero(candidates).astype(np.int64)
        self._row_of_item = np.full(len(candidates), NO_ROW, dtype=np.int64)
        self._row_of_item[self.item_index] = np.arange(len(self.item_index))
        self._ones = np.ones(len(self.item_index), dtype=np.float32)

    def __call__(self, batch: Batch, *, step: int) -> StepItems:
        """Returns the items of the step that trains on this batch."""
        return StepItems(
            item_index=self.item_index,
            history_row=self._row_of_item[batch.history[HISTORY_ITEM_INDEX]],
            target_row=self._row_of_item[batch.target],
            draws=self._ones,
            correction=np.zeros_like(self._ones),
        )


class SampledItems:
    """The items of a batch and negatives drawn for it.

    Args:
        counts: Training interactions per item, `[V]`.
        candidates: bool `[V]`, items that may be negatives.
        kind: `uniform`, `popularity` (count ** 0.75), or `in_batch`: the batch's own targets.
        num_negatives: M, except for `in_batch`.
        seed: With the step's number, fixes the draws.
    """

    is_sampled = True

    def __init__(
        self,
        counts: NDArray[np.int64],
        *,
        candidates: NDArray[np.bool_],
        kind: NegativeKind,
        num_negatives: int,
        seed: int,
    ) -> None:
        weight = np.where(candidates, _weights(counts, kind), 0.0)
        self._share = weight / weight.sum()
        self._cumulative = np.cumsum(self._share)
        self._kind, self._num_negatives, self._seed = kind, num_negatives, seed
        self.sampling_rate = num_negatives / max(1, int(candidates.sum()))

    def __call__(self, batch: Batch, *, step: int) -> StepItems:
        """Draws negatives and returns the items of the step that trains on this batch."""
        negatives = self._draw(batch, np.random.default_rng((self._seed, 1, step)))
        competitors, column, times = np.unique(
            np.concatenate([negatives, batch.target]), return_inverse=True, return_counts=True
        )
        num_targets = np.bincount(column[len(negatives) :], minlength=len(competitors))
        draws = (times - num_targets).astype(np.float32)
        # A target without share never trained, which the split excludes.
        expected = len(negatives) * self._share[competitors]
        with np.errstate(divide="ignore"):
            correction = np.where(draws > 0, np.log(expected) - np.log(draws), NO_COMPETITOR)
        history = batch.history[HISTORY_ITEM_INDEX]
        read = np.unique(history[history >= FIRST_ITEM_INDEX])
        only_read = np.setdiff1d(read, competitors, assume_unique=True)
        items = np.concatenate([competitors, only_read]).astype(np.int64)
        return StepItems(
            item_index=items,
            history_row=_rows(items, history),
            target_row=column[len(negatives) :],
            draws=draws,
            correction=correction.astype(np.float32),
        )

    def _draw(self, batch: Batch, rng: np.random.Generator) -> NDArray[np.int64]:
        if self._kind == "in_batch":
            return batch.target
        draws = rng.random(self._num_negatives) * self._cumulative[-1]
        found: NDArray[np.int64] = np.searchsorted(self._cumulative, draws, side="right")
        return found


def choose_step_items(
    config: RankingConfig, counts: NDArray[np.int64], *, has_id: NDArray[np.bool_]
) -> FullSoftmaxItems | SampledItems:
    """Returns the full softmax for a catalogue that is small enough, else sampled negatives.

    Args:
        config: Loss, sizes and kind of negatives.
        counts: Training interactions per item, `[V]`.
        has_id: bool `[V]`, items in training. Others are no negatives: they would only be pushed
            away from every customer, and their content with them.
    """
    if config.loss == "softmax" and has_id.sum() <= config.max_full_softmax_items:
        return FullSoftmaxItems(has_id)
    return SampledItems(
        counts,
        candidates=has_id,
        kind=config.negatives,
        num_negatives=config.num_negatives,
        seed=config.seed,
    )


def _weights(counts: NDArray[np.int64], kind: NegativeKind) -> NDArray[np.float64]:
    if kind == "uniform":
        return np.ones(len(counts))
    exponent = POPULARITY_EXPONENT if kind == "popularity" else 1.0
    return np.maximum(counts, 1).astype(np.float64) ** exponent


def _rows(items: NDArray[np.int64], history: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns where each item of the histories stands in `items`, none for padding and unknown."""
    order = np.argsort(items)
    is_item = history >= FIRST_ITEM_INDEX
    rows = np.full(history.shape, NO_ROW, dtype=np.int64)
    rows[is_item] = order[np.searchsorted(items, history[is_item], sorter=order)]
    return rows
