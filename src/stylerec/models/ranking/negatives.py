"""Which items a training step's softmax is over: all of them, or sampled negatives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stylerec.models.ranking.batches import Batch
from stylerec.models.ranking.config import NegativeKind, RankingConfig
from stylerec.schema.tensors import FIRST_ITEM_INDEX, HISTORY_ITEM_INDEX, PADDING_INDEX

POPULARITY_EXPONENT = 0.75
"""Popularity sampling draws items by count ** 0.75, as word2vec does (Mikolov et al., 2013)."""


@dataclass(frozen=True)
class StepItems:
    """The items one training step embeds, and where the batch finds them among these.

    Attributes:
        item_index: int64 `[N]`, ascending; row 0 is padding.
        history_row: int64 `[B, L]`, rows of the histories' items; 0 for padding and unknown.
        target_row: int64 `[B]`, rows of the targets.
        negative_row: int64 `[M]`, rows of the sampled negatives; empty for the full softmax.
        log_expected_count: float32 `[M]`, how often each is expected among the M, as a log.
    """

    item_index: NDArray[np.int64]
    history_row: NDArray[np.int64]
    target_row: NDArray[np.int64]
    negative_row: NDArray[np.int64]
    log_expected_count: NDArray[np.float32]


class FullSoftmaxItems:
    """Every candidate item in every step.

    Args:
        candidates: bool `[V]`, items the softmax is over.
    """

    is_sampled = False

    def __init__(self, candidates: NDArray[np.bool_]) -> None:
        self._items = np.concatenate([[PADDING_INDEX], np.flatnonzero(candidates)]).astype(np.int64)

    def __call__(self, batch: Batch) -> StepItems:
        """Returns the items of the step that trains on this batch."""
        return _step_items(self._items, batch, np.zeros(0, np.int64), np.zeros(0, np.float32))


class SampledItems:
    """The items of a batch and negatives drawn for it.

    Args:
        counts: Training interactions per item, `[V]`.
        candidates: bool `[V]`, items that may be negatives.
        kind: `uniform`, `popularity` (count ** 0.75), or `in_batch`: the batch's own targets.
        num_negatives: M, except for `in_batch`.
        rng: Source of the draws.
    """

    is_sampled = True

    def __init__(
        self,
        counts: NDArray[np.int64],
        *,
        candidates: NDArray[np.bool_],
        kind: NegativeKind,
        num_negatives: int,
        rng: np.random.Generator,
    ) -> None:
        weight = np.where(candidates, _weights(counts, kind), 0.0)
        self._share = weight / weight.sum()
        self._cumulative = np.cumsum(self._share)
        self._kind, self._num_negatives, self._rng = kind, num_negatives, rng

    def __call__(self, batch: Batch) -> StepItems:
        """Draws negatives and returns the items of the step that trains on this batch."""
        if self._kind == "in_batch":
            negatives = batch.target
        else:
            draws = self._rng.random(self._num_negatives) * self._cumulative[-1]
            negatives = np.searchsorted(self._cumulative, draws, side="right").astype(np.int64)
        # Targets of a batch may have share 0 only if they never trained, which the split excludes.
        expected = np.log(len(negatives) * self._share[negatives]).astype(np.float32)
        history = batch.history[HISTORY_ITEM_INDEX]
        items = np.unique(
            np.concatenate([[PADDING_INDEX], history.ravel(), batch.target, negatives])
        )
        return _step_items(items.astype(np.int64), batch, negatives, expected)


def choose_step_items(
    config: RankingConfig, counts: NDArray[np.int64], *, has_id: NDArray[np.bool_]
) -> FullSoftmaxItems | SampledItems:
    """Returns the full softmax for a catalogue that is small enough, else sampled negatives.

    Args:
        config: Sizes and kind of negatives.
        counts: Training interactions per item, `[V]`.
        has_id: bool `[V]`, items in training. Others are no negatives: they would only be pushed
            away from every customer, and their content with them.
    """
    if has_id.sum() <= config.max_full_softmax_items:
        return FullSoftmaxItems(has_id)
    return SampledItems(
        counts,
        candidates=has_id,
        kind=config.negatives,
        num_negatives=config.num_negatives,
        rng=np.random.default_rng((config.seed, 1)),
    )


def _weights(counts: NDArray[np.int64], kind: NegativeKind) -> NDArray[np.float64]:
    if kind == "uniform":
        return np.ones(len(counts))
    exponent = POPULARITY_EXPONENT if kind == "popularity" else 1.0
    return np.maximum(counts, 1).astype(np.float64) ** exponent


def _step_items(
    items: NDArray[np.int64],
    batch: Batch,
    negatives: NDArray[np.int64],
    log_expected_count: NDArray[np.float32],
) -> StepItems:
    history = batch.history[HISTORY_ITEM_INDEX]
    known = np.where(history < FIRST_ITEM_INDEX, PADDING_INDEX, history)
    return StepItems(
        item_index=items,
        history_row=np.searchsorted(items, known),
        target_row=np.searchsorted(items, batch.target),
        negative_row=np.searchsorted(items, negatives),
        log_expected_count=log_expected_count,
    )
