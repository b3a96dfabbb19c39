"""Where releases live: publish, point at, list, open and roll back, on any fsspec file system.

Layout under the root: `<release_id>/...` and `current.json`, the pointer. A release folder is
whole or absent, and moving the pointer is the only act that changes what is served.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import fsspec
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from pydantic import BaseModel, ConfigDict, ValidationError

from stylerec.aside import flush_to_disk, written_aside, written_file_aside
from stylerec.errors import ReleaseError
from stylerec.release.manifest import (
    MANIFEST_FILE,
    ReleaseManifest,
    verify_folder,
)

POINTER_FILE = "current.json"
_PUBLISH_FIX = (
    "free some space or choose another STYLEREC_RELEASE_URI, then publish again; "
    "the release served until now is untouched"
)
_PROMOTE_FIX = "free some space, then run `stylerec release promote` again"
_OPEN_FIX = "check that the release is under the root and that its cache has room"


class ReleasePointer(BaseModel):
    """The content of `current.json`: the release being served and the one before it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    release_id: str
    previous: str | None = None


@dataclass(frozen=True)
class Release:
    """A verified release in a local folder."""

    folder: Path
    manifest: ReleaseManifest


def read_pointer(root_uri: str) -> ReleasePointer | None:
    """Returns the current pointer, None where nothing was ever published.

    Raises:
        ReleaseError: The pointer cannot be read or is not one.
    """
    fs, root = _open_root(root_uri)
    path = f"{root}/{POINTER_FILE}"
    try:
        return ReleasePointer.model_validate_json(fs.cat_file(path))
    except FileNotFoundError:
        return None
    except (ValidationError, OSError) as error:
        raise ReleaseError(
            path,
            expected="a release pointer",
            got=type(error).__name__,
            fix="run `stylerec release promote <release_id>` to write it again",
        ) from error


def current_file(root_uri: str, name: str) -> bytes | None:
    """Returns a file of the release being served, None where nothing was ever published.

    Raises:
        ReleaseError: The pointer cannot be read, or the release lacks the file.
    """
    pointer = read_pointer(root_uri)
    if pointer is None:
        return None
    fs, root = _open_root(root_uri)
    path = f"{root}/{pointer.release_id}/{name}"
    try:
        return bytes(fs.cat_file(path))
    except OSError as error:
        raise ReleaseError(
            path,
            expected="a file of the release being served",
            got=type(error).__name__,
            fix="run `stylerec release rollback`, or promote a whole release",
        ) from error


def list_releases(root_uri: str) -> list[str]:
    """Returns the ids of all whole releases, oldest first."""
    fs, root = _open_root(root_uri)
    manifests = fs.glob(f"{root}/*/{MANIFEST_FILE}")
    names = (Path(path).parent.name for path in manifests)
    return sorted(name for name in names if not name.startswith("."))


def publish(folder: Path, root_uri: str) -> ReleaseManifest:
    """Copies a built release under the root, verifies the copy and points at it.

    Args:
        folder: What `build_release` wrote.
        root_uri: Local folder or fsspec URI of all releases.

    Raises:
        ReleaseError: The release is corrupt, or the root cannot take it (a full disk, say);
            the pointer and all earlier releases are then as they were.
    """
    manifest = verify_folder(folder)
    fs, root = _open_root(root_uri)
    try:
        if isinstance(fs, LocalFileSystem):
            _copy_local(folder, Path(root) / manifest.release_id)
        else:
            _copy_remote(folder, fs, f"{root}/{manifest.release_id}", manifest)
    except OSError as error:
        raise ReleaseError(
            f"{root}/{manifest.release_id}",
            expected="room and permission to write the release",
            got=str(error.strerror or error),
            fix=_PUBLISH_FIX,
        ) from error
    promote(root_uri, manifest.release_id)
    return manifest


