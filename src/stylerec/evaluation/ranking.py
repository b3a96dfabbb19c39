"""Ranking metrics of exported models and of anything else that scores all items."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import SplitName, Targets
from stylerec.evaluation.blocks import BlockScorer, history_rows
from stylerec.evaluation.bootstrap import metric_intervals
from stylerec.evaluation.calibration import Calibration, calibration
from stylerec.evaluation.context import EvaluationContext
from stylerec.evaluation.metrics import (
    Weights,
    coverage_at_k,
    decile_shares,
    hit_rate_at_k,
    mrr_at_k,
    ndcg_at_k,
    ndcg_gains,
    novelty_at_k,
    popularity_bias_at_k,
    popularity_deciles,
    recommendation_counts,
    standard_error,
)
from stylerec.evaluation.onnx_scorer import onnx_scorer
from stylerec.evaluation.ranked_targets import RankedTargets, rank_targets
from stylerec.evaluation.results import MetricsAtK, PopularityShares, RankingMetrics
from stylerec.evaluation.slices import slice_metrics

CUTOFF = 10
CUTOFFS = (1, 5, CUTOFF, 20)

_TARGETS_PER_PASS = 65_536


def evaluate_ranking(
    exported: Path,
    prepared: PreparedData,
    *,
    split: SplitName,
    block: int = 256,
    max_customers: int | None = None,
    weights: Weights = None,
    context: EvaluationContext | None = None,
) -> RankingMetrics:
    """Returns the metrics of an exported ranking or next-item model.

    Args:
        exported: Folder with `model.onnx`, `item_embedding.safetensors` and `export.json`.
        prepared: The data the model was trained on.
        split: Which held-out interactions are the targets.
        block: Customers scored at a time; memory grows with `block * V`.
        max_customers: Evaluates a fixed random subset of that size; None for all.
        weights: How much each target of the split counts; see `inverse_propensity`.
        context: Of the prepared data, for slices, novelty and popularity bias; None leaves these
            out.

    Raises:
        ReleaseError: The export is incomplete or belongs to another catalogue.
    """
    ranked = rank_exported(
        exported,
        prepared,
        split=split,
        block=block,
        max_customers=max_customers,
        weights=weights,
    )
    return ranking_metrics(ranked, prepared.histories, context=context)


def evaluate_scorer(
    scorer: BlockScorer,
    histories: Histories,
    targets: Targets,
    *,
    block: int = 256,
    max_customers: int | None = None,
    weights: Weights = None,
    context: EvaluationContext | None = None,
) -> RankingMetrics:
    """Returns the metrics of anything that scores all items; see `evaluate_ranking`."""
    ranked = rank_targets(
        scorer, histories, targets, block=block, max_customers=max_customers, weights=weights
    )
    return ranking_metrics(ranked, histories, context=context)


def rank_exported(
    exported: Path,
    prepared: PreparedData,
    *,
    split: SplitName,
    block: int = 256,
    max_customers: int | None = None,
    weights: Weights = None,
) -> RankedTargets:
    """Returns what an exported model makes of each target; see `evaluate_ranking`."""
    return rank_targets(
        onnx_scorer(exported, prepared.vocabulary.num_items),
        prepared.histories,
        prepared.split.targets(split),
        block=block,
        max_customers=max_customers,
        weights=weights,
        has_probabilities=True,
    )


def ranking_metrics(
    ranked: RankedTargets, histories: Histories, *, context: EvaluationContext | None = None
) -> RankingMetrics:
    """Returns the metrics of ranked targets.

    Args:
        ranked: What `rank_targets` returned.
        histories: The histories it was given.
        context: See `evaluate_ranking`.
    """
    ranks, weights = ranked.rank, ranked.weights
    popularity = None if context is None else _Popularity(histories, ranked, context.train_counts)
    return RankingMetrics(
        hit_rate_at_10=hit_rate_at_k(ranks, CUTOFF, weights),
        ndcg_at_10=ndcg_at_k(ranks, CUTOFF, weights),
        mrr_at_10=mrr_at_k(ranks, CUTOFF, weights),
        ndcg_at_10_standard_error=standard_error(ndcg_gains(ranks, CUTOFF), weights),
        num_customers=len(ranks),
        num_repeat_targets=ranked.num_repeats,
        is_weighted=weights is not None,
        at={k: _metrics_at(k, ranked, popularity) for k in CUTOFFS},
        intervals=metric_intervals(ranks, weights),
        slices={} if context is None else slice_metrics(ranked, context),
        popularity=None if popularity is None else popularity.shares(),
        calibration=_calibration(ranked),
    )


def inverse_propensity(
    propensity: NDArray[np.floating], targets: Targets, *, min_propensity: float = 0.1
) -> NDArray[np.float64]:
    """Returns one weight per target that undoes position bias, float64 `[M]`.

    What was shown low on a page was seen less often, so each choice there stands for more that were
    not made: `1 / max(propensity, min_propensity)`, the bound keeping the variance finite.

    Args:
        propensity: Probability that the position at which each interaction's item was shown is
            examined, one per row of the histories.
        targets: The targets to weigh.
        min_propensity: Smallest propensity that is believed, above 0.
    """
    return 1.0 / np.maximum(np.asarray(propensity[targets.place], np.float64), min_propensity)


class _Popularity:
    """How popular the items are that the ranked customers chose before, and what they were shown.

    Args:
        histories: All customers' interactions.
        ranked: Their targets.
        counts: Training interactions of each item, int64 `[V]`.
    """

    def __init__(
        self, histories: Histories, ranked: RankedTargets, counts: NDArray[np.int64]
    ) -> None:
        self.counts, self._top = counts, ranked.top
        means, self._chosen = [np.zeros(0)], np.zeros(len(counts), dtype=np.int64)
        for start in range(0, len(ranked), _TARGETS_PER_PASS):
            some = ranked.targets[start : start + _TARGETS_PER_PASS]
            rows, lengths = history_rows(histories, some)
            items = histories.item_index[rows]
            owner = np.repeat(np.arange(len(some)), lengths)
            totals = np.bincount(owner, weights=counts[items], minlength=len(some))
            means.append(totals / np.maximum(lengths, 1))
            self._chosen += np.bincount(items, minlength=len(counts))
        self.of_histories: NDArray[np.float64] = np.concatenate(means)
        """Mean count of the items in each target's history, `[M]`."""

    def shares(self) -> PopularityShares:
        """Returns how recommendations and choices are spread over the catalogue."""
        deciles = popularity_deciles(self.counts)
        shown = recommendation_counts(self._top, CUTOFF, num_items=len(self.counts))
        return PopularityShares(
            recommended=decile_shares(shown, deciles),
            chosen=decile_shares(self._chosen, deciles),
        )


def _calibration(ranked: RankedTargets) -> Calibration | None:
    # A bin's share of hits is not weighted, so it says nothing of weighted targets.
    if ranked.probability is None or ranked.weights is not None:
        return None
    shown = ranked.top[:, : ranked.probability.shape[1]]
    return calibration(ranked.probability, shown == ranked.item[:, None])


def _metrics_at(k: int, ranked: RankedTargets, popularity: _Popularity | None) -> MetricsAtK:
    bias = novelty = None
    if popularity is not None:
        novelty = novelty_at_k(ranked.top, k, counts=popularity.counts)
        bias = popularity_bias_at_k(
            ranked.top,
            k,
            counts=popularity.counts,
            history_popularity=popularity.of_histories,
        )
    return MetricsAtK(
        hit_rate=hit_rate_at_k(ranked.rank, k, ranked.weights),
        ndcg=ndcg_at_k(ranked.rank, k, ranked.weights),
        mrr=mrr_at_k(ranked.rank, k, ranked.weights),
        coverage=coverage_at_k(ranked.top, k, num_items=ranked.num_items),
        novelty=novelty,
        popularity_bias=bias,
    )
