"""Evaluates everything a training run exported, and writes the report."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stylerec.data.prepared import PreparedData
from stylerec.evaluation.baselines.run import BaselineResults, evaluate_baselines
from stylerec.evaluation.bootstrap import PairedDifference, paired_differences
from stylerec.evaluation.context import evaluation_context
from stylerec.evaluation.gates import AMF, GateConfig, check_gates
from stylerec.evaluation.outfits import evaluate_outfits
from stylerec.evaluation.ranked_targets import RankedTargets
from stylerec.evaluation.ranking import inverse_propensity, rank_exported, ranking_metrics
from stylerec.evaluation.report import write_report
from stylerec.evaluation.results import Evaluation, RankingMetrics
from stylerec.schema.tensors import MODEL_NAMES, NEXT_ITEM, OUTFIT, RANKING


def evaluate_models(
    prepared: Path,
    exported: Mapping[str, Path],
    *,
    report: Path | None = None,
    gates: GateConfig | None = None,
    current: Evaluation | None = None,
    max_customers: int | None = None,
    progress: Callable[[str], None] = print,
) -> Evaluation:
    """Returns test metrics of the exported models and of every baseline.

    Args:
        prepared: What the models were trained on.
        exported: Folders by name: `ranking`, `next_item`, `outfit`, and `amf` for the baseline. A
            name that is absent, or whose folder has no `model.onnx`, is left out and said so. A
            `training.json` beside the model becomes the report's curves.
        report: HTML report to write, None for none.
        gates: Adds the gates' verdicts, passed or not; see `gates.enforce`.
        current: Evaluation of the release in service, for the gates.
        max_customers: Evaluates a fixed random subset; None for all customers.
        progress: Takes one line per model.
    """
    data = PreparedData(prepared)
    found = {name: path for name, path in exported.items() if (path / "model.onnx").exists()}
    evaluation = _ranking_evaluation(data, found, max_customers)
    for name, metrics in {**evaluation.baselines, **evaluation.models}.items():
        progress(_line(name, metrics))
    if OUTFIT in found:
        outfit = evaluate_outfits(found[OUTFIT], data)
        progress(
            f"evaluate {OUTFIT}: AUC {outfit.auc:.4f}, FITB {outfit.fitb:.4f}; sum of pairs AUC "
            f"{outfit.pairwise_auc:.4f}, FITB {outfit.pairwise_fitb:.4f}"
        )
        evaluation = evaluation.model_copy(update={"outfit": outfit})
    if gates is not None:
        verdicts = check_gates(evaluation, config=gates, current=current)
        evaluation = evaluation.model_copy(update={"gates": tuple(verdicts)})
    if report is not None:
        write_report(evaluation, data.summary, _training_records(found), report)
    return evaluation


def _ranking_evaluation(
    data: PreparedData, found: Mapping[str, Path], max_customers: int | None
) -> Evaluation:
    """Returns the evaluation of the exported ranking models, of AMF and of the baselines."""
    context = evaluation_context(data)
    ranked = {
        name: rank_exported(found[name], data, split="test", max_customers=max_customers)
        for name in (AMF, RANKING, NEXT_ITEM)
        if name in found
    }
    figures = {
        name: ranking_metrics(some, data.histories, context=context)
        for name, some in ranked.items()
    }
    baselines = BaselineResults()
    if data.summary.num_customers:
        baselines = evaluate_baselines(
            data, split="test", max_customers=max_customers, context=context
        )
    return Evaluation(
        split="test",
        models={name: metrics for name, metrics in figures.items() if name != AMF},
        baselines={
            **baselines.metrics,
            **{name: metrics for name, metrics in figures.items() if name == AMF},
        },
        baseline_settings={
            name: str(choice.setting)
            for name, choice in baselines.choices.items()
            if choice.setting is not None
        },
        differences=tuple(_differences(ranked, baselines)),
        position_corrected=_position_corrected(ranked, data),
        omitted={
            **{name: "no model was exported" for name in MODEL_NAMES if name not in found},
            **baselines.omitted,
            **data.summary.omitted,
        },
    )


def _differences(
    ranked: Mapping[str, RankedTargets], baselines: BaselineResults
) -> list[PairedDifference]:
    """Returns each model against AMF and the best other baseline, and next_item against ranking."""
    ranks = {name: some.rank for name, some in {**baselines.ranked, **ranked}.items()}
    best = sorted(baselines.metrics, key=lambda name: -baselines.metrics[name].ndcg_at_10)[:1]
    pairs = [(model, reference) for model in (RANKING, NEXT_ITEM) for reference in (AMF, *best)] + [
        (NEXT_ITEM, RANKING)
    ]
    return [
        difference
        for model, reference in pairs
        if model in ranks and reference in ranks
        for difference in paired_differences(ranks, model=model, reference=reference)
    ]


def _position_corrected(
    ranked: Mapping[str, RankedTargets], data: PreparedData
) -> dict[str, RankingMetrics]:
    """Returns the metrics with targets weighted against position bias; none without positions."""
    propensity = data.propensity
    if propensity is None:
        return {}
    return {
        name: ranking_metrics(
            some.weighted(inverse_propensity(propensity, some.targets)), data.histories
        )
        for name, some in ranked.items()
    }


def _line(name: str, metrics: RankingMetrics) -> str:
    return (
        f"evaluate {name}: NDCG@10 {metrics.ndcg_at_10:.4f}, hit rate@10 "
        f"{metrics.hit_rate_at_10:.4f}, {metrics.num_customers:,} customers, all items ranked"
    )


def _training_records(trained: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Returns the `training.json` of each folder that has one."""
    paths = {name: folder / "training.json" for name, folder in trained.items()}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}
