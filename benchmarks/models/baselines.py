"""Every baseline's test figures, or the content KNN's on items that no training has seen.

    python -m benchmarks.models.baselines --prepared <folder> --output baselines.json

The output is an object of baselines by name, each with its metrics and the setting that validation
chose. What could not be measured is said on standard output.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stylerec.data.prepared import PreparedData
from stylerec.evaluation.baselines import ease
from stylerec.evaluation.baselines.choice import choose_on_validation
from stylerec.evaluation.baselines.known import Known
from stylerec.evaluation.baselines.run import (
    BASELINES,
    CONTENT_KNN_HISTORY,
    CONTENT_KNN_LAST,
    evaluate_baselines,
)
from stylerec.evaluation.cold_start import evaluate_cold_start
from stylerec.evaluation.context import evaluation_context


def warm(
    data: PreparedData, names: Sequence[str], *, max_choice_customers: int | None
) -> dict[str, dict[str, Any]]:
    """Returns the test figures of the named baselines."""
    results = evaluate_baselines(
        data,
        split="test",
        names=names,
        max_choice_customers=max_choice_customers,
        max_ease_items=ease.MAX_ITEMS,
        context=evaluation_context(data),
    )
    for name, reason in results.omitted.items():
        print(f"{name} is left out: {reason}")
    return {
        name: metrics.model_dump(mode="json") | {"setting": _plain(results.choices[name].setting)}
        for name, metrics in results.metrics.items()
    }


def cold(
    data: PreparedData, items: Path, *, max_choice_customers: int | None
) -> dict[str, dict[str, Any]]:
    """Returns the content KNN's figures on held-out items; validation targets are other items."""
    held_out = np.load(items, allow_pickle=False)
    found = {}
    for name in (CONTENT_KNN_LAST, CONTENT_KNN_HISTORY):
        baseline = BASELINES[name]
        choice = choose_on_validation(
            baseline.fit,
            baseline.settings,
            Known(data, "validation"),
            max_customers=max_choice_customers,
        )
        scorer = baseline.fit(Known(data, "test", has_only_training=True), choice.setting)
        metrics = evaluate_cold_start(scorer, data, held_out)
        found[name] = metrics.model_dump(mode="json") | {"setting": _plain(choice.setting)}
    return found


def _plain(setting: object) -> object:
    is_settings = is_dataclass(setting) and not isinstance(setting, type)
    return asdict(setting) if is_settings else setting


def main() -> None:
    """Reads the command line, measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", type=Path, required=True, help="folder of prepared data")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--cold-items", type=Path, help="items held out of training (.npy)")
    parser.add_argument("--names", nargs="+", choices=BASELINES, default=list(BASELINES))
    parser.add_argument("--max-choice-customers", type=int, help="default: all customers")
    options = parser.parse_args()
    data = PreparedData(options.prepared)
    limit = options.max_choice_customers
    if options.cold_items:
        found = cold(data, options.cold_items, max_choice_customers=limit)
    else:
        found = warm(data, options.names, max_choice_customers=limit)
    options.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
