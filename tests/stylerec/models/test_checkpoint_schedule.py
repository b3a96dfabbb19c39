import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from stylerec.errors import ReleaseError
from stylerec.models.checkpoint import Checkpoint, read_checkpoint
from stylerec.models.checkpoint_schedule import TERMINATED_EXIT_CODE, CheckpointSchedule


def numbered(number: int) -> Checkpoint:
    return Checkpoint({"weights": np.array([number])}, {"number": number})


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def schedule(tmp_path: Path, clock: Clock, lines: list[str]) -> CheckpointSchedule:
    return CheckpointSchedule(
        tmp_path / "run", fingerprint="f", interval_s=60, progress=lines.append, clock=clock
    )


class TestAfterStep:
    def test_writes_once_per_interval(
        self, schedule: CheckpointSchedule, clock: Clock, tmp_path: Path
    ) -> None:
        found = []
        for second in (10, 59, 60, 61, 119, 125):
            clock.now = second
            schedule.after_step(lambda second=second: numbered(second))
            checkpoint = read_checkpoint(tmp_path / "run", fingerprint="f")
            found.append(checkpoint.state["number"] if checkpoint else None)
        assert found == [None, None, 60, 60, 60, 125]

    def test_never_asks_for_a_checkpoint_without_a_folder(self, clock: Clock) -> None:
        schedule = CheckpointSchedule(None, fingerprint="f", clock=clock)
        clock.now = 10_000
        schedule.after_step(lambda: pytest.fail("there is no folder"))
        schedule.write(numbered(1))
        schedule.discard()
        assert schedule.read() is None

    def test_a_checkpoint_that_cannot_be_written_is_reported_once(
        self, schedule: CheckpointSchedule, clock: Clock, lines: list[str], tmp_path: Path
    ) -> None:
        (tmp_path / "run").write_text("a file where the folder should be")
        for minute in range(1, 5):
            clock.now = 60 * minute
            schedule.after_step(lambda: numbered(1))
        (line,) = lines
        assert line.startswith("training goes on without a new checkpoint: ")
        assert "expected room and permission" in line
        (tmp_path / "run").unlink()
        schedule.write(numbered(2))
        (found,) = [schedule.read()]
        assert found is not None
        assert found.state == {"number": 2}


class TestSettle:
    """Processes that train together agree first; one of them writes."""

    @pytest.mark.parametrize("is_writer", [True, False])
    def test_one_writes_and_all_end(self, tmp_path: Path, clock: Clock, is_writer: bool) -> None:
        schedule = CheckpointSchedule(
            tmp_path / "run", fingerprint="f", is_writer=is_writer, clock=clock
        )
        clock.now = 10_000
        assert schedule.is_due == is_writer
        made = []

        def make() -> Checkpoint:
            made.append(1)
            return numbered(1)

        schedule.settle(make, is_due=False, is_stopping=False)
        assert made == []
        with pytest.raises(SystemExit):
            schedule.settle(make, is_due=True, is_stopping=True)
        assert made == [1]
        assert (schedule.read() is not None) == is_writer
        schedule.discard()
        assert not (tmp_path / "run").exists()

    def test_others_leave_the_writers_checkpoint(self, tmp_path: Path) -> None:
        CheckpointSchedule(tmp_path / "run", fingerprint="f").write(numbered(1))
        CheckpointSchedule(tmp_path / "run", fingerprint="f", is_writer=False).discard()
        assert (tmp_path / "run").exists()


class TestRead:
    def test_raises_for_another_run(self, schedule: CheckpointSchedule, tmp_path: Path) -> None:
        schedule.write(numbered(1))
        with pytest.raises(ReleaseError, match="another config"):
            CheckpointSchedule(tmp_path / "run", fingerprint="g").read()


class TestSigterm:
    def test_writes_a_checkpoint_and_exits(self, schedule: CheckpointSchedule) -> None:
        before = signal.getsignal(signal.SIGTERM)
        steps = []

        def run() -> None:
            with schedule:
                for step in range(10):
                    if step == 3:
                        os.kill(os.getpid(), signal.SIGTERM)
                    steps.append(step)
                    schedule.after_step(lambda step=step: numbered(step))

        with pytest.raises(SystemExit) as stopped:
            run()
        # 128 + 15, as a shell says of a process that SIGTERM ended.
        assert stopped.value.code == TERMINATED_EXIT_CODE == 143
        assert steps == [0, 1, 2, 3]
        found = schedule.read()
        assert found is not None
        assert found.state == {"number": 3}
        assert signal.getsignal(signal.SIGTERM) == before

    def test_is_left_alone_without_a_folder(self) -> None:
        before = signal.getsignal(signal.SIGTERM)
        with CheckpointSchedule(None, fingerprint="f"):
            assert signal.getsignal(signal.SIGTERM) == before

    def test_is_left_alone_in_other_threads(self, schedule: CheckpointSchedule) -> None:
        def run() -> None:
            with schedule:
                schedule.write(numbered(1))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        assert schedule.read() is not None
