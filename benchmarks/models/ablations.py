"""What event types, event weights and time gaps are worth, on data that has them.

`python -m benchmarks.models.ablations [--quick] --data <folder with taobao_815> --work <folder>
--output <json>`
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.models.datasets import prepared_data
from benchmarks.models.part_command import run_part
from benchmarks.models.runs import Run, Runner
from benchmarks.models.table import markdown, spread, with_spread
from stylerec.data.prepared import PreparedData
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.generate import generate
from stylerec.evaluation.blocks import is_repeat
from stylerec.schema.events import EVENT_CODES

Model = Literal["next_item", "ranking"]
Config = dict[str, Any]
TAOBAO = "taobao_815"
SYNTHETIC = "synthetic"

SWITCHES: dict[str, Config] = {
    "all": {},
    "no event types": {"use_event_types": False},
    "no time gaps": {"use_time_gaps": False},
    "neither": {"use_event_types": False, "use_time_gaps": False},
}
WEIGHTS: dict[str, Config] = {
    "purchase-heavy": {"view": 1.0, "save": 2.0, "add_to_bag": 3.0, "purchase": 5.0},
    "views half": {"view": 0.5, "save": 1.0, "add_to_bag": 1.0, "purchase": 1.0},
    "views only": {"view": 1.0, "save": 0.0, "add_to_bag": 0.0, "purchase": 0.0},
}
"""With equal weights, which are in `SWITCHES` as `all`, the grid that validation chooses from."""


@dataclass(frozen=True)
class Plan:
    """How one model is trained on one data set: seeds, and fields that differ from its defaults."""

    seeds: tuple[int, ...]
    config: Config


@dataclass(frozen=True)
class Effort:
    """Bounds of the ablation.

    Attributes:
        num_customers: Of the synthetic retailer.
        plans: By data set and model.
    """

    num_customers: int
    plans: dict[str, dict[Model, Plan]]


FULL = Effort(
    num_customers=1_000,
    plans={
        SYNTHETIC: {
            "next_item": Plan((1, 2, 3), {"max_epochs": 6}),
            "ranking": Plan((1, 2, 3), {"max_epochs": 6}),
        },
        # A large catalogue for few customers: a training takes minutes, so there is one seed.
        TAOBAO: {
            "next_item": Plan((1,), {"max_epochs": 4, "embedding_dim": 32}),
            "ranking": Plan((1,), {"max_epochs": 4, "embedding_dim": 32}),
        },
    },
)
QUICK = Effort(num_customers=400, plans={SYNTHETIC: {"next_item": Plan((1,), {"max_epochs": 4})}})


def measure_ablations(
    data: Path,
    work: Path,
    *,
    quick: bool = False,
    only: str | None = None,
    progress: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Returns validation and test figures of every variant, per data set and model.

    Args:
        data: Folder that holds `taobao_815`; without it there is the synthetic retailer alone.
        work: Folder for data and trainings; what an earlier call made is used again.
        quick: One seed of next_item on a small synthetic retailer, under two minutes.
        only: Data set and model, such as `synthetic/next_item`; None for all.
        progress: Takes one line per step.
    """
    effort = QUICK if quick else FULL
    work.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"effort": asdict(effort), "datasets": {}}
    for name, all_plans in effort.plans.items():
        plans = {m: p for m, p in all_plans.items() if only in (None, f"{name}/{m}")}
        if not plans:
            continue
        prepared = _prepared(name, data, work, num_customers=effort.num_customers)
        if prepared is None:
            results["datasets"][name] = None
            continue
        progress(f"ablations: {name} prepared")
        results["datasets"][name] = {
            "targets": targets_by_event(PreparedData(prepared)),
            "models": {
                model: _variants(
                    name, model, prepared, Runner(work, parallel=2, progress=progress), plan
                )
                for model, plan in plans.items()
            },
        }
    return results


def _prepared(name: str, data: Path, work: Path, *, num_customers: int) -> Path | None:
    """Returns the data set's prepared folder, None where the data is not there."""
    if name == SYNTHETIC:
        folder = work / f"synthetic-{num_customers}"
        source = folder / "retailer"
        if not (source / "items.parquet").exists():
            folder.mkdir(parents=True, exist_ok=True)
            config = SyntheticConfig(
                num_customers=num_customers,
                num_outfits=0,
                impressions_share=0.0,
                has_pictures=False,
            )
            generate(source, config)
    else:
        source, folder = data / name, work / name
        if not source.exists():
            return None
    folder.mkdir(parents=True, exist_ok=True)
    return prepared_data(source, folder, progress=lambda line: None)


