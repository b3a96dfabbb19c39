"""What every reader needs: its source file, its result, and pictures copied beside the tables."""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pandas as pd

from stylerec.errors import DataError, shortened

MALFORMED_ROW = "row with missing or extra cells"
"""Reason for skipping what a CSV file cannot align with its columns."""


@dataclass(frozen=True)
class ReadResult:
    """What a reader could not take over as it was.

    Attributes:
        skipped: Reason to the number of rows left out.
        notes: What else the user should know, one sentence each.
    """

    skipped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_file(source: Path, pattern: str, *, preferred: str) -> Path:
    """Returns the source file: `source` itself, or the one in it.

    Args:
        source: A file, or a folder with one.
        pattern: Glob pattern of the file's name inside a folder.
        preferred: Name (any case) that wins where several files match.

    Raises:
        DataError: There is no such file, or several and none has the preferred name.
    """
    if source.is_file():
        return source
    found = sorted(path for path in source.glob(pattern) if not path.name.startswith("."))
    if len(found) > 1:
        found = [path for path in found if path.name.lower() == preferred.lower()] or found
    if len(found) == 1:
        return found[0]
    raise DataError(
        str(source),
        expected=f"one {pattern} file, such as {preferred}",
        got=shortened(path.name for path in found) if found else _what_is(source),
        fix="name the file itself" if found else "check the path and the format's name",
    )


def nothing_read(path: Path, *, layout: str) -> DataError:
    """Returns the error for a file without a single usable row of its format."""
    return DataError(
        str(path),
        expected=f"rows of {layout}",
        got="not one such row",
        fix="check the file and the format's name",
    )


def usable_rows(
    rows: pd.DataFrame, checks: Mapping[str, pd.Series], skipped: Counter[str]
) -> pd.DataFrame:
    """Returns the rows that pass every check.

    Args:
        rows: Rows of the source.
        checks: Reason for skipping to a boolean per row that is true where the row is right.
        skipped: Receives the number of rows per reason; a row counts for its first reason only.
    """
    is_usable = pd.Series(True, index=rows.index)
    for reason, is_right in checks.items():
        num_wrong = int((is_usable & ~is_right).sum())
        if num_wrong:
            skipped[reason] += num_wrong
        is_usable &= is_right
    return rows[is_usable]


def copy_pictures(source: Path, output: Path, names: Iterable[tuple[str, str]]) -> int:
    """Copies pictures into the folder of tables and returns how many were missing.

    Args:
        source: Folder of the pictures.
        output: Folder of the tables.
        names: Path below `source` and path below `output` of each picture; a path that leaves its
            folder counts as missing.
    """
    num_missing = 0
    folders: set[Path] = set()
    for old, new in names:
        target = output / new
        if not (_stays_inside(old) and _stays_inside(new) and (source / old).is_file()):
            num_missing += 1
            continue
        if target.parent not in folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            folders.add(target.parent)
        shutil.copyfile(source / old, target)
    return num_missing


def _stays_inside(path: str) -> bool:
    relative = PurePosixPath(path)
    return not relative.is_absolute() and ".." not in relative.parts


def _what_is(source: Path) -> str:
    return "a folder without it" if source.is_dir() else "no such file or folder"
