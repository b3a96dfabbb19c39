from pathlib import Path

import pytest

from stylerec.errors import DataError
from stylerec.models.search.study import Proposal, Study, TrialRecord
from stylerec.models.search.trial import failed_trial, run_trial


def _run(study: Study, prepared: Path, folder: Path, *, x: float, number: int = 0) -> TrialRecord:
    proposal = Proposal(number=number, parameters={"x": x, "colour": "blue"})
    return run_trial(study, proposal, prepared=prepared, folder=folder, progress=lambda line: None)


class TestRunTrial:
    def test_records_what_training_reached(
        self, toy, study: Study, prepared: Path, tmp_path: Path
    ) -> None:
        record = _run(study, prepared, tmp_path, x=0.6, number=3)
        assert (record.number, record.state, record.seed) == (3, "complete", 5)
        assert record.parameters == {"x": 0.6, "colour": "blue"}
        assert record.value == toy.value(0.6)
        assert record.epochs == len(record.curve) == 6
        assert record.curve[1] == pytest.approx(toy.value(0.6) * 2 / 6)

    def test_a_loss_that_is_no_number_fails_the_trial(
        self, study: Study, prepared: Path, tmp_path: Path
    ) -> None:
        record = _run(study, prepared, tmp_path, x=0.1)
        assert (record.state, record.value, record.epochs) == ("failed", None, 0)
        assert record.reason == "toy.x: expected more, got 0.1; raise it"

    def test_gives_up_behind_the_others(
        self, study: Study, prepared: Path, tmp_path: Path, make_record
    ) -> None:
        for number in range(4):
            study.append(make_record(number, curve=(1.0,) * 6))
        record = _run(study, prepared, tmp_path, x=0.6, number=4)
        assert (record.state, record.value) == ("pruned", None)
        assert record.epochs == len(record.curve) == 4

    def test_bad_data_is_no_trials_fault(
        self, study: Study, space, prepared: Path, tmp_path: Path
    ) -> None:
        bad = Study(tmp_path / "bad", "toy")
        bad.start(space.with_base({"fate": "bad data"}), prepared, seed=3)
        with pytest.raises(DataError):
            _run(bad, prepared, tmp_path, x=0.6)

    def test_keeps_the_curve_of_a_trial_that_goes_on(
        self, study: Study, prepared: Path, tmp_path: Path
    ) -> None:
        whole = _run(study, prepared, tmp_path / "whole", x=0.6)
        _run(study, prepared, tmp_path / "cut", x=0.6)
        # As if killed within epoch 4, with the checkpoint of epoch 3 and the curve of 4 written.
        for epoch in (4, 5, 6):
            (tmp_path / "cut" / "checkpoint" / str(epoch)).unlink()
        (tmp_path / "cut" / "curve.json").write_text(str(list(whole.curve[:4])))
        resumed = _run(study, prepared, tmp_path / "cut", x=0.6)
        assert resumed.curve == whole.curve
        assert resumed.value == whole.value


class TestFailedTrial:
    def test_keeps_the_epochs_before_the_end(self, study: Study, tmp_path: Path) -> None:
        (tmp_path / "curve.json").write_text("[0.25, 0.5]")
        proposal = Proposal(number=4, parameters={"x": 0.5, "colour": "red"})
        record = failed_trial(study, proposal, folder=tmp_path, began=0.0, reason="SIGKILL")
        assert (record.state, record.reason, record.curve) == ("failed", "SIGKILL", (0.25, 0.5))
