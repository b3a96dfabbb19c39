"""Validation on entry: a folder of tables is whole and true to `schema.columns`, or refused.

Tables are read in batches, so that a log larger than the memory can be validated.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from stylerec.data.column_rules import ColumnRules
from stylerec.data.cross_checks import (
    count_odd_outfits,
    count_raised_prices,
    count_unknown_items,
    cross_check_engine,
    refuse_repeats,
)
from stylerec.data.table_errors import MAX_NAMED_ROWS, column_error, in_rows
from stylerec.data.table_files import TableFile, open_table
from stylerec.data.tables import refuse_missing_tables, table_path
from stylerec.errors import DataError, shortened
from stylerec.schema.columns import IMAGE_PATH, ITEMS, OUTFITS, TABLES

OLDEST_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Earlier times are most often a unit or a default gone wrong; they are pointed out."""


class ValidationReport(BaseModel):
    """What valid tables hold.

    Attributes:
        rows: Table to its number of rows.
        columns: Table to its canonical columns.
        warnings: What is odd but usable, one sentence each, with its count.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: dict[str, int]
    columns: dict[str, tuple[str, ...]]
    warnings: tuple[str, ...]


def validate_tables(folder: Path, *, now: datetime | None = None) -> ValidationReport:
    """Returns what the tables of a folder hold, after every check.

    Args:
        folder: Folder of canonical tables, parquet or CSV.
        now: Interactions more than five minutes later are refused; with a time zone, None for the
            clock.

    Raises:
        ValueError: `now` has no time zone.
        DataError: A table is missing, unreadable, empty or breaks its schema; names the file, the
            column, the number of rows and the first of them.
    """
    now = now or datetime.now(UTC)
    if now.tzinfo is None:
        raise ValueError("now: expected a time with a zone")
    with TemporaryDirectory(prefix="stylerec-") as scratch:
        files = open_tables(folder, scratch=Path(scratch))
        warnings = list(column_warnings(files))
        for file in files.values():
            warnings += _check_values(file, folder, now=now)
        warnings += _check_across(files, Path(scratch))
        return ValidationReport(
            rows={name: file.num_rows for name, file in files.items()},
            columns={name: file.columns for name, file in files.items()},
            warnings=tuple(warnings),
        )


def open_tables(folder: Path, *, scratch: Path) -> dict[str, TableFile]:
    """Returns the tables of a folder, their files and columns checked, their values not.

    Args:
        folder: Folder of canonical tables, parquet or CSV.
        scratch: Existing folder for conversions.

    Raises:
        DataError: A table is missing, unreadable or empty, or its columns are not right.
    """
    paths = {name: table_path(folder, name) for name in TABLES}
    found = {name: path for name, path in paths.items() if path is not None}
    refuse_missing_tables(folder, set(found))
    files = {name: open_table(path, TABLES[name], scratch=scratch) for name, path in found.items()}
    for file in files.values():
        if file.table.is_required and not file.num_rows:
            raise _empty(file)
    refuse_missing_tables(folder, {name for name, file in files.items() if file.num_rows})
    return files


def column_warnings(files: dict[str, TableFile]) -> Iterator[str]:
    """Yields what is odd about the tables' columns: unknown ones, and times without a zone."""
    for file in files.values():
        name = file.source.name
        if not file.num_rows:
            yield f"{name}: no rows; it counts as absent"
        if file.extra_columns:
            yield f"{name}: unknown columns are ignored: {shortened(file.extra_columns)}"
        for column in file.zoneless_columns:
            yield f"{name}, column {column}: times name no zone and are taken as UTC"


def _empty(file: TableFile) -> DataError:
    return DataError(
        str(file.source),
        expected="at least one row",
        got="0 rows",
        fix=f"export the {file.table.name} again"
        + (", or remove the file if there are none" if file.table.required_unless else ""),
    )


def _check_values(file: TableFile, folder: Path, *, now: datetime) -> Iterator[str]:
    rules = ColumnRules(file, now=now)
    times = [c.name for c in file.table.columns if c.kind == "timestamp" and c.name in file.columns]
    num_old = dict.fromkeys(times, 0)
    for rows in file.batches():
        rules.check(rows)
        for column in times:
            num_old[column] += pc.sum(pc.less(rows[column], OLDEST_TIME)).as_py() or 0
    rules.refuse_breaches()
    for column, count in num_old.items():
        if count:
            yield f"{file.source.name}, column {column}: times before 2000: {count:,}"
    if IMAGE_PATH in file.columns:
        yield from _check_pictures(file, folder)


def _check_pictures(items: TableFile, folder: Path) -> Iterator[str]:
    num_missing = row = 0
    outside: list[int] = []
    for batch in items.batches([IMAGE_PATH]):
        for path in batch[IMAGE_PATH].to_pylist():
            row += 1
            if not path:
                continue
            relative = PurePosixPath(path)
            if relative.is_absolute() or ".." in relative.parts:
                outside.append(row)
            elif not (folder / relative).is_file():
                num_missing += 1
    if outside:
        raise column_error(
            items.source,
            IMAGE_PATH,
            expected="paths inside the folder of tables, such as images/x.png",
            got=f"others in {in_rows(len(outside), outside[:MAX_NAMED_ROWS])}",
            fix="put the pictures into the folder and name them relative to it",
        )
    if num_missing:
        yield f"{items.source.name}, column {IMAGE_PATH}: missing pictures: {num_missing:,}"


def _check_across(files: dict[str, TableFile], scratch: Path) -> Iterator[str]:
    items = files[ITEMS.name]
    with cross_check_engine(scratch) as engine:
        for file in files.values():
            refuse_repeats(engine, file)
        for name, file in files.items():
            if name == ITEMS.name or not file.num_rows:
                continue
            count = count_unknown_items(engine, file, items)
            if count:
                yield (
                    f"{file.source.name}: rows with items that {items.source.name} lacks: "
                    f"{count:,} of {file.num_rows:,} ({count / file.num_rows:.1%})"
                )
        if raised := count_raised_prices(engine, items):
            yield f"{items.source.name}: items dearer in the sale than before it: {raised:,}"
        if OUTFITS.name in files and (odd := count_odd_outfits(engine, files[OUTFITS.name])):
            yield f"{files[OUTFITS.name].source.name}: outfits without exactly one hero: {odd:,}"
