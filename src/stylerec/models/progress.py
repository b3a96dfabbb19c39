"""How far training is: a bar with loss, throughput and time left on a terminal, else lines."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from stylerec.models.records import EpochRecord

LINE_INTERVAL_S = 10.0
"""Within an epoch at most one line per this time."""


class TrainingProgress:
    """Reports one training run; use it as a context manager.

    Args:
        model: Name in front of each line.
        num_epochs: Epochs at most.
        progress: Takes one line per epoch, and one per ten seconds within long epochs. On a
            terminal the default, `print`, becomes a bar with the epochs' lines above it.
        on_epoch: Takes each finished epoch's record; what it raises ends the training.
        console: Where the bar would be drawn; the process's standard output.
        clock: Seconds that only ever rise.
    """

    def __init__(
        self,
        model: str,
        *,
        num_epochs: int,
        progress: Callable[[str], None] = print,
        on_epoch: Callable[[EpochRecord], None] | None = None,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model, self._num_epochs = model, num_epochs
        self._progress, self._on_epoch, self._clock = progress, on_epoch, clock
        console = console or Console(file=sys.stdout)
        is_bar = progress is print and console.is_terminal
        self._bar = _bar(console) if is_bar else None
        self._task: TaskID | None = None
        self._epoch = 0
        self._num_examples = self._num_done = self._num_skipped = 0
        self._loss = 0.0
        self._began = self._last_line = clock()

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task(self._model, where="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def say(self, line: str) -> None:
        """Reports a line of its own, above the bar if there is one."""
        if self._bar:
            self._bar.console.print(line, highlight=False, markup=False, soft_wrap=True)
        else:
            self._progress(line)

    def start_epoch(self, epoch: int, *, num_examples: int, num_done: int = 0) -> None:
        """Begins an epoch.

        Args:
            epoch: From 1.
            num_examples: Examples that it will train on.
            num_done: Of these already trained on, where a run goes on within an epoch.
        """
        self._epoch, self._num_examples = epoch, num_examples
        self._num_done = self._num_skipped = num_done
        self._began = self._last_line = self._clock()
        self._show()

    def step(self, num_examples: int, *, loss: float) -> None:
        """Counts one step.

        Args:
            num_examples: Examples of the step.
            loss: Mean loss of the epoch so far.
        """
        self._num_done += num_examples
        self._loss = loss
        self._show()
        if not self._bar and self._clock() - self._last_line >= LINE_INTERVAL_S:
            self._last_line = self._clock()
            self._progress(f"{self._model}: {self._where()}")

    def end_epoch(self, record: EpochRecord, *, best_epoch: int) -> None:
        """Reports a finished epoch.

        Args:
            record: What it did.
            best_epoch: The best one so far.
        """
        # The last epoch's pace: the first one, with its compiling and caching, says too much.
        left_s = (self._num_epochs - record.epoch) * record.seconds
        self.say(
            f"{self._model}: epoch {record.epoch} of {self._num_epochs}, loss {record.loss:.4f}, "
            f"validation NDCG@10 {record.validation_ndcg_at_10:.4f} (best: epoch {best_epoch}), "
            f"{record.examples_per_s:,.0f} examples/s, at most {duration(left_s)} left"
        )
        if self._on_epoch:
            self._on_epoch(record)

    def _show(self) -> None:
        if self._bar and self._task is not None:
            self._bar.update(
                self._task,
                total=max(1, self._num_examples),
                completed=self._num_done,
                where=self._where(),
            )

    def _where(self) -> str:
        elapsed = self._clock() - self._began
        trained = self._num_done - self._num_skipped
        share = self._num_done / max(1, self._num_examples)
        where = f"epoch {self._epoch} of {self._num_epochs}, {share:.0%}"
        if not trained or elapsed <= 0:
            return where
        speed = trained / elapsed
        later = (self._num_epochs - self._epoch) * self._num_examples
        left_s = (self._num_examples - self._num_done + later) / speed
        return (
            f"{where}, loss {self._loss:.4f}, {speed:,.0f} examples/s, "
            f"at most {duration(left_s)} left"
        )


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[where]}"),
        console=console,
        transient=True,
        refresh_per_second=4,
    )


def duration(seconds: float) -> str:
    """Returns `42 s`, `3 min` or `1 h 20 min`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
