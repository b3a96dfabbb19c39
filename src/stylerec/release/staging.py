"""Puts a release's models where Triton looks for them."""

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from stylerec.aside import written_aside, written_file_aside
from stylerec.errors import ReleaseError
from stylerec.release.manifest import MODELS_FOLDER
from stylerec.release.store import Release
from stylerec.release.triton_config import TritonBackend, config_file_name

KEPT_VERSIONS = 3
"""Versions left per model: the one served, the one being rolled out, the one to return to."""
_FIX = "free some space, then deploy the release again; what was served is untouched"


def stage_models(
    release: Release,
    model_repository: Path,
    *,
    models: Collection[str] | None = None,
    python_model: Path | None = None,
) -> dict[str, int]:
    """Copies each model of a release to `<repository>/<model>/<version>/`, whole or not at all.

    Args:
        release: A verified release.
        model_repository: Triton's model repository.
        models: Names of those to stage; None for all. One that the release lacks is passed over.
        python_model: The generic `model.py` of Triton's Python backend, which then runs the
            models; None for Triton's own ONNX Runtime backend.

    Returns:
        The staged version of each model; Triton serves it after its next load call.

    Raises:
        ReleaseError: The repository cannot be written, or `python_model` does not exist.
    """
    entries = {
        name: entry
        for name, entry in release.manifest.models.items()
        if models is None or name in models
    }
    backend: TritonBackend = "onnxruntime" if python_model is None else "python"
    try:
        for name, entry in entries.items():
            source = release.folder / MODELS_FOLDER / name
            target = model_repository / name
            target.mkdir(parents=True, exist_ok=True)
            _stage_version(source / "model.onnx", target / str(entry.version), python_model)
            _replace(source / config_file_name(backend), target / "config.pbtxt")
            _drop_old_versions(target)
    except OSError as error:
        raise ReleaseError(
            str(model_repository),
            expected="room and permission to write the models",
            got=str(error.strerror or error),
            fix=_FIX,
        ) from error
    return {name: entry.version for name, entry in entries.items()}


def _stage_version(onnx: Path, target: Path, python_model: Path | None) -> None:
    if target.exists():
        os.utime(target)
        return
    # Triton takes folders named by a number only, so the one aside is not a version yet.
    with written_aside(target, error=ReleaseError, fix=_FIX) as aside:
        shutil.copyfile(onnx, aside / "model.onnx")
        if python_model is not None:
            shutil.copyfile(python_model, aside / "model.py")


def _replace(source: Path, target: Path) -> None:
    content = source.read_bytes()
    # Rewriting an unchanged configuration would make Triton reload versions in use.
    if target.exists() and target.read_bytes() == content:
        return
    with written_file_aside(target, error=ReleaseError, fix=_FIX) as aside:
        aside.write_bytes(content)


def _drop_old_versions(folder: Path) -> None:
    versions = [path for path in folder.iterdir() if path.is_dir() and path.name.isdigit()]
    newest_first = sorted(versions, key=lambda path: path.stat().st_mtime, reverse=True)
    for path in newest_first[KEPT_VERSIONS:]:
        shutil.rmtree(path)
