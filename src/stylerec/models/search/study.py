"""A search on disk: what is searched, the log of its trials, and the best configuration so far.

The log is the study's whole state. Proposals follow from it (`proposals.propose`), so a search that
was killed goes on from its files and nothing needs to be pickled.
"""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from stylerec.aside import written_file_aside
from stylerec.data.prepared import PreparedData
from stylerec.errors import ConfigError, DataError, ReleaseError, shortened
from stylerec.models.search.space import Parameter, ParameterValue, SearchSpace
from stylerec.models.search.spaces import load_space

TrialState = Literal["complete", "pruned", "failed"]


class Proposal(BaseModel):
    """A trial to run.

    Attributes:
        number: Of the trial, from 0.
        parameters: The searched fields' values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    parameters: dict[str, ParameterValue]


class TrialRecord(BaseModel):
    """One line of the log.

    Attributes:
        number: Of the trial, from 0; lines are in the order in which trials ended.
        state: `pruned` trials were behind the median of the others, `failed` ones could not train.
        value: Validation NDCG@10 of the best epoch; of complete trials only.
        parameters: The searched fields' values; the rest is the study's `base`.
        seed: Of the training.
        epochs: Epochs trained.
        curve: Validation NDCG@10 after each epoch.
        seconds: The trial's wall-clock time; of a resumed one that of its last process.
        reason: Why it failed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    state: TrialState
    value: float | None
    parameters: dict[str, ParameterValue]
    seed: int
    epochs: int
    curve: tuple[float, ...]
    seconds: float
    reason: str = ""


class StudyDescription(BaseModel):
    """What is searched; two searches of the same description may continue each other.

    Attributes:
        space: Name of the search space.
        seed: Of the proposals.
        base: Every field of the default configuration, which is trial 0.
        parameters: Field to its range.
        data: Sizes of the prepared data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: str
    seed: int
    base: dict[str, Any]
    parameters: dict[str, Parameter]
    data: dict[str, int]


class Study:
    """The files of one search: `<space>.study.json`, `<space>.search.jsonl`, `<space>.json`.

    Args:
        folder: Where they are.
        space: Name of the search space.
    """

    def __init__(self, folder: Path, space: str) -> None:
        self.folder, self.space_name = folder, space
        self.description_path = folder / f"{space}.study.json"
        self.log_path = folder / f"{space}.search.jsonl"
        self.config_path = folder / f"{space}.json"

    @property
    def description(self) -> StudyDescription:
        """What is searched.

        Raises:
            DataError: The file is missing or is none.
        """
        try:
            return StudyDescription.model_validate_json(self.description_path.read_text())
        except (OSError, ValidationError) as error:
            raise DataError(
                str(self.description_path),
                expected="the description of a search",
                got=shortened(str(error).splitlines(), limit=1),
                fix="start the search in another folder",
            ) from error

    @property
    def space(self) -> SearchSpace[Any]:
        """The search space around the study's default configuration."""
        description = self.description
        return load_space(description.space).with_base(description.base)

    @property
    def records(self) -> list[TrialRecord]:
        """The trials that have ended.

        Raises:
            DataError: A line of the log is none of a trial's.
        """
        lines = self.log_path.read_text().splitlines() if self.log_path.exists() else []
        return [self._record(line, number) for number, line in enumerate(lines, start=1)]

    @property
    def best(self) -> TrialRecord | None:
        """The complete trial with the highest value, the earliest of equals; None without any."""
        complete = [record for record in self.records if record.value is not None]
        return max(complete, key=lambda r: (r.value or 0.0, -r.number), default=None)

    @property
    def chosen(self) -> TrialRecord:
        """The best trial of a search that is over.

        Raises:
            ConfigError: No trial is complete.
        """
        best = self.best
        if best is None:
            reasons = {record.reason or record.state for record in self.records}
            raise ConfigError(
                f"search {self.space_name}",
                expected="a trial that trains to its end",
                got=shortened(sorted(reasons)) or "no trial",
                fix="mend that, or give the search more trials",
            )
        return best

    def start(self, space: SearchSpace[Any], prepared: Path, *, seed: int) -> None:
        """Writes what is searched, or checks that it is what was searched here before.

        Args:
            space: The space around its default configuration.
            prepared: Folder of `PreparedData`.
            seed: Of the proposals.

        Raises:
            ConfigError: The files belong to another search.
            ReleaseError: The folder cannot be written.
        """
        description = _description(space, PreparedData(prepared), seed=seed)
        if self.description_path.exists():
            self._check_is_same(description)
            return
        with written_file_aside(self.description_path, error=ReleaseError) as path:
            path.write_text(description.model_dump_json(indent=2) + "\n")

    def append(self, record: TrialRecord) -> None:
        """Adds a trial to the log and writes the best configuration so far.

        Raises:
            ReleaseError: The folder cannot be written; the log is as it was.
        """
        before = self.log_path.read_text() if self.log_path.exists() else ""
        with written_file_aside(self.log_path, error=ReleaseError) as path:
            path.write_text(f"{before}{record.model_dump_json()}\n")
        self._write_best()

    def _write_best(self) -> None:
        best = self.best
        if best is None:
            return
        config = self.space.config(best.parameters)
        with written_file_aside(self.config_path, error=ReleaseError) as path:
            path.write_text(config.model_dump_json(indent=2) + "\n")

    def _record(self, line: str, line_number: int) -> TrialRecord:
        try:
            return TrialRecord.model_validate_json(line)
        except ValidationError as error:
            raise DataError(
                f"{self.log_path}, line {line_number}",
                expected="a trial's record",
                got=shortened([line[:80]]),
                fix="restore the file, or start the search in another folder",
            ) from error

    def _check_is_same(self, description: StudyDescription) -> None:
        before, now = (each.model_dump(mode="json") for each in (self.description, description))
        for name, value in now.items():
            if before[name] != value:
                raise ConfigError(
                    f"{self.description_path}: {name}",
                    expected=f"as at the start, {_difference(before[name], value)}",
                    got=_difference(value, before[name]),
                    fix="search as then, or in another folder",
                )


def _description(space: SearchSpace[Any], data: PreparedData, *, seed: int) -> StudyDescription:
    summary, split = data.summary, data.split
    return StudyDescription(
        space=space.name,
        seed=seed,
        base=space.base.model_dump(mode="json"),
        parameters=dict(space.parameters),
        data={
            "num_customers": summary.num_customers,
            "num_items": summary.num_items,
            "num_interactions": summary.num_interactions,
            "num_trained": int(split.train_lengths.sum()),
            "num_validation": len(split.validation),
        },
    )


def _difference(value: object, other: object) -> str:
    """Returns what is in `value` and not in `other`, short."""
    if isinstance(value, dict) and isinstance(other, dict):
        differing = {key: part for key, part in value.items() if other.get(key) != part}
        return shortened(f"{key} {json.dumps(part)}" for key, part in differing.items())
    return json.dumps(value)
