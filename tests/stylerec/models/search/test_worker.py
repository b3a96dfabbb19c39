import json
import time
from pathlib import Path

import pytest

from stylerec.data.prepared import PreparedData
from stylerec.errors import StackError
from stylerec.models.checkpoint import run_folder
from stylerec.models.search.study import Proposal, Study
from stylerec.models.search.worker import TrialProcess, run_in_process, unfinished_trials

FIRST = Proposal(number=0, parameters={"x": 0.6, "colour": "red"})
LATER = FIRST.model_copy(update={"number": 4})


@pytest.fixture
def fated(tmp_path: Path, space, prepared: Path):
    """Returns a study whose every trial ends alike."""

    def make(**base) -> Study:
        study = Study(tmp_path / "fated", "toy")
        study.start(space.with_base(base), prepared, seed=3)
        return study

    return make


class TestRunInProcess:
    def test_returns_the_record_and_leaves_nothing(
        self, study: Study, prepared: Path, tmp_path: Path
    ) -> None:
        checkpoints = tmp_path / "checkpoints"
        record = run_in_process(study, LATER, prepared=prepared, checkpoints=str(checkpoints))
        assert (record.number, record.state, record.epochs) == (4, "complete", 6)
        assert list(checkpoints.iterdir()) == []

    def test_goes_on_from_what_a_killed_one_left(
        self, fated, prepared: Path, tmp_path: Path
    ) -> None:
        # Each epoch would take an hour; all six are in the checkpoint already.
        study = fated(epoch_s=3_600.0)
        config = study.space.config(LATER.parameters)
        folder = run_folder(str(tmp_path), "trial-toy", config, PreparedData(prepared))
        (folder / "checkpoint").mkdir(parents=True)
        for epoch in range(1, 7):
            (folder / "checkpoint" / str(epoch)).touch()
        record = run_in_process(study, LATER, prepared=prepared, checkpoints=str(tmp_path))
        assert record.state == "complete"

    @pytest.mark.parametrize(
        ("fate", "reason"), [("killed", "signal SIGKILL"), ("raises", "MemoryError")]
    )
    def test_a_process_that_dies_fails_its_trial(
        self, fated, prepared: Path, fate: str, reason: str
    ) -> None:
        record = run_in_process(fated(fate=fate), LATER, prepared=prepared)
        assert (record.state, record.reason) == ("failed", reason)

    def test_the_default_must_train(self, fated, prepared: Path) -> None:
        with pytest.raises(StackError, match=r"trial 0: .* got MemoryError: no room in"):
            run_in_process(fated(fate="raises"), FIRST, prepared=prepared)

    def test_bad_data_ends_the_search(self, fated, prepared: Path) -> None:
        with pytest.raises(StackError, match=r"expected some, got none; prepare it"):
            run_in_process(fated(fate="bad data"), LATER, prepared=prepared)


class TestTrialProcess:
    def test_takes_a_record_that_is_there(self, fated, prepared: Path, tmp_path: Path) -> None:
        done = {"number": 4, "state": "complete", "value": 0.5, "parameters": {}, "seed": 5}
        done |= {"epochs": 1, "curve": [0.5], "seconds": 1.0}
        (tmp_path / "record.json").write_text(json.dumps(done))
        trial = TrialProcess(fated(fate="raises"), LATER, prepared=prepared, folder=tmp_path)
        assert trial.record().value == 0.5

    def test_ends_with_whoever_started_it(self, fated, prepared: Path, tmp_path: Path) -> None:
        trial = TrialProcess(
            fated(epoch_s=30.0), LATER, prepared=prepared, folder=tmp_path / "4", num_cores=1
        )
        try:
            # What the kernel does when the parent is killed.
            trial._process.stdin.close()
            until = time.monotonic() + 20.0
            while trial.is_running and time.monotonic() < until:
                time.sleep(0.02)
            assert not trial.is_running
        finally:
            trial.stop()


class TestUnfinishedTrials:
    def test_lists_what_was_started_by_number(self, tmp_path: Path) -> None:
        for name, proposal in {"10": LATER, "9": FIRST}.items():
            (tmp_path / name).mkdir()
            (tmp_path / name / "proposal.json").write_text(proposal.model_dump_json())
        (tmp_path / "11").mkdir()
        assert unfinished_trials(tmp_path) == [FIRST, LATER]
        assert unfinished_trials(tmp_path / "none") == []
