"""`release.json`: what a release holds, every file with its hash and size."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from stylerec.errors import ReleaseError

MANIFEST_FILE = "release.json"
VOCABULARY_FILE = "vocabulary.json"
CATALOGUE_FILE = "catalogue.parquet"
CATALOGUE_ARRAYS_FILE = "catalogue.safetensors"
CONTRACT_FILE = "touchpoints.yaml"
TEMPLATES_FILE = "templates.json"
STYLE_FILE = "style_embedding.safetensors"
EVALUATION_FILE = "evaluation.json"
REPORT_FILE = "report.html"
MODELS_FOLDER = "models"


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Document):
    """One file's content hash (hex SHA-256) and size in bytes."""

    sha256: str
    size: int


class ModelEntry(_Document):
    """One model of the release.

    Attributes:
        version: Triton model version; pinned in each call.
        max_history_len: L of the history tensors that the model was trained with.
    """

    version: int
    max_history_len: int


class ReleaseManifest(_Document):
    """The content of `release.json`.

    Attributes:
        release_id: Build time and the first digits of the content hash.
        created: ISO 8601 UTC build time.
        models: Models by name; a branch that the retailer's data lacks is not here.
        omitted: Branch left out to the reason.
        has_timestamps: Interaction times are real, so history ages mean something.
        markets: Market codes in the order of the popularity rows after the first.
        files: Every other file by its path inside the release.
    """

    release_id: str
    created: str
    models: dict[str, ModelEntry]
    omitted: dict[str, str]
    has_timestamps: bool
    markets: tuple[str, ...]
    files: dict[str, FileEntry]


def content_digest(files: Mapping[str, FileEntry]) -> str:
    """Returns one hex digest over all files' paths and hashes."""
    lines = json.dumps({path: entry.sha256 for path, entry in files.items()}, sort_keys=True)
    return hashlib.sha256(lines.encode()).hexdigest()


def file_entry(path: Path) -> FileEntry:
    """Returns the hash and size of a file, read in blocks."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(sha256=digest, size=path.stat().st_size)


def read_manifest(folder: Path) -> ReleaseManifest:
    """Reads `release.json` of a release folder.

    Raises:
        ReleaseError: The file is missing or not a manifest.
    """
    path = folder / MANIFEST_FILE
    try:
        return ReleaseManifest.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ReleaseError(
            folder.name,
            expected=f"a {MANIFEST_FILE}",
            got="none",
            fix="the release is incomplete: build and publish it again",
        ) from error
    except ValidationError as error:
        raise ReleaseError(
            f"{folder.name}/{MANIFEST_FILE}",
            expected="a release manifest",
            got=f"{error.error_count()} faults, first {error.errors()[0]['loc']}",
            fix="build and publish the release again",
        ) from error


def verify_folder(folder: Path) -> ReleaseManifest:
    """Returns the manifest of a release folder after checking every file against it.

    Raises:
        ReleaseError: A file is missing or its content is not what the manifest says.
    """
    manifest = read_manifest(folder)
    if not manifest.release_id.endswith(content_digest(manifest.files)[:8]):
        raise ReleaseError(
            f"{folder.name}/{MANIFEST_FILE}",
            expected="a release id that ends in the content's digest",
            got=manifest.release_id,
            fix="the manifest was changed after the build: build the release again",
        )
    for name, entry in manifest.files.items():
        path = folder / name
        got = file_entry(path) if path.is_file() else None
        if got != entry:
            raise ReleaseError(
                f"{folder.name}/{name}",
                expected=f"{entry.size} bytes with sha256 {entry.sha256[:12]}",
                got=f"{got.size} bytes with {got.sha256[:12]}" if got else "no such file",
                fix="the release is corrupt: publish it again or roll back",
            )
    return manifest
