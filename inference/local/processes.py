"""Starts, watches and stops one local process; nothing it starts outlives it."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stylerec.errors import StackError

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_POLL_S = 0.05
_LOG_TAIL_CHARACTERS = 600


@dataclass
class LocalProcess:
    """A child process in a process group of its own, with its output in a log file.

    Attributes:
        name: What messages call it.
        command: Program and arguments.
        log: File that takes stdout and stderr.
        environment: The child's whole environment.
        ports: Loopback ports that it will listen on; each must be free before it starts.
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    ports: Sequence[int] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def pid(self) -> int | None:
        """Process id while it runs, else None."""
        return self._process.pid if self.is_running else None

    @property
    def is_running(self) -> bool:
        """True from start until the process has ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts the process.

        Raises:
            StackError: A port is taken, or the program is not there.
        """
        for port in self.ports:
            require_free_port(port, self.name)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self.log.open("wb") as log:
                self._process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=dict(self.environment),
                    start_new_session=True,
                    preexec_fn=_die_with_parent,
                )
        except FileNotFoundError as error:
            raise StackError(
                self.name,
                expected=f"the program {self.command[0]}",
                got="no such file",
                fix="run `make install`",
            ) from error

    def wait_until(self, is_ready: Callable[[], bool], *, timeout_s: float) -> None:
        """Waits until `is_ready()` is true.

        Raises:
            StackError: The process ended, or was not ready in time; quotes the end of its log.
        """
        deadline = time.monotonic() + timeout_s
        while not is_ready():
            if not self.is_running:
                code = self._process.returncode if self._process else None
                raise self._failure("a running process", f"exit code {code}")
            if time.monotonic() > deadline:
                raise self._failure(f"readiness within {timeout_s:.0f} s", "none")
            time.sleep(_POLL_S)

    def stop(self, *, timeout_s: float = 15.0) -> None:
        """Asks the process to end, kills its group after `timeout_s`, and waits for its end."""
        if self._process is None:
            return
        if self.is_running:
            self._process.terminate()
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.signal_group(signal.SIGKILL)
                self._process.wait()
        # Helpers of the process (Triton's Python stubs) end with their group.
        self.signal_group(signal.SIGKILL)
        self._process = None

    def signal_group(self, number: signal.Signals) -> None:
        """Sends a signal to the process and everything that it started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _failure(self, expected: str, got: str) -> StackError:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        tail = text[-_LOG_TAIL_CHARACTERS:].strip()
        return StackError(
            self.name, expected=expected, got=got, fix=f"see {self.log}, which ends:\n{tail}"
        )


class StepFailedError(Exception):
    """A step that ran in a process of its own failed, and has said why.

    Attributes:
        exit_code: What to end with, never 0.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code if exit_code > 0 else 1


def run_step(command: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> None:
    """Runs a command to its end with this terminal as its own; nothing it starts outlives it.

    Raises:
        StepFailedError: It ended with another exit code than 0.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env=dict(environment),
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )
    try:
        exit_code = process.wait()
    finally:
        # The tasks of an interrupted pipeline are in its group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if exit_code != 0:
        raise StepFailedError(exit_code)


def require_free_port(port: int, name: str) -> None:
    """Raises StackError if something listens on a loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StackError(
                f"{name} port {port}",
                expected="a free port",
                got="one that is already taken",
                fix=f"stop what listens there (`ss -ltnp 'sport = :{port}'`) or choose another "
                "with STYLEREC_REDIS_PORT, STYLEREC_TRITON_HTTP_PORT, STYLEREC_TRITON_GRPC_PORT, "
                "STYLEREC_TRITON_METRICS_PORT, STYLEREC_HTTP_PORT or STYLEREC_GRPC_PORT",
            ) from error


def _die_with_parent() -> None:
    # A killed supervisor cannot stop its children, so the kernel does.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
