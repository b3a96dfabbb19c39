import io

import pytest
from rich.console import Console

from stylerec.models.progress import TrainingProgress
from stylerec.models.records import EpochRecord

RECORD = EpochRecord(
    epoch=2, loss=3.25, validation_ndcg_at_10=0.0512, examples_per_s=1_234.5, seconds=30.0
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class TestTrainingProgress:
    def test_says_one_line_per_epoch(self) -> None:
        lines: list[str] = []
        with TrainingProgress("ranking", num_epochs=10, progress=lines.append) as progress:
            progress.start_epoch(2, num_examples=100)
            progress.step(100, loss=3.0)
            progress.end_epoch(RECORD, best_epoch=1)
        # 8 epochs of 30 s are 240 s.
        assert lines == [
            "ranking: epoch 2 of 10, loss 3.2500, validation NDCG@10 0.0512 (best: epoch 1), "
            "1,234 examples/s, at most 4 min left"
        ]

    def test_hands_on_each_epochs_record(self) -> None:
        records: list[EpochRecord] = []
        with TrainingProgress(
            "m", num_epochs=2, progress=lambda line: None, on_epoch=records.append
        ) as progress:
            progress.end_epoch(RECORD, best_epoch=1)
        assert records == [RECORD]

    def test_says_at_most_one_line_per_ten_seconds_within_an_epoch(self) -> None:
        lines: list[str] = []
        clock = Clock()
        with TrainingProgress(
            "next_item", num_epochs=2, progress=lines.append, clock=clock
        ) as progress:
            progress.start_epoch(1, num_examples=1_000)
            for second in range(1, 26):
                clock.now = float(second)
                progress.step(10, loss=2.0)
        # 10 examples/s: after 10 s 900 examples of this epoch and 1,000 of the next are left.
        assert lines == [
            "next_item: epoch 1 of 2, 10%, loss 2.0000, 10 examples/s, at most 3 min left",
            "next_item: epoch 1 of 2, 20%, loss 2.0000, 10 examples/s, at most 3 min left",
        ]

    def test_what_was_done_before_does_not_count_as_speed(self) -> None:
        lines: list[str] = []
        clock = Clock()
        with TrainingProgress("m", num_epochs=1, progress=lines.append, clock=clock) as progress:
            progress.start_epoch(1, num_examples=1_000, num_done=500)
            clock.now = 10.0
            progress.step(100, loss=2.0)
        # 100 examples in 10 s; 400 are left.
        assert lines == ["m: epoch 1 of 1, 60%, loss 2.0000, 10 examples/s, at most 40 s left"]

    def test_draws_a_bar_on_a_terminal(self, capsys: pytest.CaptureFixture[str]) -> None:
        screen = io.StringIO()
        console = Console(file=screen, force_terminal=True, width=120)
        with TrainingProgress("next_item", num_epochs=10, console=console) as progress:
            progress.start_epoch(2, num_examples=100)
            progress.step(50, loss=3.5)
            progress._bar.refresh()
            progress.end_epoch(RECORD, best_epoch=2)
            progress.say("something else")
        text = screen.getvalue()
        for part in ("━", "50%", "loss 3.5000", "examples/s", "left", "validation NDCG@10 0.0512"):
            assert part in text
        assert "something else\n" in text
        assert capsys.readouterr().out == ""

    def test_prints_plain_lines_where_there_is_no_terminal(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with TrainingProgress("next_item", num_epochs=10) as progress:
            progress.start_epoch(2, num_examples=100)
            progress.end_epoch(RECORD, best_epoch=2)
            progress.say("something else")
        first, second = capsys.readouterr().out.splitlines()
        assert first.startswith("next_item: epoch 2 of 10, loss")
        assert second == "something else"

    def test_a_callable_gets_lines_on_a_terminal_too(self) -> None:
        lines: list[str] = []
        screen = io.StringIO()
        console = Console(file=screen, force_terminal=True)
        with TrainingProgress(
            "m", num_epochs=3, progress=lines.append, console=console
        ) as progress:
            progress.start_epoch(2, num_examples=1)
            progress.end_epoch(RECORD, best_epoch=2)
        assert len(lines) == 1
        assert screen.getvalue() == ""
