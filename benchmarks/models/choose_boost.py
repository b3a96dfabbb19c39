"""What `new_item_boost` trades on validation: `python -m benchmarks.models.choose_boost`.

A tenth of the items, others than the cold-start part holds out, never trains; what is measured are
the interactions with them that validation holds out, so that no test target is read. The boosts in
`benchmarks/configs` were chosen by its table.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np

from benchmarks.models.configs import chosen_config
from benchmarks.models.datasets import prepared_data
from benchmarks.models.runs import ModelName, Run, Runner
from benchmarks.models.table import markdown
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import Split, Targets
from stylerec.evaluation.cold_start import hold_out_items

SEED = 1
"""The cold-start part holds out other items, those of seed 0."""
SPLIT_FOLDER = "split"


def main() -> None:
    """Prints recall@10 of new and of known items by boost, for each model with content."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="tables or a public layout")
    parser.add_argument("--work", type=Path, default=Path(".stylerec/bench-models/boost"))
    arguments = parser.parse_args()
    work = arguments.work / arguments.data.name
    work.mkdir(parents=True, exist_ok=True)
    folder, items = work / "cold", work / "cold_items.npy"
    if not items.exists():
        source = with_validation_as_test(prepared_data(arguments.data, work), work / "validation")
        np.save(items, hold_out_items(source, folder, seed=SEED), allow_pickle=False)
    models: tuple[ModelName, ...] = ("next_item", "ranking")
    results = Runner(work, parallel=2).results(
        Run(
            f"boost, {model}",
            model,
            folder,
            {**chosen_config(arguments.data.name, model), "seed": 1},
            cold_items=items,
        )
        for model in models
    )
    rows = [
        [
            model,
            f"{row['boost']:g}",
            f"{row['cold_recall_at_10']:.4f}",
            f"{row['known_recall_at_10']:.4f}",
        ]
        for model, result in zip(models, results, strict=True)
        for row in result["boosts"]
    ]
    print(markdown(["model", "boost", "R@10 of new items", "R@10 of known items"], rows))


def with_validation_as_test(prepared: Path, output: Path) -> Path:
    """Writes prepared data whose test targets are the validation targets; returns its folder."""
    if not output.exists():
        shutil.copytree(prepared, output)
        found = PreparedData(prepared).split
        targets = Targets(np.array(found.validation.customer), np.array(found.validation.place))
        shutil.rmtree(output / SPLIT_FOLDER)
        Split(np.array(found.train_lengths), targets, targets).save(output / SPLIT_FOLDER)
    return output


if __name__ == "__main__":
    main()
