"""Runs a pipeline on this machine, each task a subprocess of its own."""

import contextlib
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kfp import local
from kfp.dsl.graph_component import GraphComponent

from pipelines.compiling import PIPELINES
from pipelines.local_output import LocalOutput
from stylerec.errors import StackError

_KEPT_RUNS = 2
_TASK_ENVIRONMENT = {
    # Threads that spin while they wait stop a training that shares its cores with the stack.
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONUNBUFFERED": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "FEAST_USAGE": "False",
}


@dataclass(frozen=True)
class LocalRun:
    """A run that succeeded.

    Attributes:
        duration_s: How long it took.
        outputs: The pipeline's own output artifacts, by name.
    """

    duration_s: float
    outputs: dict[str, Path]


def run_pipeline(name: str, arguments: Mapping[str, str | int], *, runs: Path) -> LocalRun:
    """Runs a pipeline to its end, showing each task's name and progress lines.

    Args:
        name: A key of `pipelines.compiling.PIPELINES`.
        arguments: The pipeline's parameters.
        runs: Folder for the runs' artifacts; the newest two are kept.

    Raises:
        StackError: A task failed; quotes its error and names the log.
    """
    runs.mkdir(parents=True, exist_ok=True)
    log = runs / "latest.log"
    os.environ.update(_TASK_ENVIRONMENT)
    started = time.monotonic()
    # Once per process: kfp keeps the runner in a global.
    local.init(
        runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(runs), raise_on_error=True
    )
    pipeline = PIPELINES[name]
    _suit_to_one_machine(pipeline)
    with log.open("w") as file:
        output = LocalOutput(file)
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                task = pipeline(**arguments)
        except RuntimeError as error:
            raise StackError(
                f"{name} pipeline, task {output.failed_task}",
                expected="a finished task",
                got=output.error or str(error),
                fix=f"mend that and run it again; the whole output is in {log}",
            ) from error
        finally:
            _drop_old_runs(runs)
    outputs = {key: Path(artifact.path) for key, artifact in task.outputs.items()}
    return LocalRun(time.monotonic() - started, outputs)


def _suit_to_one_machine(pipeline: GraphComponent) -> None:
    """Lets a failed task fail at once, and the tasks of a loop run one after another.

    Here nothing flakes, and a person waits for the message; and each task takes all the cores.
    """
    spec = pipeline.pipeline_spec
    for component in (spec.root, *spec.components.values()):
        for task in component.dag.tasks.values():
            task.ClearField("retry_policy")
            if task.HasField("iterator_policy"):
                task.iterator_policy.parallelism_limit = 1


def _drop_old_runs(runs: Path) -> None:
    folders = sorted(
        (path for path in runs.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime
    )
    for folder in folders[:-_KEPT_RUNS]:
        shutil.rmtree(folder)
