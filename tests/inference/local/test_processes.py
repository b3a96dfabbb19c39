import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from inference.local.processes import (
    LocalProcess,
    StepFailedError,
    require_free_port,
    run_step,
)
from stylerec.errors import StackError


def is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_for(condition, timeout_s: float = 5.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def python_process(tmp_path: Path, code: str, **arguments) -> LocalProcess:
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return LocalProcess("example", command, tmp_path / "example.log", os.environ, **arguments)


WITH_CHILD = """
    import subprocess, sys, time
    child = subprocess.Popen(["sleep", "60"])
    print(child.pid, flush=True)
    time.sleep(60)
"""


class TestLocalProcess:
    def test_stops_what_it_started(self, tmp_path: Path) -> None:
        process = python_process(tmp_path, WITH_CHILD)
        process.start()
        assert wait_for(lambda: process.log.read_text().strip() != "")
        child = int(process.log.read_text())
        process.stop()
        assert not process.is_running
        assert wait_for(lambda: not is_alive(child))

    def test_kills_what_does_not_end_when_asked(self, tmp_path: Path) -> None:
        code = """
            import signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("deaf", flush=True)
            time.sleep(60)
        """
        process = python_process(tmp_path, code)
        process.start()
        assert wait_for(lambda: "deaf" in process.log.read_text())
        pid = process.pid
        process.stop(timeout_s=0.2)
        assert wait_for(lambda: not is_alive(pid))

    def test_quotes_the_log_when_the_process_ends_early(self, tmp_path: Path) -> None:
        process = python_process(tmp_path, "import sys; print('no room'); sys.exit(7)")
        process.start()
        with pytest.raises(StackError, match=r"(?s)exit code 7.*no room"):
            process.wait_until(lambda: False, timeout_s=10)

    def test_raises_when_not_ready_in_time(self, tmp_path: Path) -> None:
        process = python_process(tmp_path, "import time; time.sleep(60)")
        process.start()
        with pytest.raises(StackError, match="readiness"):
            process.wait_until(lambda: False, timeout_s=0.2)
        process.stop()

    def test_refuses_a_taken_port(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            process = python_process(tmp_path, "pass", ports=[port])
            with pytest.raises(StackError, match=f"example port {port}: expected a free port"):
                process.start()
            assert not process.is_running
        require_free_port(port, "example")

    def test_raises_when_the_program_is_missing(self, tmp_path: Path) -> None:
        process = LocalProcess("redis", ["/nowhere/redis"], tmp_path / "log", os.environ)
        with pytest.raises(StackError, match="make install"):
            process.start()

    def test_dies_with_a_killed_supervisor(self, tmp_path: Path) -> None:
        code = """
            import os, pathlib, sys, time
            from inference.local.processes import LocalProcess
            log = pathlib.Path(sys.argv[1])
            process = LocalProcess("sleeper", ["sleep", "60"], log, os.environ)
            process.start()
            print(process.pid, flush=True)
            time.sleep(60)
        """
        supervisor = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "log")],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
        )
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait()
        assert wait_for(lambda: not is_alive(child))


class TestRunStep:
    def test_raises_with_the_exit_code(self, tmp_path: Path) -> None:
        command = [sys.executable, "-c", "import sys; sys.exit(3)"]
        with pytest.raises(StepFailedError) as caught:
            run_step(command, folder=tmp_path, environment=os.environ)
        assert caught.value.exit_code == 3

    def test_leaves_no_child_behind(self, tmp_path: Path) -> None:
        code = (
            "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, file=open('pid', 'w'))"
        )
        run_step([sys.executable, "-c", code], folder=tmp_path, environment=os.environ)
        child = int((tmp_path / "pid").read_text())
        assert wait_for(lambda: not is_alive(child))
