"""Folders of tables: what they hold, and how one takes the place of another."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from stylerec.aside import written_aside
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
    """Yields an empty sibling folder that takes the place of a folder of tables, as a whole.

    Raises:
        DataError: The destination is not replaceable, or the disk is full or not writable.
    """
    check_replaceable(folder)
    with written_aside(folder, error=DataError, write_errors=(SafetensorError,)) as staged:
        yield staged
