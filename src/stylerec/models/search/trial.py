"""One trial: a configuration trained until its best epoch, given up, or found not to train."""

import time
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter

from stylerec.aside import written_file_aside
from stylerec.errors import ConfigError, ReleaseError
from stylerec.models.records import EpochRecord
from stylerec.models.search.proposals import is_hopeless
from stylerec.models.search.study import Proposal, Study, TrialRecord, TrialState

_CURVE_FILE = "curve.json"
_CURVE = TypeAdapter(list[float])


def run_trial(
    study: Study,
    proposal: Proposal,
    *,
    prepared: Path,
    folder: Path,
    progress: Callable[[str], None] = print,
) -> TrialRecord:
    """Trains a proposed configuration and returns the line for the log.

    Args:
        study: What is searched; its log says what the other trials reached, read anew after each
            epoch.
        proposal: The trial.
        prepared: Folder of `PreparedData`.
        folder: The trial's own, for its model, checkpoint and curve. A trial that was killed goes
            on from what it left there.
        progress: Gets the training's lines.

    Raises:
        DataError: The prepared data cannot train the model at all.
        ReleaseError: The folder cannot be written.
    """
    began = time.monotonic()
    space = study.space
    curve = _CurveFile(folder / _CURVE_FILE)

    def on_epoch(record: EpochRecord) -> None:
        curve.add(record)
        if is_hopeless(study.records, curve=curve.values):
            raise _GivenUpError

    state: TrialState = "complete"
    value, reason = None, ""
    try:
        result = space.train(
            prepared,
            folder / "model",
            space.config(proposal.parameters),
            checkpoint=folder / "checkpoint",
            on_epoch=on_epoch,
            progress=progress,
        )
        value = result.validation_ndcg_at_10
    except _GivenUpError:
        state = "pruned"
    except ConfigError as error:
        state, reason = "failed", str(error)
    return _record(study, proposal, curve, state=state, value=value, began=began, reason=reason)


def failed_trial(
    study: Study, proposal: Proposal, *, folder: Path, began: float, reason: str
) -> TrialRecord:
    """Returns the line for the log of a trial whose process died.

    Args:
        study: What is searched.
        proposal: The trial.
        folder: The trial's own.
        began: `time.monotonic()` at its start.
        reason: What is known of its end.
    """
    curve = _CurveFile(folder / _CURVE_FILE)
    return _record(study, proposal, curve, state="failed", value=None, began=began, reason=reason)


def _record(
    study: Study,
    proposal: Proposal,
    curve: "_CurveFile",
    *,
    state: TrialState,
    value: float | None,
    began: float,
    reason: str,
) -> TrialRecord:
    return TrialRecord(
        number=proposal.number,
        state=state,
        value=value,
        parameters=proposal.parameters,
        seed=study.description.base["seed"],
        epochs=len(curve.values),
        curve=tuple(curve.values),
        seconds=round(time.monotonic() - began, 1),
        reason=reason,
    )


class _GivenUpError(Exception):
    """Ends the training of a trial that is behind the others."""


class _CurveFile:
    """The validation figures so far, kept for a trial that is killed and goes on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.values = _CURVE.validate_json(path.read_bytes()) if path.exists() else []

    def add(self, record: EpochRecord) -> None:
        """Adds an epoch; one that a resumed training repeats replaces itself and what followed."""
        self.values = [*self.values[: record.epoch - 1], record.validation_ndcg_at_10]
        with written_file_aside(self._path, error=ReleaseError) as path:
            path.write_bytes(_CURVE.dump_json(self.values))
