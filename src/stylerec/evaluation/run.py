"""Evaluates everything a training run exported, and writes the report."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stylerec.data.prepared import PreparedData
from stylerec.evaluation.baselines import evaluate_baselines
from stylerec.evaluation.gates import AMF, GateConfig, check_gates
from stylerec.evaluation.outfits import evaluate_outfits
from stylerec.evaluation.ranking import RankingMetrics, evaluate_ranking
from stylerec.evaluation.report import write_report
from stylerec.evaluation.results import Evaluation
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
    summary = data.summary
    found = {name: path for name, path in exported.items() if (path / "model.onnx").exists()}

    baselines: dict[str, RankingMetrics] = {}
    if summary.num_customers:
        baselines = evaluate_baselines(data, split="test", max_customers=max_customers)
    figures = {
        name: evaluate_ranking(found[name], data, split="test", max_customers=max_customers)
        for name in (AMF, RANKING, NEXT_ITEM)
        if name in found
    }
    for name, metrics in {**baselines, **figures}.items():
        progress(_line(name, metrics))
    outfit = evaluate_outfits(found[OUTFIT], data) if OUTFIT in found else None
    if outfit is not None:
        progress(f"evaluate {OUTFIT}: AUC {outfit.auc:.4f}, FITB {outfit.fitb:.4f}")
    evaluation = Evaluation(
        split="test",
        models={name: metrics for name, metrics in figures.items() if name != AMF},
        baselines=baselines | {AMF: figures[AMF]} if AMF in figures else baselines,
        outfit=outfit,
        omitted={
            **{name: "no model was exported" for name in MODEL_NAMES if name not in found},
            **summary.omitted,
        },
    )
    if gates is not None:
        verdicts = check_gates(evaluation, config=gates, current=current)
        evaluation = evaluation.model_copy(update={"gates": tuple(verdicts)})
    if report is not None:
        write_report(evaluation, summary, _training_records(found), report)
    return evaluation


def _line(name: str, metrics: RankingMetrics) -> str:
    return (
        f"evaluate {name}: NDCG@10 {metrics.ndcg_at_10:.4f}, hit rate@10 "
        f"{metrics.hit_rate_at_10:.4f}, {metrics.num_customers:,} customers, all items ranked"
    )


def _training_records(trained: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Returns the `training.json` of each folder that has one."""
    paths = {name: folder / "training.json" for name, folder in trained.items()}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}
