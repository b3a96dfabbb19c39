"""Peak memory of training as the number of customers grows, on synthetic retailers.

`python -m benchmarks.models.memory --work <folder> --customers 20000 --customers 1000000`
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

from benchmarks.models.runs import process_environment
from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.generate import generate

NUM_ITEMS = 5_000
_SAMPLE_S = 0.2
_ENTRIES = {
    "next_item": (
        "from stylerec.models.next_item.config import NextItemConfig as Config\n"
        "from stylerec.models.next_item.train import train_next_item as train\n"
    ),
    "ranking": (
        "from stylerec.models.ranking.config import RankingConfig as Config\n"
        "from stylerec.models.ranking.train import train_ranking as train\n"
    ),
}
_TRAIN = (
    "import sys, pathlib\ntrain(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), Config())\n"
)


def synthetic_prepared(work: Path, num_customers: int) -> Path:
    """Returns prepared data of a synthetic retailer with so many customers, made once."""
    output = work / f"synthetic-{num_customers}"
    if not (output / "dataset.json").exists():
        with tempfile.TemporaryDirectory(dir=work) as folder:
            tables = Path(folder) / "tables"
            generate(tables, _retailer(num_customers))
            prepare(tables, output, PrepareConfig())
    return output


def _retailer(num_customers: int) -> SyntheticConfig:
    """Returns a retailer without the pictures, impressions and outfits that do not train."""
    return SyntheticConfig(
        num_customers=num_customers,
        num_items=NUM_ITEMS,
        num_outfits=0,
        impressions_share=0.0,
        has_pictures=False,
    )


def training_memory(
    prepared: Path, model: Literal["next_item", "ranking"], *, seconds: float
) -> dict[str, Any]:
    """Returns the peak memory of the first seconds of a training process, in MiB.

    `anonymous` is what the process itself holds; the rest of `resident` are pages of the
    memory-mapped histories and of program files, which the kernel takes back when it needs them.
    """
    peak = {"resident": 0.0, "anonymous": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-c", _ENTRIES[model] + _TRAIN, str(prepared), f"{folder}/trained"],
            env=process_environment(len(os.sched_getaffinity(0))),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        end = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < end:
            for name, value in _memory_mib(process.pid).items():
                peak[name] = max(peak[name], value)
            time.sleep(_SAMPLE_S)
        is_failed = process.poll() not in (None, 0)
        process.kill()
        _, errors = process.communicate()
    if is_failed:
        raise RuntimeError(f"{model}: expected training to run, got:\n{errors[-2000:]}")
    return {f"{name}_mib": round(value) for name, value in peak.items()}


def memory_by_customers(
    work: Path, customers: list[int], *, seconds: float
) -> list[dict[str, Any]]:
    """Returns one row per number of customers and model."""
    rows = []
    for num_customers in customers:
        prepared = synthetic_prepared(work, num_customers)
        summary = PreparedData(prepared).summary
        rows += [
            {
                "model": model,
                "num_customers": summary.num_customers,
                "num_interactions": summary.num_interactions,
                "seconds_watched": seconds,
                **training_memory(prepared, model, seconds=seconds),
            }
            for model in ("next_item", "ranking")
        ]
    return rows


def _memory_mib(process_id: int) -> dict[str, float]:
    """Returns the resident and the anonymous memory of a process; nothing once it is gone."""
    names = {"VmRSS": "resident", "RssAnon": "anonymous"}
    try:
        lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    except OSError:
        return {}
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return {
        name: int(fields[key].split()[0]) / 1024 for key, name in names.items() if key in fields
    }


def main() -> None:
    """Prints the rows as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--customers", type=int, action="append", required=True)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    rows = memory_by_customers(arguments.work, arguments.customers, seconds=arguments.seconds)
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
