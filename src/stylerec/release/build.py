"""Builds a release folder from prepared data, exported models, an evaluation and a contract."""

import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from stylerec.aside import written_aside
from stylerec.errors import ReleaseError
from stylerec.release.manifest import (
    CATALOGUE_ARRAYS_FILE,
    CATALOGUE_FILE,
    CONTRACT_FILE,
    EVALUATION_FILE,
    MANIFEST_FILE,
    MODELS_FOLDER,
    REPORT_FILE,
    STYLE_FILE,
    TEMPLATES_FILE,
    VOCABULARY_FILE,
    ModelEntry,
    ReleaseManifest,
    content_digest,
    file_entry,
)
from stylerec.release.triton_config import BACKENDS, config_file_name, render_config
from stylerec.schema.tensors import MODEL_SPECS, OUTFIT

_DATASET_FILE = "dataset.json"
_MODEL_FILES = ("model.onnx", "config.json", "export.json")


class _ExportRecord(BaseModel):
    """The part of `export.json` that serving needs."""

    model_config = ConfigDict(extra="ignore")

    model: str
    max_history_len: int


class _DatasetRecord(BaseModel):
    """The part of `dataset.json` that serving needs."""

    model_config = ConfigDict(extra="ignore")

    has_timestamps: bool
    markets: tuple[str, ...]
    omitted: dict[str, str]


def build_release(
    output: Path,
    *,
    prepared: Path,
    models: Mapping[str, Path],
    evaluation: Path,
    report: Path,
    contract: Path,
    omitted: Mapping[str, str] | None = None,
) -> ReleaseManifest:
    """Builds a whole release in `output`, which appears complete or not at all.

    Args:
        output: Folder to create; anything there before is replaced.
        prepared: Folder that `stylerec.data.preparation` wrote.
        models: Model name to the folder its exporter wrote.
        evaluation: `evaluation.json` of these models.
        report: The run's HTML report.
        contract: Touchpoint contract file.
        omitted: Branches left out besides those the prepared data names, with the reason.

    Returns:
        The manifest that was written as `release.json`.

    Raises:
        ReleaseError: A needed file is missing, an exported model is not what it says, or `output`
            cannot be written.
    """
    with written_aside(output, error=ReleaseError) as folder:
        return _fill(folder, prepared, models, evaluation, report, contract, omitted or {})


def _fill(
    folder: Path,
    prepared: Path,
    models: Mapping[str, Path],
    evaluation: Path,
    report: Path,
    contract: Path,
    omitted: Mapping[str, str],
) -> ReleaseManifest:
    _copy(prepared / VOCABULARY_FILE, folder / VOCABULARY_FILE)
    _copy(prepared / "items.parquet", folder / CATALOGUE_FILE)
    _copy(prepared / CATALOGUE_ARRAYS_FILE, folder / CATALOGUE_ARRAYS_FILE)
    _copy(evaluation, folder / EVALUATION_FILE)
    _copy(report, folder / REPORT_FILE)
    _copy(contract, folder / CONTRACT_FILE)
    # Milliseconds: two builds never share a version, and versions grow with time.
    version = time.time_ns() // 1_000_000
    entries = {name: _add_model(folder, name, source, version) for name, source in models.items()}
    if OUTFIT in models:
        for name in (TEMPLATES_FILE, STYLE_FILE):
            _copy(models[OUTFIT] / name, folder / name)

    _require(prepared / _DATASET_FILE, purpose="record of the prepared data")
    dataset = _DatasetRecord.model_validate_json((prepared / _DATASET_FILE).read_bytes())
    files = {
        path.relative_to(folder).as_posix(): file_entry(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    created = datetime.fromtimestamp(version / 1000, UTC)
    manifest = ReleaseManifest(
        release_id=f"{created:%Y-%m-%dT%H%M%S}-{content_digest(files)[:8]}",
        created=created.isoformat(timespec="milliseconds"),
        models=entries,
        omitted={**dataset.omitted, **omitted},
        has_timestamps=dataset.has_timestamps,
        markets=dataset.markets,
        files=files,
    )
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    return manifest


def _add_model(folder: Path, name: str, source: Path, version: int) -> ModelEntry:
    if name not in MODEL_SPECS:
        raise ReleaseError(
            f"models.{name}",
            expected=f"one of {', '.join(MODEL_SPECS)}",
            got=name,
            fix="add its tensors to stylerec.schema.tensors first",
        )
    target = folder / MODELS_FOLDER / name
    target.mkdir(parents=True)
    for file in _MODEL_FILES:
        _copy(source / file, target / file)
    for backend in BACKENDS:
        (target / config_file_name(backend)).write_text(render_config(name, backend))
    record = _ExportRecord.model_validate_json((source / "export.json").read_bytes())
    if record.model != name:
        raise ReleaseError(
            f"models.{name}/export.json",
            expected=f"model {name}",
            got=record.model,
            fix="pass each model's own export folder",
        )
    return ModelEntry(version=version, max_history_len=record.max_history_len)


def _copy(source: Path, target: Path) -> None:
    _require(source, purpose=f"release's {target.name}")
    shutil.copyfile(source, target)


def _require(source: Path, *, purpose: str) -> None:
    if not source.is_file():
        raise ReleaseError(
            str(source),
            expected=f"the {purpose}",
            got="no such file",
            fix="run the step that writes it before building the release",
        )
