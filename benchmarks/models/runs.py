"""Trains in processes of their own, some at a time, and keeps every result.

A result is kept under the hash of what made it: a benchmark that was interrupted, or that is run
again with one more seed, goes on from there.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

ModelName = Literal["next_item", "ranking", "amf"]
_TAIL_LINES = 15


@dataclass(frozen=True)
class Run:
    """One training with its evaluation.

    Attributes:
        name: What the table calls it.
        model: Which trainer.
        prepared: Folder of prepared data.
        config: Fields that differ from the model's default config, the seed among them.
        cold_items: File of held-out items (`.npy`) for the cold-start figures, or None.
        keep: Whether the exported model stays in the work folder.
    """

    name: str
    model: ModelName
    prepared: Path
    config: dict[str, Any] = field(default_factory=dict)
    cold_items: Path | None = None
    keep: bool = False

    def key(self) -> str:
        """Returns a hash of everything that decides the result."""
        text = json.dumps({**asdict(self), "name": ""}, default=str, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class Runner:
    """Runs trainings and keeps their results in a folder.

    Args:
        work: Folder for results and trained models.
        parallel: Runs at a time; each gets its share of the cores.
        progress: Takes one line per run.
    """

    def __init__(
        self, work: Path, *, parallel: int, progress: Callable[[str], None] = print
    ) -> None:
        self.work, self.parallel, self.progress = work, parallel, progress
        self.threads = max(1, len(os.sched_getaffinity(0)) // parallel)

    def results(self, runs: Iterable[Run]) -> list[dict[str, Any]]:
        """Returns each run's result, in order; see `train_one` for what it holds."""
        with ThreadPoolExecutor(self.parallel) as pool:
            return list(pool.map(self._result, runs))

    def _result(self, run: Run) -> dict[str, Any]:
        folder = self.work / "runs" / f"{run.model}-{run.key()}"
        kept = folder / "result.json"
        if not kept.exists():
            folder.mkdir(parents=True, exist_ok=True)
            began = time.perf_counter()
            arguments = json.dumps(
                {
                    "model": run.model,
                    "prepared": str(run.prepared),
                    "config": run.config,
                    "cold_items": None if run.cold_items is None else str(run.cold_items),
                    "keep": run.keep,
                }
            )
            run_module("benchmarks.models.train_one", [arguments, str(folder)], self.threads)
            self.progress(f"{run.name}: {time.perf_counter() - began:.0f} s")
        result: dict[str, Any] = json.loads(kept.read_text())
        return result | {"folder": str(folder)}


def run_module(module: str, arguments: list[str], threads: int, *, python: str = "") -> str:
    """Runs a module in a fresh process and returns what it printed.

    Raises:
        RuntimeError: It failed; the message ends with its last lines.
    """
    done = subprocess.run(
        [python or sys.executable, "-m", module, *arguments],
        env=process_environment(threads),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-_TAIL_LINES:])
        raise RuntimeError(f"{module}: expected exit code 0, got {done.returncode}:\n{tail}")
    return done.stdout


def run_json(
    module: str, arguments: list[str], output: Path, *, python: str = ""
) -> dict[str, Any]:
    """Returns what a module with an `--output` option wrote, now or in an earlier call.

    It has all cores: parts that are timed run alone.
    """
    if not output.exists():
        aside = output.with_suffix(".part")
        threads = len(os.sched_getaffinity(0))
        run_module(module, [*arguments, "--output", str(aside)], threads, python=python)
        aside.rename(output)
    found: dict[str, Any] = json.loads(output.read_text())
    return found


def process_environment(threads: int) -> dict[str, str]:
    """Returns this process's environment with the number of threads of every library set."""
    return os.environ | {
        "OMP_NUM_THREADS": str(threads),
        # Threads that spin while they wait would steal the other run's core.
        "OMP_WAIT_POLICY": "PASSIVE",
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
