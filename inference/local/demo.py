"""From tables to REST answers on this machine: generate, train, serve, ask, stop."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from inference.local.calls import RecommenderClient, show_answers
from inference.local.processes import run_step
from inference.local.sample import Sample
from inference.local.services import REPOSITORY_ROOT
from inference.local.stack import LocalStack
from inference.local.workspace import Workspace, open_workspace
from stylerec.errors import StackError
from stylerec.release.store import Release, open_release, read_pointer

_WATCH_INTERVAL_S = 0.5
_PLAIN_WIDTH = 160


class Interrupted(Exception):
    """The person, or the system, asked the stack to stop."""


def demo(data: Path | None) -> None:
    """Trains on the tables, sends one call per touchpoint, prints the answers, stops everything.

    Args:
        data: Folder of canonical tables, None for the synthetic retailer.

    Raises:
        StyleRecError: Something is missing, taken or wrong; the message says what and the fix.
        StepFailedError: A step failed and has already said why.
    """
    say = _Progress()
    workspace = open_workspace(data)
    with (
        _interruptible(),
        LocalStack(workspace.settings, run=workspace.logs, progress=say) as stack,
    ):
        _train(workspace, stack, say)
        stack.start_transformer()
        _show(workspace)
        say("stopping everything")
    say("done; `make serve` leaves it running")


def serve(data: Path | None) -> None:
    """Leaves the stack up until it is interrupted; trains first where nothing is published yet.

    Args:
        data: Folder of canonical tables, None for the synthetic retailer.

    Raises:
        StyleRecError: Something is missing, taken or wrong, or a process ended by itself.
        StepFailedError: A step failed and has already said why.
    """
    say = _Progress()
    workspace = open_workspace(data)
    try:
        with (
            _interruptible(),
            LocalStack(workspace.settings, run=workspace.logs, progress=say) as stack,
        ):
            if read_pointer(workspace.settings.release_uri) is None:
                _train(workspace, stack, say)
            else:
                stack.start_stores()
            stack.start_transformer()
            _print_curl_lines(workspace)
            _watch(stack)
    except Interrupted:
        say("stopped; nothing is left running")


def _train(workspace: Workspace, stack: LocalStack, say: Callable[[str], None]) -> None:
    commands = Path(sys.executable).parent
    if workspace.is_synthetic:
        say("generating the synthetic retailer")
        # Its last day is today, so that histories are fresh when they are served.
        end = f"{datetime.now(UTC):%Y-%m-%d}"
        _run(workspace, [commands / "stylerec", "generate", workspace.tables, "--end", end])
    stack.start_stores()
    say("running the training pipeline; every task is a subprocess (kfp.local)")
    run = [sys.executable, "-m", "pipelines", "run", workspace.tables, "--runs", workspace.runs]
    _run(workspace, run)


def _run(workspace: Workspace, command: Sequence[str | Path]) -> None:
    """Runs a step in a process of its own; it prints its progress and its own errors."""
    overrides = workspace.settings.environment()
    run_step(
        [str(part) for part in command],
        folder=REPOSITORY_ROOT,
        environment={**os.environ, **overrides, "PYTHONPATH": str(REPOSITORY_ROOT)},
    )


def _show(workspace: Workspace) -> None:
    # Wide enough for a line per answer where the output is no terminal.
    console = Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
    release = _release(workspace)
    sample = Sample(workspace, release)
    client = RecommenderClient(workspace.settings.http_port)
    requests = sample.requests()
    for request in requests:
        client.recommend(request)  # the second call shows a running system's time
    answers = [client.recommend(request) for request in requests]
    show_answers(answers, title=sample.title, console=console)
    for branch, reason in release.manifest.omitted.items():
        console.print(f"left out: {branch} ({reason})", markup=False)

    interaction = sample.interaction()
    client.post_interaction(interaction)
    fresh = client.recommend({"touchpoint": "for-you", "customer_id": interaction["customer_id"]})
    age = fresh.prediction["history_age_s"]
    console.print(f"an interaction posted just now is in the next request: history_age_s {age}")


def _print_curl_lines(workspace: Workspace) -> None:
    sample = Sample(workspace, _release(workspace))
    client = RecommenderClient(workspace.settings.http_port)
    print("\nTry:\n")
    for request in sample.requests():
        print(client.curl("recommender", request) + "\n")
    print(client.curl("interactions", sample.interaction()) + "\n")
    print("Ctrl-C stops all of it.", flush=True)


def _release(workspace: Workspace) -> Release:
    uri = workspace.settings.release_uri
    pointer = read_pointer(uri)
    assert pointer is not None, "the transformer is ready, so something is published"
    return open_release(uri, pointer.release_id, cache=workspace.folder / "release_cache")


def _watch(stack: LocalStack) -> None:
    """Waits until interrupted, or until a process ends by itself."""
    while True:
        for process in stack.processes.values():
            if not process.is_running:
                raise StackError(
                    process.name,
                    expected="a running process",
                    got="one that ended",
                    fix=f"see {process.log}, then run `make serve` again",
                )
        time.sleep(_WATCH_INTERVAL_S)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Turns Ctrl-C, a hang-up and a polite kill into `Interrupted`, so that all is stopped."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        # A second Ctrl-C must not cut the stopping short.
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.signal(each, interrupt) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class _Progress:
    """Prints lines with the time since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __call__(self, line: str) -> None:
        print(f"[{time.monotonic() - self._started:4.0f} s] {line}", flush=True)
