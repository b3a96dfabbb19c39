"""The parts of the benchmark, each from prepared data to figures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.models.configs import Space, chosen_config
from benchmarks.models.effort import Effort
from benchmarks.models.runs import ModelName, Run, Runner, run_json
from benchmarks.models.table import model_figures, spread
from stylerec.evaluation.cold_start import hold_out_items

_TRAINERS: dict[Space, ModelName] = {
    "next_item": "next_item",
    "next_item_ids": "next_item",
    "ranking": "ranking",
    "amf": "amf",
}
_SPACES: dict[str, Space] = {
    "next_item": "next_item_ids",
    "next_item_content": "next_item",
    "ranking": "ranking",
    "amf": "amf",
}
"""Name in the results to the space of its config."""
COLD_SHARE = 0.1


@dataclass(frozen=True)
class Bench:
    """What every part needs.

    Attributes:
        dataset: Name of the data, which chooses the configs.
        prepared: Folder of prepared data.
        work: Folder for everything that is made on the way.
        runner: Trains.
        effort: Bounds.
    """

    dataset: str
    prepared: Path
    work: Path
    runner: Runner
    effort: Effort

    def config(self, space: Space, *, seed: int) -> dict[str, Any]:
        """Returns the config of one training: searched, cut to the effort, with its seed."""
        cut = self.effort.overrides.get(_TRAINERS[space], {})
        return {**chosen_config(self.dataset, space), **cut, "seed": seed}


def quality(bench: Bench, names: tuple[str, ...] = tuple(_SPACES)) -> dict[str, Any]:
    """Returns the figures of each model over the seeds, and the peak memory of its training."""
    runs = {name: [_run(bench, name, seed=seed) for seed in bench.effort.seeds] for name in names}
    flat = bench.runner.results([run for some in runs.values() for run in some])
    figures: dict[str, Any] = {}
    for name, some in runs.items():
        results, flat = flat[: len(some)], flat[len(some) :]
        figures[name] = model_figures(results) | {
            "peak_rss_mib": round(max(r["training_peak_rss_mib"] for r in results)),
            "seconds": spread([r["training"]["seconds"] for r in results]),
            "validation_ndcg_at_10": spread(
                [r["training"]["validation_ndcg_at_10"] for r in results]
            ),
        }
    return figures


def baselines(bench: Bench) -> dict[str, Any]:
    """Returns the metrics of every baseline."""
    arguments = ["--prepared", str(bench.prepared), *bench.effort.baseline_options]
    found: dict[str, Any] = run_json(
        "benchmarks.models.baselines", arguments, bench.work / "baselines.json"
    )
    return found


def cold_start(bench: Bench) -> dict[str, Any]:
    """Returns recall@10 of items that no training has seen, beside the content KNN's."""
    folder = bench.work / "cold"
    items = bench.work / "cold_items.npy"
    if not items.exists():
        held_out = hold_out_items(bench.prepared, folder, share=COLD_SHARE, seed=0)
        np.save(items, held_out, allow_pickle=False)
    spaces: tuple[Space, ...] = ("next_item", "ranking", "next_item_ids")
    runs = {
        space: Run(
            f"cold start, {space}",
            _TRAINERS[space],
            folder,
            bench.config(space, seed=bench.effort.seeds[0]),
            cold_items=items,
        )
        for space in spaces
    }
    results = dict(zip(runs, bench.runner.results(runs.values()), strict=True))
    models = {name: result["cold_start"] for name, result in results.items()}
    arguments = ["--prepared", str(folder), "--cold-items", str(items)]
    knn = run_json("benchmarks.models.baselines", arguments, bench.work / "cold_baselines.json")
    best_knn = max(metrics["hit_rate_at_10"] for metrics in knn.values())
    worst = min(models[name]["hit_rate_at_10"] for name in ("next_item", "ranking"))
    return {
        "recall_at_10": worst,
        "ratio_to_content_knn": worst / best_knn if best_knn else None,
        "models": models,
        "content_knn": knn,
        "boosts": {name: result["boosts"] for name, result in results.items()},
    }


def ablations(bench: Bench, data: Path) -> dict[str, Any] | None:
    """Returns what event types, weights, time gaps and the correction for position are worth.

    Args:
        bench: What every part needs.
        data: Folder beside whose data sets `taobao_815` is looked for.
    """
    if not bench.effort.has_ablations:
        return None
    return {
        "events": run_json(
            "benchmarks.models.ablations",
            ["--data", str(data), "--work", str(bench.work / "ablations")],
            bench.work / "ablations.json",
        ),
        "position_bias": run_json(
            "benchmarks.models.position_bias",
            ["--work", str(bench.work / "position_bias")],
            bench.work / "position_bias.json",
        ),
    }


def _run(bench: Bench, name: str, *, seed: int) -> Run:
    space = _SPACES[name]
    return Run(
        f"{bench.dataset}, {name}, seed {seed}",
        _TRAINERS[space],
        bench.prepared,
        bench.config(space, seed=seed),
    )
