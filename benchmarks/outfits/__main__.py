"""`python -m benchmarks.outfits --data <folder>`: the outfit table as Markdown, then as JSON.

The folder holds `mango`, `polyvore` and `hm_articles`; a part whose data is missing is left out and
null in the last line, one JSON object. Progress goes to standard error. Every seed of every
part is a process of its own whose result is kept, so an interrupted run goes on where it stopped.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine, machine_line
from benchmarks.models.runs import run_json
from benchmarks.outfits import generation
from benchmarks.outfits.mango import TASKS
from benchmarks.outfits.report import headline, markdown_report
from benchmarks.outfits.siamese import CONFIGS

PARTS = ("mango", "siamese", "polyvore", "generated", "generation")
_SEEDS, _QUICK_SEEDS = (0, 1, 2, 3, 4), (0, 1)
_SIAMESE_SEEDS, _QUICK_SIAMESE_SEEDS = 3, 1
_EPOCHS, _QUICK_EPOCHS = 10, 3


def main() -> None:
    """Runs the parts asked for and prints the report."""
    arguments = _arguments()
    seeds = _QUICK_SEEDS if arguments.quick else _SEEDS
    arguments.work.mkdir(parents=True, exist_ok=True)
    try:
        results = measure(
            arguments.data,
            arguments.work,
            seeds=seeds,
            is_quick=arguments.quick,
            wanted=arguments.parts or PARTS,
        )
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    machine = machine_line(describe_machine())
    report = f"# Outfits\n\n{machine}\n\n{markdown_report(results)}"
    line = headline(results)
    print(f"{report}\n\n{json.dumps(line)}")
    if arguments.save:
        arguments.save.mkdir(parents=True, exist_ok=True)
        stem = "outfits-quick" if arguments.quick else "outfits"
        (arguments.save / f"{stem}.md").write_text(report + "\n")
        (arguments.save / f"{stem}.json").write_text(json.dumps(results, indent=1) + "\n")


def measure(
    data: Path, work: Path, *, seeds: tuple[int, ...], is_quick: bool, wanted: tuple[str, ...]
) -> dict[str, Any]:
    """Returns the results of the parts that are wanted and whose data is there."""
    results: dict[str, Any] = {}
    epochs = str(_QUICK_EPOCHS if is_quick else _EPOCHS)
    mango, polyvore = data / "mango", data / "polyvore"
    if "mango" in wanted and mango.exists():
        results["mango"] = {
            split: [_part("mango", work, mango, seed, split=split) for seed in seeds]
            for split in TASKS
        }
    if "siamese" in wanted and mango.exists():
        fewer = seeds[: _QUICK_SIAMESE_SEEDS if is_quick else _SIAMESE_SEEDS]
        results["siamese"] = {
            split: [_siamese(work, mango, seed, split=split, epochs=epochs) for seed in fewer]
            for split in TASKS
        }
    if "polyvore" in wanted and polyvore.exists():
        results["polyvore"] = [_part("polyvore", work, polyvore, seed) for seed in seeds]
    if "generated" in wanted and mango.exists():
        results["generated"] = [
            _part("generated", work, mango, seed, tables="mango") for seed in seeds
        ]
    if "generation" in wanted:
        articles = data / "hm_articles" / "articles.parquet"
        found = articles if articles.exists() else None
        results["generation"] = generation.main(found, quick=is_quick, progress=_say)
    return results


def _siamese(work: Path, source: Path, seed: int, **options: str) -> dict[str, Any]:
    """Returns the results of all configs on one split and seed; each is a process of its own."""
    results: dict[str, Any] = {}
    for config in CONFIGS:
        results |= _part("siamese", work, source, seed, tables="mango", config=config, **options)
    return results


def _part(
    module: str, work: Path, source: Path, seed: int, *, tables: str = "", **options: str
) -> dict[str, Any]:
    """Returns the result of one seed, from an earlier run where there is one."""
    given = {**options, "data": str(source), "seed": str(seed)}
    output = work / f"{module}-{key(module, given)}.json"
    _say(f"-- {module} {' '.join(options.values())} seed {seed}{' (kept)' * output.exists()}")
    arguments = [text for name, value in given.items() for text in (f"--{name}", value)]
    arguments += ["--tables", str(work / "tables" / (tables or module))]
    return run_json(f"benchmarks.outfits.{module}", arguments, output)


def key(module: str, options: Mapping[str, str]) -> str:
    """Returns a hash of everything that decides a result."""
    text = json.dumps([module, dict(options)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds mango and polyvore")
    parser.add_argument("--quick", action="store_true", help="two seeds")
    parser.add_argument("--part", dest="parts", action="append", choices=PARTS, help="only these")
    parser.add_argument("--work", type=Path, default=Path(".stylerec/bench-outfits"))
    parser.add_argument("--save", type=Path, help="folder for the report and all figures")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