def promote(root_uri: str, release_id: str) -> ReleasePointer:
    """Points at a release that is already under the root.

    Raises:
        ReleaseError: There is no such release, or the pointer cannot be written.
    """
    fs, root = _open_root(root_uri)
    if not fs.exists(f"{root}/{release_id}/{MANIFEST_FILE}"):
        known = list_releases(root_uri)
        raise ReleaseError(
            f"{root}/{release_id}",
            expected="a published release",
            got="none" if not known else f"none; the newest is {known[-1]}",
            fix="run `stylerec release list` and choose one of them",
        )
    current = read_pointer(root_uri)
    if current is not None and current.release_id == release_id:
        return current
    pointer = ReleasePointer(
        release_id=release_id, previous=current.release_id if current else None
    )
    _write_pointer(fs, root, pointer)
    return pointer


def rollback(root_uri: str) -> ReleasePointer:
    """Points back at the release that was served before the current one.

    Raises:
        ReleaseError: There is no earlier release.
    """
    current = read_pointer(root_uri)
    if current is None or current.previous is None:
        raise ReleaseError(
            root_uri,
            expected="an earlier release to return to",
            got="none",
            fix="run `stylerec release list`, then `stylerec release promote <release_id>`",
        )
    return promote(root_uri, current.previous)


def open_release(root_uri: str, release_id: str, *, cache: Path) -> Release:
    """Returns a verified release in a local folder, copied into `cache` from a remote root.

    Raises:
        ReleaseError: The release is absent, half there or corrupt.
    """
    fs, root = _open_root(root_uri)
    if isinstance(fs, LocalFileSystem):
        folder = Path(root) / release_id
    else:
        folder = cache / release_id
        if not folder.exists():
            with written_aside(folder, error=ReleaseError, fix=_OPEN_FIX) as aside:
                fs.get(f"{root}/{release_id}/", f"{aside}/", recursive=True)
    try:
        manifest = verify_folder(folder)
    except ReleaseError:
        if not isinstance(fs, LocalFileSystem):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return Release(folder=folder, manifest=manifest)


def _open_root(root_uri: str) -> tuple[AbstractFileSystem, str]:
    fs, root = fsspec.core.url_to_fs(root_uri)
    return fs, root.rstrip("/")


def _copy_local(source: Path, target: Path) -> None:
    if target.exists():
        verify_folder(target)
        return
    with written_aside(target, error=ReleaseError, fix=_PUBLISH_FIX) as aside:
        shutil.copytree(source, aside, dirs_exist_ok=True)
        verify_folder(aside)
        for path in aside.rglob("*"):
            flush_to_disk(path)
    flush_to_disk(target.parent)


def _copy_remote(
    source: Path, fs: AbstractFileSystem, target: str, manifest: ReleaseManifest
) -> None:
    for name in manifest.files:
        fs.put_file(str(source / name), f"{target}/{name}")
    for name, entry in manifest.files.items():
        size = fs.size(f"{target}/{name}")
        if size != entry.size:
            raise ReleaseError(
                f"{target}/{name}",
                expected=f"{entry.size} bytes after the upload",
                got=f"{size}",
                fix="publish the release again",
            )
    # A release is listed and opened by its manifest, so that goes last.
    fs.put_file(str(source / MANIFEST_FILE), f"{target}/{MANIFEST_FILE}")


def _write_pointer(fs: AbstractFileSystem, root: str, pointer: ReleasePointer) -> None:
    content = json.dumps(pointer.model_dump()).encode()
    path = f"{root}/{POINTER_FILE}"
    if isinstance(fs, LocalFileSystem):
        with written_file_aside(Path(path), error=ReleaseError, fix=_PROMOTE_FIX) as aside:
            aside.write_bytes(content)
        return
    try:
        # An object store replaces an object in one step.
        fs.pipe_file(path, content)
    except OSError as error:
        raise ReleaseError(
            path,
            expected="room and permission to write the pointer",
            got=str(error.strerror or error),
            fix=_PROMOTE_FIX,
        ) from error
