"""A whole search on this machine: trials side by side, within a budget, resumable."""

import contextlib
import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stylerec.errors import StackError
from stylerec.models.progress import duration
from stylerec.models.search.proposals import propose
from stylerec.models.search.study import Proposal, Study, TrialRecord
from stylerec.models.search.worker import TrialProcess, unfinished_trials

_POLL_S = 0.05
_LOCK_PATIENCE_S = 30.0


@dataclass(frozen=True)
class Budget:
    """How much a search may cost.

    Attributes:
        num_trials: Trials in the log at the end, those of earlier runs included.
        minutes: After these no trial starts; those that run may end. None for no limit.
    """

    num_trials: int
    minutes: float | None = None


def run_search(
    study: Study,
    *,
    prepared: Path,
    budget: Budget,
    num_cores: int,
    num_parallel: int = 1,
    progress: Callable[[str], None] = print,
) -> TrialRecord:
    """Runs trials until the budget is spent and returns the best of the whole log.

    A search that was killed goes on: trials that have ended are in the log, those that were running
    start again, from their checkpoints where they have them.

    Args:
        study: What is searched; started.
        prepared: Folder of `PreparedData`.
        budget: When to stop.
        num_cores: Shared evenly among the trials that run side by side.
        num_parallel: Trials side by side.
        progress: Gets a line when a trial starts and when it ends.

    Raises:
        ConfigError: No trial could train.
        StackError: The default configuration could not train, or another search runs here.
    """
    with _locked(study.description_path) as lock:
        search = _Search(study, prepared, budget, progress)
        search.run(num_parallel, num_cores=max(1, num_cores // num_parallel), lock=lock)
    return study.chosen


class _Search:
    """The trials of one run of a search."""

    def __init__(
        self, study: Study, prepared: Path, budget: Budget, progress: Callable[[str], None]
    ) -> None:
        self._study, self._prepared, self._progress = study, prepared, progress
        self._num_trials = budget.num_trials
        self._folder = study.folder / f"{study.space_name}.trials"
        self._began = time.monotonic()
        limit_s = float("inf") if budget.minutes is None else 60.0 * budget.minutes
        self._deadline = self._began + limit_s
        self._records = study.records
        self._interrupted = self._interrupted_trials()
        self._running: list[TrialProcess] = []
        self._seconds: list[float] = []
        """Of the trials that ended in this run."""

    def run(self, num_parallel: int, *, num_cores: int, lock: int) -> None:
        if self._records:
            self._progress(f"going on after {len(self._records)} trials")
        try:
            while True:
                while len(self._running) < num_parallel and self._may_start():
                    self._start(num_cores, lock)
                if not self._running:
                    break
                time.sleep(_POLL_S)
                for trial in [each for each in self._running if not each.is_running]:
                    self._take(trial, num_parallel)
        finally:
            for trial in self._running:
                trial.stop()
        # Stays where the time was up before every interrupted trial had started again.
        with contextlib.suppress(OSError):
            self._folder.rmdir()

    def _interrupted_trials(self) -> list[Proposal]:
        """Returns the trials that a killed search had started, and removes what else it left."""
        ended = {record.number for record in self._records}
        trials = [each for each in unfinished_trials(self._folder) if each.number not in ended]
        kept = {str(trial.number) for trial in trials}
        for folder in self._folder.glob("*"):
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        return trials

    def _may_start(self) -> bool:
        is_wanted = len(self._records) + len(self._running) < self._num_trials
        return is_wanted and time.monotonic() < self._deadline

    def _start(self, num_cores: int, lock: int) -> None:
        running = [trial.proposal for trial in self._running]
        if self._interrupted:
            proposal = self._interrupted.pop(0)
        else:
            proposal = propose(self._study.description, self._records, running=running)
        values = ", ".join(f"{name} {value}" for name, value in proposal.parameters.items())
        self._progress(f"trial {proposal.number} starts: {values}")
        self._running.append(
            TrialProcess(
                self._study,
                proposal,
                prepared=self._prepared,
                folder=self._folder / str(proposal.number),
                num_cores=num_cores,
                held_open=(lock,),
            )
        )

    def _take(self, trial: TrialProcess, num_parallel: int) -> None:
        record = trial.record()
        self._running.remove(trial)
        self._study.append(record)
        self._records.append(record)
        self._seconds.append(record.seconds)
        shutil.rmtree(trial.folder, ignore_errors=True)
        self._progress(self._line(record, num_parallel))

    def _line(self, record: TrialRecord, num_parallel: int) -> str:
        outcome = {
            "complete": f"NDCG@10 {record.value:.4f}" if record.value is not None else "",
            "pruned": "given up, behind the others",
            "failed": f"failed, {record.reason}",
        }[record.state]
        best = self._study.best
        standing = f"best {best.value:.4f} of trial {best.number}" if best else "none complete yet"
        num_left = self._num_trials - len(self._records)
        mean_s = sum(self._seconds) / len(self._seconds)
        left_s = min(num_left * mean_s / num_parallel, self._deadline - time.monotonic())
        return (
            f"trial {record.number}: {outcome} after {record.epochs} epochs in "
            f"{record.seconds:.0f} s; {standing}; {len(self._records)} of {self._num_trials} "
            f"trials, about {duration(max(0.0, left_s))} left"
        )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Keeps other searches away from a study for as long as this process or its trials live.

    Yields:
        The descriptor that holds the lock; a trial that outlives a killed search holds it too.
    """
    give_up = time.monotonic() + _LOCK_PATIENCE_S
    with path.open() as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > give_up:
                    raise StackError(
                        str(path),
                        expected="one search at a time",
                        got="another that is still running",
                        fix="wait for its end or stop it",
                    ) from error
                time.sleep(_POLL_S)
        yield file.fileno()
