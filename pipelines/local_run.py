"""Runs the training pipeline on this machine, each task a subprocess of its own."""

import contextlib
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from kfp import local

from pipelines.local_output import LocalOutput
from pipelines.training import training
from stylerec.errors import StackError

_KEPT_RUNS = 2
_TASK_ENVIRONMENT = {
    # Threads that spin while they wait stop a training that shares its cores with the stack.
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONUNBUFFERED": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "",
    "FEAST_USAGE": "False",
}


def run_training(arguments: Mapping[str, str], *, runs: Path) -> float:
    """Runs the pipeline to its end, showing each task's name and progress lines.

    Args:
        arguments: Parameters of `pipelines.training.training`.
        runs: Folder for the runs' artifacts; the newest two are kept.

    Returns:
        The run's duration in seconds.

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
    _drop_retries()
    with log.open("w") as file:
        output = LocalOutput(file)
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                training(**arguments)
        except RuntimeError as error:
            raise StackError(
                f"training pipeline, task {output.failed_task}",
                expected="a finished task",
                got=output.error or str(error),
                fix=f"mend that and run it again; the whole output is in {log}",
            ) from error
        finally:
            _drop_old_runs(runs)
    return time.monotonic() - started


def _drop_retries() -> None:
    """Lets a failed task fail at once: here nothing flakes, and a person waits for the message."""
    for component in training.pipeline_spec.components.values():
        for task in component.dag.tasks.values():
            task.ClearField("retry_policy")


def _drop_old_runs(runs: Path) -> None:
    folders = sorted(
        (path for path in runs.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime
    )
    for folder in folders[:-_KEPT_RUNS]:
        shutil.rmtree(folder)
