"""The process of one trial: what kills it, such as a lack of memory, does not end the search."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from stylerec.aside import written_file_aside
from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError, StackError, StyleRecError
from stylerec.models.checkpoint import run_folder
from stylerec.models.search.study import Proposal, Study, TrialRecord
from stylerec.models.search.trial import failed_trial, run_trial

_PROPOSAL_FILE, _RECORD_FILE, _OUTPUT_FILE = "proposal.json", "record.json", "output.txt"
_ERROR_PREFIX = "error: "
_USER_ERROR_EXIT_CODE = 2
_STOP_GRACE_S = 20.0
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
_EXCEPTION = re.compile(r"^(?:\w+\.)*(\w*(?:Error|Exception|Interrupt))\b")


class TrialProcess:
    """A trial that runs in a process of its own, and goes on where an earlier one was killed.

    Args:
        study: What is searched.
        proposal: The trial.
        prepared: Folder of `PreparedData`.
        folder: The trial's own; made if missing.
        num_cores: Threads that it may compute with; None for the framework's own choice.
        held_open: File descriptors that stay open as long as the process lives.
    """

    def __init__(
        self,
        study: Study,
        proposal: Proposal,
        *,
        prepared: Path,
        folder: Path,
        num_cores: int | None = None,
        held_open: tuple[int, ...] = (),
    ) -> None:
        self.proposal, self.folder = proposal, folder
        self._study, self._began = study, time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)
        with written_file_aside(folder / _PROPOSAL_FILE, error=ReleaseError) as path:
            path.write_text(proposal.model_dump_json())
        words = [study.folder, study.space_name, prepared, folder]
        with (folder / _OUTPUT_FILE).open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, *map(str, words)],
                # Its end of file tells the trial that whoever started it is gone.
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **_threads(num_cores)},
                pass_fds=held_open,
                # Ctrl-C is for the search, which then asks its trials to keep a checkpoint.
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def record(self) -> TrialRecord:
        """Waits for the end and returns the trial's line of the log.

        Raises:
            StackError: The trial ran into what would stop every other one too.
        """
        exit_code = self._process.wait()
        path = self.folder / _RECORD_FILE
        if path.exists():
            return TrialRecord.model_validate_json(path.read_text())
        last_line = self._last_line()
        # The default configuration trains everywhere else: what it cannot bear is not its fault.
        if exit_code == _USER_ERROR_EXIT_CODE or self.proposal.number == 0:
            raise StackError(
                f"trial {self.proposal.number}",
                expected="a trial that trains",
                got=last_line or _ending(exit_code),
                fix="mend that and run the search again; it goes on where it stopped",
            )
        kind = _EXCEPTION.match(last_line)
        return failed_trial(
            self._study,
            self.proposal,
            folder=self.folder,
            began=self._began,
            # Not the whole line: the log is shared and the line may name this machine's folders.
            reason=kind[1] if kind else _ending(exit_code),
        )

    def stop(self) -> None:
        """Ends the process, which may keep a checkpoint first."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_line(self) -> str:
        lines = (self.folder / _OUTPUT_FILE).read_text(errors="replace").strip().splitlines()
        return lines[-1].removeprefix(_ERROR_PREFIX) if lines else ""


def run_in_process(
    study: Study, proposal: Proposal, *, prepared: Path, checkpoints: str = ""
) -> TrialRecord:
    """Returns the line for the log of a trial that ran to its end in a process of its own.

    Args:
        study: What is searched.
        proposal: The trial.
        prepared: Folder of `PreparedData`.
        checkpoints: Folder in which the trial leaves its state when this process is killed, and
            from which it goes on; empty for none.

    Raises:
        StackError: The trial ran into what would stop every other one too.
    """
    name, config = f"trial-{study.space_name}", study.space.config(proposal.parameters)
    with tempfile.TemporaryDirectory() as scratch:
        kept = run_folder(checkpoints, name, config, PreparedData(prepared))
        folder = kept or Path(scratch) / name
        process = TrialProcess(study, proposal, prepared=prepared, folder=folder)
        try:
            record = process.record()
        finally:
            process.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return record


def unfinished_trials(folder: Path) -> list[Proposal]:
    """Returns the trials that were started in the folders below `folder`, by number."""
    proposals = [
        Proposal.model_validate_json(path.read_text())
        for path in folder.glob(f"*/{_PROPOSAL_FILE}")
    ]
    return sorted(proposals, key=lambda proposal: proposal.number)


def _threads(num_cores: int | None) -> dict[str, str]:
    # Threads that spin while they wait take the cores of the trials beside them.
    chosen = {"OMP_WAIT_POLICY": "PASSIVE", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"}
    if num_cores is not None:
        chosen |= dict.fromkeys(_THREAD_VARIABLES, str(num_cores))
    return chosen


def _ending(exit_code: int) -> str:
    if exit_code >= 0:
        return f"exit code {exit_code}"
    return f"signal {signal.Signals(-exit_code).name}"


def _end_with_parent() -> None:
    # Not through sys.stdin: its lock, held by this thread, would fail the interpreter's shutdown.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main(words: list[str]) -> int:
    """Runs the trial whose proposal lies in its folder, and returns the exit code.

    Args:
        words: Folder of the study, name of its space, prepared folder, folder of the trial.
    """
    study_folder, space, prepared, folder = words
    if (Path(folder) / _RECORD_FILE).exists():
        # The search was killed after the trial's end and before it knew.
        return 0
    threading.Thread(target=_end_with_parent, daemon=True).start()
    proposal = Proposal.model_validate_json((Path(folder) / _PROPOSAL_FILE).read_text())
    study = Study(Path(study_folder), space)
    try:
        record = run_trial(study, proposal, prepared=Path(prepared), folder=Path(folder))
        with written_file_aside(Path(folder) / _RECORD_FILE, error=ReleaseError) as path:
            path.write_text(record.model_dump_json())
    except StyleRecError as error:
        print(f"{_ERROR_PREFIX}{error}", flush=True)
        return _USER_ERROR_EXIT_CODE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
