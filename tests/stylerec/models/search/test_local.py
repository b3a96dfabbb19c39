import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stylerec.errors import ConfigError, StackError
from stylerec.models.search.local import Budget, run_search
from stylerec.models.search.study import Study, TrialRecord

SEARCH = """
import sys
from pathlib import Path
from stylerec.models.search.local import Budget, run_search
from stylerec.models.search.study import Study
folder, prepared, trials = sys.argv[1:]
study = Study(Path(folder), "toy")
run_search(study, prepared=Path(prepared), budget=Budget(int(trials)), num_cores=2, num_parallel=2)
"""


def _search(
    study: Study, prepared: Path, *, trials: int, parallel: int = 1, minutes: float | None = None
) -> tuple[TrialRecord, list[str]]:
    lines: list[str] = []
    best = run_search(
        study,
        prepared=prepared,
        budget=Budget(trials, minutes),
        num_cores=parallel,
        num_parallel=parallel,
        progress=lines.append,
    )
    return best, lines


def _without_time(records: list[TrialRecord]) -> list[TrialRecord]:
    return [record.model_copy(update={"seconds": 0.0}) for record in records]


class TestRunSearch:
    def test_ends_with_the_best_of_all_trials(self, toy, study: Study, prepared: Path) -> None:
        best, lines = _search(study, prepared, trials=4)
        records = study.records
        assert [record.number for record in records] == [0, 1, 2, 3]
        assert records[0].parameters["x"] == 0.5
        complete = [record.value for record in records if record.state == "complete"]
        assert best.value == max(complete) == toy.value(best.parameters["x"])
        assert best.value >= toy.value(0.5)
        assert json.loads(study.config_path.read_text())["x"] == best.parameters["x"]
        assert "4 of 4 trials, about 0 s left" in lines[-1]
        assert not (study.folder / "toy.trials").exists()

    def test_is_the_same_every_time(self, study: Study, space, prepared: Path, tmp_path) -> None:
        again = Study(tmp_path / "again", "toy")
        again.start(space, prepared, seed=3)
        _search(study, prepared, trials=3)
        _search(again, prepared, trials=3)
        assert _without_time(again.records) == _without_time(study.records)

    def test_runs_trials_side_by_side(self, space, prepared: Path, tmp_path: Path) -> None:
        study = Study(tmp_path / "slow", "toy")
        study.start(space.with_base({"epoch_s": 0.5}), prepared, seed=3)
        began = time.monotonic()
        _search(study, prepared, trials=4, parallel=4)
        # Four trials of six epochs one by one would sleep for 12 s.
        assert time.monotonic() - began < 4 * 6 * 0.5
        assert sorted(record.number for record in study.records) == [0, 1, 2, 3]

    def test_a_failed_trial_does_not_end_it(self, toy, study: Study, prepared: Path) -> None:
        _search(study, prepared, trials=3, parallel=2)
        failed = [record for record in study.records if record.state == "failed"]
        assert len(study.records) == 3
        assert failed
        assert all(record.parameters["x"] < toy.DIVERGES_BELOW for record in failed)

    def test_says_when_nothing_trains(self, space, prepared: Path, tmp_path: Path) -> None:
        study = Study(tmp_path / "hopeless", "toy")
        study.start(space.with_base({"x": 0.1}), prepared, seed=3)
        with pytest.raises(ConfigError, match=r"search toy: .* got toy.x: expected more"):
            _search(study, prepared, trials=1)

    def test_starts_no_trial_after_the_time(self, study: Study, prepared: Path, make_record):
        study.append(make_record(0, 0.2))
        best, lines = _search(study, prepared, trials=5, minutes=0.0)
        assert best.number == 0
        assert lines == ["going on after 1 trials"]

    def test_counts_the_trials_of_earlier_runs(self, study: Study, prepared: Path) -> None:
        _search(study, prepared, trials=1)
        before = study.log_path.read_text()
        _search(study, prepared, trials=2)
        assert study.log_path.read_text().startswith(before)
        assert [record.number for record in study.records] == [0, 1]

    def test_goes_on_after_a_kill(self, space, prepared: Path, tmp_path: Path) -> None:
        study = Study(tmp_path / "killed", "toy")
        study.start(space.with_base({"epoch_s": 0.3}), prepared, seed=3)
        words = [study.folder, prepared, 20]
        process = subprocess.Popen([sys.executable, "-c", SEARCH, *map(str, words)])
        trials = study.folder / "toy.trials"
        _wait_until(lambda: study.records and list(trials.glob("*/checkpoint/2")))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        before = study.log_path.read_text()
        ended = {record.number for record in study.records}
        proposals = [json.loads(path.read_text()) for path in trials.glob("*/proposal.json")]
        interrupted = {p["number"]: p["parameters"] for p in proposals if p["number"] not in ended}
        assert interrupted
        _search(study, prepared, trials=len(ended) + len(interrupted), parallel=2)
        assert study.log_path.read_text().startswith(before)
        went_on = study.records[len(ended) :]
        assert {record.number: record.parameters for record in went_on} == interrupted
        assert not trials.exists()

    def test_one_search_at_a_time(
        self, study: Study, prepared: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("stylerec.models.search.local._LOCK_PATIENCE_S", 0.0)

        def search_again(line: str) -> None:
            with pytest.raises(StackError, match="another that is still running"):
                _search(study, prepared, trials=1)

        run_search(study, prepared=prepared, budget=Budget(1), num_cores=1, progress=search_again)


def _wait_until(is_true) -> None:
    until = time.monotonic() + 60.0
    while not is_true():
        assert time.monotonic() < until
        time.sleep(0.02)
