"""Every baseline by the same harness as the models, its settings chosen on validation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stylerec.data.prepared import PreparedData
from stylerec.data.splits import SplitName
from stylerec.evaluation.baselines.choice import Choice, choose_on_validation
from stylerec.evaluation.baselines.content_knn import content_knn_scorer, has_words
from stylerec.evaluation.baselines.ease import ease_scorer
from stylerec.evaluation.baselines.ials import IalsSettings, ials_scorer
from stylerec.evaluation.baselines.item_knn import item_knn_scorer
from stylerec.evaluation.baselines.known import Known
from stylerec.evaluation.baselines.popular import popular_scorer, recent_popular_scorer
from stylerec.evaluation.blocks import BlockScorer
from stylerec.evaluation.context import EvaluationContext
from stylerec.evaluation.ranked_targets import RankedTargets, rank_targets
from stylerec.evaluation.ranking import ranking_metrics
from stylerec.evaluation.results import RankingMetrics

POPULAR = "popular"
RECENT_POPULAR = "recent_popular"
ITEM_KNN_LAST = "item_knn_last"
ITEM_KNN_HISTORY = "item_knn_history"
EASE = "ease"
IALS = "ials"
CONTENT_KNN_LAST = "content_knn_last"
CONTENT_KNN_HISTORY = "content_knn_history"

CHEAP = (POPULAR, RECENT_POPULAR, ITEM_KNN_LAST, ITEM_KNN_HISTORY, EASE)
"""What every training run measures: seconds each, as long as EASE has few items."""
CHEAP_EASE_ITEMS = 5_000

_EXPONENTS = (0.25, 0.0625, 0.125, 0.375, 0.5)
_DAYS = (7, 1, 3, 14, 30)
_EASE_REGULARISATIONS = (100.0, 10.0, 30.0, 300.0, 1_000.0)
_IALS_SETTINGS = (
    IalsSettings(factors=256, regularisation=10.0),
    IalsSettings(factors=256, regularisation=1.0),
    IalsSettings(factors=256, regularisation=1.0, confidence=40.0),
    IalsSettings(factors=512, regularisation=10.0, iterations=10),
)
_PHRASE_LENGTHS = (1, 2)


@dataclass(frozen=True)
class Baseline:
    """One baseline.

    Attributes:
        fit: Makes the scorer from what is known and a setting.
        settings: What is tried on validation; the first where nothing can be tried.
    """

    fit: Callable[[Known, Any], BlockScorer]
    settings: tuple[Any, ...] = (None,)


BASELINES = {
    POPULAR: Baseline(lambda known, _: popular_scorer(known)),
    RECENT_POPULAR: Baseline(lambda known, days: recent_popular_scorer(known, days=days), _DAYS),
    ITEM_KNN_LAST: Baseline(
        lambda known, exponent: item_knn_scorer(known, exponent=exponent, only_last=True),
        _EXPONENTS,
    ),
    ITEM_KNN_HISTORY: Baseline(
        lambda known, exponent: item_knn_scorer(known, exponent=exponent, only_last=False),
        _EXPONENTS,
    ),
    EASE: Baseline(
        lambda known, value: ease_scorer(known, regularisation=value), _EASE_REGULARISATIONS
    ),
    IALS: Baseline(lambda known, settings: ials_scorer(known, settings=settings), _IALS_SETTINGS),
    CONTENT_KNN_LAST: Baseline(
        lambda known, length: content_knn_scorer(
            known.prepared.items, only_last=True, max_words=length
        ),
        _PHRASE_LENGTHS,
    ),
    CONTENT_KNN_HISTORY: Baseline(
        lambda known, length: content_knn_scorer(
            known.prepared.items, only_last=False, max_words=length
        ),
        _PHRASE_LENGTHS,
    ),
}


@dataclass(frozen=True)
class BaselineResults:
    """What the baselines reached, by name.

    Attributes:
        metrics: The figures.
        ranked: What they were made of, for paired comparisons with models.
        choices: The settings, and the validation NDCG@10 of each one tried.
        omitted: Baselines that could not be measured, and why.
    """

    metrics: dict[str, RankingMetrics] = field(default_factory=dict)
    ranked: dict[str, RankedTargets] = field(default_factory=dict)
    choices: dict[str, Choice[Any]] = field(default_factory=dict)
    omitted: dict[str, str] = field(default_factory=dict)


def evaluate_baselines(
    prepared: PreparedData,
    *,
    split: SplitName,
    names: Sequence[str] = CHEAP,
    block: int = 256,
    max_customers: int | None = None,
    max_choice_customers: int | None = 2_000,
    max_ease_items: int = CHEAP_EASE_ITEMS,
    context: EvaluationContext | None = None,
) -> BaselineResults:
    """Returns each baseline's figures, with the settings that ranked validation targets best.

    Settings are chosen with what is known before the validation targets; the scorer that is
    evaluated then counts everything before the targets of `split` (see `Known`).

    Args:
        prepared: The data that models train on.
        split: Whose targets are predicted.
        names: Keys of `BASELINES`.
        block: Customers scored at a time; memory grows with `block * V`.
        max_customers: Evaluates a fixed random subset of that size; None for all.
        max_choice_customers: The same while settings are chosen.
        max_ease_items: EASE is left out where customers met more items.
        context: Of the prepared data, for slices, novelty and popularity bias.

    Raises:
        ConfigError: `ials` is asked for and the package `implicit` is not installed.
    """
    validation, known = Known(prepared, "validation"), Known(prepared, split)
    results = BaselineResults()
    for name in names:
        reason = _reason_to_omit(name, known, max_ease_items=max_ease_items)
        if reason is not None:
            results.omitted[name] = reason
            continue
        baseline = BASELINES[name]
        choice = choose_on_validation(
            baseline.fit,
            baseline.settings,
            validation,
            block=block,
            max_customers=max_choice_customers,
        )
        ranked = rank_targets(
            baseline.fit(known, choice.setting),
            known.histories,
            known.targets,
            block=block,
            max_customers=max_customers,
        )
        results.choices[name] = choice
        results.ranked[name] = ranked
        results.metrics[name] = ranking_metrics(ranked, known.histories, context=context)
    return results


def _reason_to_omit(name: str, known: Known, *, max_ease_items: int) -> str | None:
    if name == RECENT_POPULAR and not known.has_timestamps:
        return "the interactions have no times"
    if name == EASE:
        num_met = int(np.count_nonzero(known.matrix.sum(axis=0)))
        if num_met > max_ease_items:
            return f"customers met {num_met:,} items, and above {max_ease_items:,} it is slow"
    is_content = name in (CONTENT_KNN_LAST, CONTENT_KNN_HISTORY)
    if is_content and not has_words(known.prepared.items):
        return "no item has a title, brand or category"
    return None