def _variants(
    name: str, model: Model, prepared: Path, runner: Runner, plan: Plan
) -> dict[str, Any]:
    """Trains every variant with every seed."""
    weights = {variant: {"event_weights": chosen} for variant, chosen in WEIGHTS.items()}
    changes = SWITCHES | weights
    runs = [
        Run(
            f"{name}, {model}, {variant}, seed {seed}",
            model,
            prepared,
            {**plan.config, **config, "seed": seed},
        )
        for variant, config in changes.items()
        for seed in plan.seeds
    ]
    results, count = runner.results(runs), len(plan.seeds)
    figures = {
        variant: variant_figures(results[place * count : (place + 1) * count])
        for place, variant in enumerate(changes)
    }
    return {"variants": figures, "chosen_weights": chosen_weights(figures)}


def variant_figures(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the spread over one result per seed."""
    return {
        "validation_ndcg_at_10": spread([r["training"]["validation_ndcg_at_10"] for r in results]),
        "ndcg_at_10": spread([r["test"]["ndcg_at_10"] for r in results]),
        "recall_at_10": spread([r["test"]["hit_rate_at_10"] for r in results]),
    }


def chosen_weights(figures: dict[str, Any]) -> str:
    """Returns the event weights with the best validation NDCG@10; `all` are equal weights."""
    grid = ("all", *WEIGHTS)
    return max(grid, key=lambda name: float(figures[name]["validation_ndcg_at_10"]["mean"]))


def targets_by_event(data: PreparedData) -> dict[str, dict[str, int]]:
    """Returns how many test targets of each event type are ranked, and how many are repeats.

    An item that is in the customer's history already is filtered from the ranking, so that such a
    target is counted and left out.
    """
    targets = data.split.test
    repeats = is_repeat(data.histories, targets)
    code = np.asarray(data.histories.event_type[np.asarray(targets.place)])
    return {
        name: {
            "ranked": int(((code == number) & ~repeats).sum()),
            "repeats": int(((code == number) & repeats).sum()),
        }
        for name, number in EVENT_CODES.items()
    }


def ablations_markdown(results: dict[str, Any]) -> str:
    """Returns one table per data set and model."""
    parts = []
    for name, found in results["datasets"].items():
        if found is None:
            parts.append(f"### {name}\n\nNot there, not measured.")
            continue
        parts.append(f"### {name}\n\n{_targets_line(found['targets'])}")
        for model, measured in found["models"].items():
            parts.append(f"**{model}**\n\n{_table(measured)}")
    return "\n\n".join(parts)


def _targets_line(targets: dict[str, dict[str, int]]) -> str:
    ranked = ", ".join(f"{event} {some['ranked']:,}" for event, some in targets.items())
    repeats = ", ".join(f"{event} {some['repeats']:,}" for event, some in targets.items())
    return (
        f"Test targets that are new to their customer and so are ranked: {ranked}. Left out, as "
        f"items seen before are filtered: {repeats}."
    )


def _table(measured: dict[str, Any]) -> str:
    rows = []
    for variant, figures in measured["variants"].items():
        label = {"all": "event types, time gaps, equal weights"}.get(variant, variant)
        is_chosen = variant == measured["chosen_weights"]
        rows.append(
            [
                label + (" (weights that validation chose)" if is_chosen else ""),
                *(
                    with_spread(figures[key])
                    for key in ("validation_ndcg_at_10", "ndcg_at_10", "recall_at_10")
                ),
            ]
        )
    return markdown(["variant", "validation NDCG@10", "test NDCG@10", "test R@10"], rows)


def main() -> None:
    """Measures, prints the Markdown, and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one seed, synthetic retailer")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path(".stylerec/bench-ablations"))
    parser.add_argument("--only", help="one data set and model, such as synthetic/next_item")
    run_part(
        parser,
        lambda own, progress: measure_ablations(
            own.data, own.work, quick=own.quick, only=own.only, progress=progress
        ),
        ablations_markdown,
    )


if __name__ == "__main__":
    main()
