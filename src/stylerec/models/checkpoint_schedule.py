"""When a training run writes its checkpoint, and what happens where it cannot."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from stylerec.errors import ReleaseError
from stylerec.models.checkpoint import (
    Checkpoint,
    discard_checkpoint,
    read_checkpoint,
    write_checkpoint,
)

CHECKPOINT_INTERVAL_S = 60.0
TERMINATED_EXIT_CODE = 128 + signal.SIGTERM


class CheckpointSchedule:
    """Keeps the checkpoint of one run, at most one per interval; use it as a context manager.

    Inside the context SIGTERM, which Kubernetes sends before it takes a node away, no longer ends
    the process at once: the next step boundary writes a checkpoint and then exits with 143. Without
    a folder nothing is kept and SIGTERM ends the process as ever.

    Args:
        folder: Where the checkpoint is kept, or None for a run that cannot be resumed.
        fingerprint: Of the run, see `run_fingerprint`.
        interval_s: Seconds between two checkpoints.
        progress: Is told, once, when a checkpoint cannot be written; training goes on.
        is_writer: False in all but one of the processes that train together: these end on SIGTERM
            together with the one that writes.
        clock: Seconds that only ever rise.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        fingerprint: str,
        interval_s: float = CHECKPOINT_INTERVAL_S,
        progress: Callable[[str], None] = print,
        is_writer: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._fingerprint, self._is_writer = folder, fingerprint, is_writer
        self._interval_s, self._progress, self._clock = interval_s, progress, clock
        self._last = clock()
        self._is_stopping = False
        self._has_reported = False
        self._handler_before: Any = None

    def __enter__(self) -> Self:
        # Python lets only the main thread handle signals.
        if self._folder and threading.current_thread() is threading.main_thread():
            self._handler_before = signal.signal(signal.SIGTERM, self._ask_to_stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handler_before is not None:
            signal.signal(signal.SIGTERM, self._handler_before)
            self._handler_before = None

    @property
    def is_stopping(self) -> bool:
        """Whether the process was asked to end."""
        return self._is_stopping

    @property
    def is_due(self) -> bool:
        """Whether the next step boundary should write a checkpoint."""
        if self._folder is None:
            return False
        is_time = self._is_writer and self._clock() - self._last >= self._interval_s
        return self._is_stopping or is_time

    def read(self) -> Checkpoint | None:
        """Returns the checkpoint to go on from, or None to start.

        Raises:
            ReleaseError: It is damaged or belongs to another config or data.
        """
        if self._folder is None:
            return None
        return read_checkpoint(self._folder, fingerprint=self._fingerprint)

    def after_step(self, make: Callable[[], Checkpoint]) -> None:
        """Writes a checkpoint if one is due; call it at each step boundary.

        Args:
            make: Returns the run's state; called only when it is written.

        Raises:
            SystemExit: The process was asked to end; its checkpoint is written.
        """
        self.settle(make, is_due=self.is_due, is_stopping=self._is_stopping)

    def settle(self, make: Callable[[], Checkpoint], *, is_due: bool, is_stopping: bool) -> None:
        """Does what `after_step` does, for processes that have agreed on what is to be done.

        Args:
            make: Returns the run's state; called in every process when a checkpoint is due.
            is_due: Whether any of them is due.
            is_stopping: Whether any of them was asked to end.

        Raises:
            SystemExit: One was asked to end; its checkpoint is written.
        """
        if is_due:
            self.write(make())
        if is_stopping:
            raise SystemExit(TERMINATED_EXIT_CODE)

    def write(self, checkpoint: Checkpoint) -> None:
        """Writes a checkpoint now; that it cannot is reported once and is no reason to stop."""
        if self._folder is None or not self._is_writer:
            return
        try:
            write_checkpoint(self._folder, checkpoint, fingerprint=self._fingerprint)
            self._has_reported = False
        except ReleaseError as error:
            if not self._has_reported:
                self._progress(f"training goes on without a new checkpoint: {error}")
            self._has_reported = True
        # Counted from the end, so that slow storage cannot eat all of the time.
        self._last = self._clock()

    def discard(self) -> None:
        """Removes the checkpoint of a finished run."""
        if self._folder is not None and self._is_writer:
            discard_checkpoint(self._folder)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True
