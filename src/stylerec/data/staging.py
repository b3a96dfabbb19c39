"""Folders written aside and put in place in one step, so that a failure leaves what was there."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stylerec.errors import DataError, shortened
from stylerec.schema.columns import TABLES

IMAGES_FOLDER = "images"
"""Where a folder of tables keeps its product pictures."""
TRUTH_FOLDER = "truth"
"""Where the synthetic retailer keeps its ground truth; no model reads it."""
TABLE_SUFFIXES = (".parquet", ".csv")
"""Formats of a canonical table, the preferred one first."""

_TABLE_NAMES = {f"{table}{suffix}" for table in TABLES for suffix in TABLE_SUFFIXES}


def check_replaceable(folder: Path) -> None:
    """Refuses a destination that holds anything but tables and their pictures.

    Raises:
        DataError: `folder` is a file, or a folder with something else in it.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DataError(
            str(folder),
            expected="a folder for the tables",
            got="a file",
            fix="name another folder, or move the file away",
        )
    names = {path.name for path in folder.iterdir()}
    # Pictures without a table are somebody's pictures.
    beside = {IMAGES_FOLDER, TRUTH_FOLDER} if names & _TABLE_NAMES else set()
    others = sorted(names - _TABLE_NAMES - beside)
    if others:
        raise DataError(
            str(folder),
            expected="an empty folder or a folder of StyleRec tables",
            got=f"other entries: {shortened(others)}",
            fix="name another folder; nothing was changed",
        )


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yields an empty sibling folder that takes the place of `folder` when the block succeeds.

    What was there is kept until the new folder is complete. When the block fails, `folder` is as
    it was and nothing is left beside it.

    Raises:
        DataError: The destination is not replaceable, or the disk is full or not writable.
    """
    folder = folder.resolve()
    check_replaceable(folder)
    staged = _sibling(folder, "partial")
    try:
        staged.mkdir(parents=True)
        yield staged
        _put_in_place(staged, folder)
    except OSError as error:
        raise DataError(
            str(folder),
            expected="a folder that can be written",
            got=": ".join(filter(None, (error.strerror or str(error), error.filename))),
            fix="free some space or check the permissions; what was there before is unchanged",
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _put_in_place(staged: Path, folder: Path) -> None:
    old = _sibling(folder, "old")
    has_old = folder.exists()
    if has_old:
        folder.rename(old)
    try:
        staged.rename(folder)
    except OSError:
        if has_old:
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _sibling(folder: Path, purpose: str) -> Path:
    return folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}.{purpose}")
