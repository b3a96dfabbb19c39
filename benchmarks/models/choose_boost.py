"""What `new_item_boost` trades on validation: `python -m benchmarks.models.choose_boost`.

A tenth of the items never trains, several times other ones and never those of the reported
cold-start figures. The protocol is that of the test, one interaction per customer earlier: what is
measured are the validation targets among those items, so that no test target is read. The boosts in
`benchmarks/configs` are the lowest ones that find new items `LEAST_RATIO` times as often as a
content KNN. The aim is 1.5; the rest is a margin, because what validation promises shrinks: on the
test targets of draw 0, which is not used again, 1.81 became 1.31.
"""

import argparse
import dataclasses
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.models import parts
from benchmarks.models.configs import Space
from benchmarks.models.datasets import prepared_data
from benchmarks.models.effort import FULL
from benchmarks.models.parts import Bench
from benchmarks.models.runs import Runner
from benchmarks.models.table import markdown, spread, with_spread
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import Split, Targets

DRAWS = (1, 2, 3)
"""Other than `parts.COLD_DRAW`."""
LEAST_RATIO = 1.5 * 1.81 / 1.31
SPLIT_FOLDER = "split"


def main() -> None:
    """Prints what each boost does to new and to known items, for each model with content."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="tables or a public layout")
    parser.add_argument("--model", action="append", choices=("next_item", "ranking"))
    parser.add_argument("--work", type=Path, default=Path(".stylerec/bench-models/boost"))
    arguments = parser.parse_args()
    work = arguments.work.resolve() / arguments.data.name
    work.mkdir(parents=True, exist_ok=True)
    source = one_step_earlier(prepared_data(arguments.data, work), work / "earlier")
    models = tuple(arguments.model or ("next_item", "ranking"))
    runner = Runner(work, parallel=2, progress=lambda line: print(line, file=sys.stderr))
    measured = []
    for draw in DRAWS:
        effort = dataclasses.replace(FULL, seeds=(draw,))
        bench = Bench(arguments.data.name, source, work, runner, effort)
        measured.append(parts.cold_start(bench, models, draw=draw))
    rows = [row for model in models for row in boost_rows(model, measured)]
    header = ["model", "boost", "R@10 of known items", "of new items", "over the content KNN"]
    print(markdown(header, rows))


def boost_rows(model: Space, draws: list[dict[str, Any]]) -> list[list[str]]:
    """Returns a model's rows: boost, recall of known and of new items, and its ratio to the KNN's.

    Args:
        model: Which of the measured models.
        draws: What `parts.cold_start` measured, per draw of new items.
    """
    rows, is_chosen = [], False
    for place, boost in enumerate(row["boost"] for row in draws[0]["boosts"][model]):
        found = [draw["boosts"][model][place] for draw in draws]
        best_knn = [
            max(knn["hit_rate_at_10"] for knn in draw["content_knn"].values()) for draw in draws
        ]
        ratio = spread(
            [row["cold_recall_at_10"] / knn for row, knn in zip(found, best_knn, strict=True)]
        )
        is_enough = ratio["mean"] >= LEAST_RATIO
        rows.append(
            [
                model,
                f"{boost:g}" + " (chosen)" * (is_enough and not is_chosen),
                with_spread(spread([row["known_recall_at_10"] for row in found])),
                with_spread(spread([row["cold_recall_at_10"] for row in found])),
                with_spread(ratio, digits=2) + " x",
            ]
        )
        is_chosen |= is_enough
    return rows


def one_step_earlier(prepared: Path, output: Path) -> Path:
    """Writes leave-one-out data as it was one interaction per customer ago; returns its folder.

    Validation targets are the test targets and the last training interactions are the validation
    targets, so that a model is as old when it is asked as it is on the true test targets.
    Popularity and pairs bought together still count every training interaction; nothing that is
    measured here reads them.
    """
    if not output.exists():
        shutil.copytree(prepared, output)
        found = PreparedData(prepared).split
        lengths = np.array(found.train_lengths)
        test = found.validation[lengths[found.validation.customer] > 1]
        lengths[test.customer] -= 1
        shutil.rmtree(output / SPLIT_FOLDER)
        before = Targets(np.array(test.customer), np.array(test.place) - 1)
        Split(lengths, before, test).save(output / SPLIT_FOLDER)
    return output


if __name__ == "__main__":
    main()
