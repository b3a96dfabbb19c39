"""Position bias on synthetic retailers, whose truth is known.

`python -m benchmarks.models.position_bias [--quick] --work <folder> --output <json>`
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.models.part_command import run_part
from benchmarks.models.position_cases import RETAILERS, Case, make_case, propensity_errors
from benchmarks.models.preference import MIN_PROPENSITY, metric_figures, preference_figures
from benchmarks.models.runs import Run, Runner
from benchmarks.models.synthetic_truth import last_wishes
from benchmarks.models.table import markdown, spread, with_spread
from stylerec.evaluation.onnx_scorer import onnx_scorer

VARIANTS = {
    "naive": "not corrected",
    "estimated": "estimated propensities",
    "true": "true propensities",
}
Figures = dict[str, list[float]]


@dataclass(frozen=True)
class Effort:
    """Bounds: seeds (each a retailer and a training), customers, candidates, variants, epochs."""

    seeds: tuple[int, ...] = (7, 8, 9)
    num_customers: int = 2_000
    num_candidates: int = 40
    max_epochs: int = 8
    variants: tuple[str, ...] = tuple(VARIANTS)


FULL = Effort()
QUICK = Effort(
    seeds=(7,), num_customers=800, num_candidates=30, max_epochs=6, variants=("naive", "estimated")
)


def measure_position_bias(
    work: Path, *, quick: bool = False, progress: Callable[[str], None] = print
) -> dict[str, Any]:
    """Returns the errors of the propensities, and what correcting with them does to a model.

    Args:
        work: Folder for retailers and trainings; what an earlier call made is used again.
        quick: One small retailer of each kind, under two minutes.
        progress: Takes one line per step.
    """
    effort = QUICK if quick else FULL
    work.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"effort": asdict(effort), "retailers": {}}
    for name, settings in RETAILERS.items():
        cases = {
            seed: make_case(work, name, num_customers=effort.num_customers, seed=seed)
            for seed in effort.seeds
        }
        progress(f"position bias: {len(cases)} {name} retailers prepared")
        results["retailers"][name] = {
            "settings": settings,
            "propensities": propensity_errors(list(cases.values())),
            **_models(work, name, cases, effort, progress),
        }
    return results


def _models(
    work: Path,
    name: str,
    cases: dict[int, Case],
    effort: Effort,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Trains each variant on each retailer and returns what the models know."""
    pairs = [(seed, variant) for seed in cases for variant in effort.variants]
    runs = [
        Run(
            f"position bias, {name} retailer {seed}, {VARIANTS[variant]}",
            "next_item",
            cases[seed].prepared[variant],
            {
                "max_epochs": effort.max_epochs,
                "use_propensity": variant != "naive",
                "min_propensity": MIN_PROPENSITY,
                "seed": seed,
            },
            keep=True,
        )
        for seed, variant in pairs
    ]
    trained = Runner(work, parallel=2, progress=progress).results(runs)
    preference: dict[str, Figures] = {variant: {} for variant in effort.variants}
    metrics: dict[str, Figures] = {variant: {} for variant in effort.variants}
    for (seed, variant), result in zip(pairs, trained, strict=True):
        case = cases[seed]
        scorer = onnx_scorer(
            Path(result["folder"]) / "exported", num_items=case.data.vocabulary.num_items
        )
        wishes = last_wishes(case.retailer, num_candidates=effort.num_candidates, seed=seed)
        _collect(preference[variant], preference_figures(case, wishes, scorer))
        _collect(metrics[variant], metric_figures(case, scorer))
    return {"preference": with_gains(preference), "metrics": with_errors(metrics)}


def _collect(kept: Figures, figures: dict[str, float]) -> None:
    for name, value in figures.items():
        kept.setdefault(name, []).append(value)


def with_gains(kept: dict[str, Figures]) -> dict[str, Any]:
    """Returns spreads, and those of each seed's difference from the naive model."""
    return {
        variant: {name: spread(values) for name, values in figures.items()}
        | {
            f"{name}_gain": spread(
                [own - naive for own, naive in zip(figures[name], kept["naive"][name], strict=True)]
            )
            for name in ("kendall_tau", "ndcg_at_10")
        }
        for variant, figures in kept.items()
    }


def with_errors(kept: dict[str, Figures]) -> dict[str, Any]:
    """Returns spreads, and how far each metric is from the one without position bias."""
    return {
        variant: {name: spread(values) for name, values in figures.items()}
        | {
            f"{name}_error": spread(
                [abs(v - u) for v, u in zip(figures[name], figures["unbiased"], strict=True)]
            )
            for name in ("logged", "estimated", "true")
        }
        for variant, figures in kept.items()
    }


def position_bias_markdown(results: dict[str, Any]) -> str:
    """Returns three tables per kind of retailer."""
    parts = []
    for name, found in results["retailers"].items():
        settings = ", ".join(f"{key} {value:g}" for key, value in found["settings"].items())
        parts += [
            f"### {name.title()} retailer" + (f" ({settings})" if settings else ""),
            "Mean and largest error of the propensities:",
            _propensity_table(found["propensities"]),
            "next_item's order against what customers want after their last page:",
            _preference_table(found["preference"]),
            "NDCG@10 of next_item on the test window's pages:",
            _metric_table(found["metrics"]),
        ]
    return "\n\n".join(parts)


def _propensity_table(errors: dict[str, Any]) -> str:
    names = ("estimated_mean", "estimated_max", "click_rate_mean", "click_rate_max")
    return markdown(
        ["touchpoint", "estimated: mean", "largest", "click rates: mean", "largest"],
        [
            [touchpoint, *(with_spread(figures[name], digits=3) for name in names)]
            for touchpoint, figures in errors.items()
        ],
    )


def _preference_table(preference: dict[str, Any]) -> str:
    names = ("kendall_tau", "kendall_tau_gain", "ndcg_at_10", "ndcg_at_10_gain")
    return markdown(
        ["weights", "Kendall tau", "over naive", "NDCG@10", "over naive"],
        [
            [VARIANTS[variant], *(with_spread(figures[n], sign="gain" in n) for n in names)]
            for variant, figures in preference.items()
        ],
    )


def _metric_table(metrics: dict[str, Any]) -> str:
    names = ("unbiased", "logged", "estimated", "true")
    return markdown(
        ["weights", "position-free", "as logged", "corrected, estimated", "corrected, true"],
        [
            [VARIANTS[variant], *(with_spread(figures[name]) for name in names)]
            for variant, figures in metrics.items()
        ],
    )


def main() -> None:
    """Measures, prints the Markdown, and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small retailer of each kind")
    parser.add_argument("--work", type=Path, default=Path(".stylerec/bench-position-bias"))
    run_part(
        parser,
        lambda own, progress: measure_position_bias(own.work, quick=own.quick, progress=progress),
        position_bias_markdown,
    )


if __name__ == "__main__":
    main()
