"""Folders and files written aside and put in place in one step; a failure leaves what was there."""

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stylerec.errors import StyleRecError

_FIX = "free some space or check the permissions; what was there before is unchanged"


@contextmanager
def written_aside(
    output: Path,
    *,
    error: type[StyleRecError],
    write_errors: tuple[type[Exception], ...] = (),
    fix: str = _FIX,
) -> Iterator[Path]:
    """Yields an empty sibling folder that takes the place of `output` when the block succeeds.

    What was there stays until then. When the block fails, `output` is as it was and nothing is
    left beside it. Missing parents are made; a link is followed.

    Args:
        output: Folder to write.
        error: What a failed write is raised as.
        write_errors: Exceptions besides OSError that mean a failed write: some libraries raise
            their own on a full disk.
        fix: What the user can do about a failed write.

    Raises:
        StyleRecError: An `error`: the disk is full, the place cannot be written or is a file.
    """
    output = output.resolve()
    failed_write: tuple[type[Exception], ...] = (OSError, *write_errors)
    mark = uuid.uuid4().hex[:8]
    aside = output.with_name(f".{output.name}-{mark}.partial")
    try:
        if output.is_file():
            raise NotADirectoryError(errno.ENOTDIR, "a file of that name")
        aside.mkdir(parents=True)
        yield aside
        _put_in_place(aside, output, output.with_name(f".{output.name}-{mark}.old"))
    except failed_write as cause:
        raise error(
            str(output),
            expected="room and permission to write the folder",
            got=_reason(cause),
            fix=fix,
        ) from cause
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def written_file_aside(
    output: Path, *, error: type[StyleRecError], fix: str = _FIX
) -> Iterator[Path]:
    """Yields the path of a sibling file to write, which replaces `output` when the block succeeds.

    When the block fails, `output` is as it was and nothing is left beside it. Missing parents are
    made; a link is followed. The file is on the disk, not only in its cache, before it is renamed.

    Args:
        output: File to write; the sibling has the same suffix.
        error: What a failed write is raised as.
        fix: What the user can do about a failed write.

    Raises:
        StyleRecError: An `error`: the disk is full or the place cannot be written.
    """
    output = output.resolve()
    aside = output.with_name(f".{uuid.uuid4().hex[:8]}-{output.name}")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        flush_to_disk(aside)
        aside.replace(output)
        flush_to_disk(output.parent)
    except OSError as cause:
        raise error(
            str(output),
            expected="room and permission to write the file",
            got=_reason(cause),
            fix=fix,
        ) from cause
    finally:
        # The parent may be missing or a file; that error is on its way already.
        with contextlib.suppress(OSError):
            aside.unlink()


def flush_to_disk(path: Path) -> None:
    """Waits until a file's bytes, or a folder's names, would outlive a power cut.

    Raises:
        OSError: The disk refused them.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_in_place(aside: Path, output: Path, before: Path) -> None:
    try:
        if output.exists():
            output.rename(before)
        aside.rename(output)
    finally:
        if before.exists() and not output.exists():
            before.rename(output)
        shutil.rmtree(before, ignore_errors=True)


def _reason(cause: Exception) -> str:
    if not isinstance(cause, OSError):
        return str(cause)
    return ": ".join(filter(None, (cause.strerror or str(cause), cause.filename)))
