"""Messages about a table's file, its columns and its rows."""

from collections.abc import Iterable
from pathlib import Path

from stylerec.errors import DataError

MAX_NAMED_ROWS = 5
"""Row numbers given in a message; rows count from 1, a CSV's header not included."""

_PARQUET_MAGIC = b"PAR1"


def column_error(path: Path, column: str, *, expected: str, got: str, fix: str) -> DataError:
    """Returns the error for one column of a file."""
    return DataError(f"{path}, column {column}", expected=expected, got=got, fix=fix)


def in_rows(count: int, rows: Iterable[int]) -> str:
    """Returns `3 rows (row 2, 5, 9)`; `rows` are the first row numbers."""
    named = list(rows)[:MAX_NAMED_ROWS]
    numbers = ", ".join(str(row) for row in named)
    more = ", ..." if count > len(named) else ""
    return f"{count:,} row{'' if count == 1 else 's'} (row {numbers}{more})"


def damaged_parquet(path: Path) -> DataError:
    """Returns the error for a parquet file that starts well and cannot be read to its end."""
    return DataError(
        str(path),
        expected="a whole parquet file",
        got="one that is truncated or damaged",
        fix="write or copy it again",
    )


def not_parquet(path: Path) -> DataError:
    """Returns the error for a file that cannot be opened as parquet, saying what it is instead."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_PARQUET_MAGIC))
    except OSError as error:
        return DataError(
            str(path),
            expected="a readable parquet file",
            got=str(error.strerror or error),
            fix="check that it is one file and may be read",
        )
    if start == _PARQUET_MAGIC:
        return damaged_parquet(path)
    return DataError(
        str(path),
        expected="a parquet file",
        got="a file of another format" if start else "an empty file",
        fix="write it as parquet, or name it .csv if it is one",
    )
