"""The three services together: started in order, stopped in reverse, watched in between."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from inference.local.processes import LocalProcess
from inference.local.services import (
    is_redis_ready,
    is_transformer_ready,
    is_triton_ready,
    redis_process,
    transformer_process,
    triton_process,
)
from stylerec.settings import Settings

_START_TIMEOUT_S = 60.0


class LocalStack:
    """Redis, Triton and the routing transformer; a context manager that leaves nothing running.

    Args:
        settings: Ports and folders of the three.
        run: Folder for their logs.
        progress: Called with a line when a service starts and when it is ready.
    """

    def __init__(
        self, settings: Settings, *, run: Path, progress: Callable[[str], None] = print
    ) -> None:
        self.settings = settings
        self._run = run
        self._progress = progress
        self.processes: dict[str, LocalProcess] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start_stores(self) -> None:
        """Starts Redis and Triton, which the pipeline's last steps need.

        Raises:
            StackError: A service is missing, cannot start, or its port is taken.
        """
        self._start(redis_process(self.settings, self._run), is_redis_ready)
        self._start(triton_process(self.settings, self._run), is_triton_ready)

    def start_transformer(self) -> None:
        """Starts the routing transformer and waits until it is ready to answer.

        Raises:
            StackError: It cannot start, or does not become ready.
        """
        self._start(transformer_process(self.settings, self._run), is_transformer_ready)

    def stop(self) -> None:
        """Stops everything that was started, last first."""
        for process in reversed(list(self.processes.values())):
            process.stop()
        self.processes.clear()

    def _start(self, process: LocalProcess, is_ready: Callable[[Settings], bool]) -> None:
        self._progress(f"starting {process.name} on port {process.ports[0]}")
        process.start()
        # Registered before it is ready, so that a failed start is stopped as well.
        self.processes[process.name] = process
        process.wait_until(lambda: is_ready(self.settings), timeout_s=_START_TIMEOUT_S)
