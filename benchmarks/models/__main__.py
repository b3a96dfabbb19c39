"""`python -m benchmarks.models --data <folder>`: the whole comparison as Markdown, then as JSON.

The last line of standard output is one JSON object; progress goes to standard error.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine
from benchmarks.models import parts, speed
from benchmarks.models.datasets import dataset_line, prepared_data
from benchmarks.models.effort import FULL, QUICK, Effort
from benchmarks.models.memory import memory_by_customers
from benchmarks.models.report import headline, markdown_report
from benchmarks.models.runs import Runner
from stylerec.errors import StyleRecError

SECOND_DATASET = "clothing"
PARTS = ("quality", "baselines", "cold_start", "speed", "memory", "second_dataset", "ablations")


def main() -> None:
    """Runs the parts asked for and prints the report."""
    arguments = _arguments()
    effort = QUICK if arguments.quick else FULL
    # Results are kept under a hash of their paths too.
    work = arguments.work.resolve() / ("quick" if arguments.quick else "full") / arguments.data.name
    work.mkdir(parents=True, exist_ok=True)
    try:
        results = measure(arguments.data, work, effort, wanted=arguments.parts or PARTS)
    except StyleRecError as error:
        sys.exit(f"error: {error}")
    results["command"] = _command(arguments)
    report = markdown_report(results)
    line = json.dumps(headline(results))
    print(f"{report}\n\n{line}")
    if arguments.save:
        arguments.save.mkdir(parents=True, exist_ok=True)
        stem = arguments.data.name + ("-quick" if arguments.quick else "")
        (arguments.save / f"{stem}.md").write_text(report + "\n")
        (arguments.save / f"{stem}.json").write_text(json.dumps(results, indent=1) + "\n")


def measure(
    source: Path, work: Path, effort: Effort, *, wanted: tuple[str, ...] = PARTS
) -> dict[str, Any]:
    """Returns the results of the parts that are wanted and that the data allows."""
    prepared = prepared_data(source, work, progress=_say)
    runner = Runner(work, parallel=2, progress=_say)
    bench = parts.Bench(source.name, prepared, work, runner, effort)
    measured: dict[str, Callable[[], Any]] = {
        "quality": lambda: parts.quality(bench),
        "baselines": lambda: parts.baselines(bench),
        "cold_start": lambda: parts.cold_start(bench),
        "speed": lambda: speed.speed(bench),
        "memory": lambda: memory_by_customers(
            work.parent, list(effort.memory_customers), seconds=effort.memory_seconds
        ),
        "second_dataset": lambda: _second_dataset(source, work, effort),
        "ablations": lambda: parts.ablations(bench, source.parent),
    }
    results: dict[str, Any] = {
        "dataset": source.name,
        "data": dataset_line(prepared),
        "machine": describe_machine(),
    }
    for name, part in measured.items():
        if name in wanted:
            _say(f"-- {name}")
            results[name] = part()
    return results


def _second_dataset(source: Path, work: Path, effort: Effort) -> dict[str, Any] | None:
    """Returns next_item and the baselines on `clothing`, where it lies beside the data."""
    other = source.parent / SECOND_DATASET
    if not effort.has_second_dataset or not other.exists() or other == source:
        return None
    other_work = work.parent / SECOND_DATASET
    other_work.mkdir(parents=True, exist_ok=True)
    prepared = prepared_data(other, other_work, progress=_say)
    bench = parts.Bench(
        SECOND_DATASET, prepared, other_work, Runner(other_work, parallel=2, progress=_say), effort
    )
    return {
        "dataset": SECOND_DATASET,
        "data": dataset_line(prepared),
        "quality": parts.quality(bench, ("next_item",)),
        "baselines": parts.baselines(bench),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="tables or a public layout")
    parser.add_argument("--quick", action="store_true", help="one seed, shorter training")
    parser.add_argument("--part", dest="parts", action="append", choices=PARTS, help="only these")
    parser.add_argument("--work", type=Path, default=Path(".stylerec/bench-models"))
    parser.add_argument("--save", type=Path, help="folder for the report and all figures")
    return parser.parse_args()


def _command(arguments: argparse.Namespace) -> str:
    data = f"<{arguments.data.name}>"
    if not arguments.parts:
        return f"make bench-models DATA={data}{' QUICK=1' if arguments.quick else ''}"
    parts = "".join(f" --part {part}" for part in arguments.parts)
    return (
        f"python -m benchmarks.models --data {data}{' --quick' if arguments.quick else ''}{parts}"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
