"""One canonical table as a file: its columns checked, its rows in batches whatever its format."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stylerec.data.arrow_types import canonical, is_accepted
from stylerec.data.csv_files import CsvFile
from stylerec.data.table_errors import (
    MAX_NAMED_ROWS,
    column_error,
    damaged_parquet,
    in_rows,
    not_parquet,
)
from stylerec.data.table_writer import TableWriter
from stylerec.data.text_values import EXPECTED_TEXT, ParsedText, parse_text
from stylerec.errors import shortened
from stylerec.schema.columns import Column, Table

_BATCH_ROWS = 131_072


@dataclass(frozen=True)
class TableFile:
    """A table of the retailer whose columns exist and have the right types.

    Attributes:
        table: The canonical table.
        source: The file as the retailer wrote it, for messages.
        parquet: The same rows as parquet: `source` itself, or what a CSV was converted to.
        columns: Canonical columns present, in schema order.
        extra_columns: Other columns of `source`; they are not read.
        zoneless_columns: Columns with times that name no zone; they are taken as UTC.
        num_rows: Number of rows.
    """

    table: Table
    source: Path
    parquet: Path
    columns: tuple[str, ...]
    extra_columns: tuple[str, ...]
    zoneless_columns: tuple[str, ...]
    num_rows: int

    def batches(self, columns: Iterable[str] | None = None) -> Iterator[pa.Table]:
        """Yields canonical rows in file order, at most 131,072 at a time.

        Args:
            columns: The columns to read; None for all of `columns`.

        Raises:
            DataError: The file is damaged, or a number does not fit its type.
        """
        wanted = self.columns if columns is None else tuple(columns)
        try:
            with pq.ParquetFile(self.parquet) as file:
                for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(wanted)):
                    rows = pa.Table.from_batches([batch])
                    yield pa.table({name: self._column(rows, name) for name in wanted})
        except (pa.ArrowException, OSError) as error:
            raise damaged_parquet(self.source) from error

    def _column(self, rows: pa.Table, name: str) -> pa.ChunkedArray:
        kind = self.table.column(name).kind
        try:
            return canonical(rows.column(name), kind)
        except pa.ArrowInvalid as error:
            raise column_error(
                self.source,
                name,
                expected=f"values that fit {kind}",
                got=f"{rows.schema.field(name).type} values that do not",
                fix=f"write the column as {kind}",
            ) from error


def open_table(path: Path, table: Table, *, scratch: Path) -> TableFile:
    """Returns a table's file ready to be read in batches.

    Args:
        path: The table as parquet or CSV.
        table: The canonical table.
        scratch: Existing folder that receives the parquet form of a CSV.

    Raises:
        DataError: The file cannot be read, lacks a required column, or has one of a wrong type.
    """
    if path.suffix == ".csv":
        return _open_csv(path, table, scratch / f"{table.name}.parquet")
    return _open_parquet(path, table)


def _open_parquet(path: Path, table: Table) -> TableFile:
    try:
        with pq.ParquetFile(path) as file:
            schema, num_rows = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise not_parquet(path) from error
    columns = _present(path, table, schema.names)
    for column in columns:
        dtype = schema.field(column.name).type
        if not is_accepted(dtype, column.kind):
            raise column_error(
                path,
                column.name,
                expected=column.kind,
                got=f"{dtype} in all {num_rows:,} rows",
                fix=f"write the column as {column.kind}",
            )
    types = {column.name: schema.field(column.name).type for column in columns}
    return TableFile(
        table=table,
        source=path,
        parquet=path,
        columns=tuple(types),
        extra_columns=_extra(table, schema.names),
        zoneless_columns=tuple(
            name for name, t in types.items() if pa.types.is_timestamp(t) and t.tz is None
        ),
        num_rows=num_rows,
    )


@dataclass
class _ParsedColumn:
    """What was seen of one CSV column so far."""

    column: Column
    num_wrong: int = 0
    wrong_rows: list[int] = field(default_factory=list)
    is_zoneless: bool = False

    def add(self, parsed: ParsedText, *, first_row: int) -> None:
        wrong = parsed.is_wrong.to_numpy().nonzero()[0]
        self.num_wrong += len(wrong)
        room = MAX_NAMED_ROWS - len(self.wrong_rows)
        self.wrong_rows += [int(row) + first_row for row in wrong[:room]]
        self.is_zoneless |= parsed.has_zoneless_times

    def refuse_wrong(self, path: Path) -> None:
        if self.num_wrong:
            raise column_error(
                path,
                self.column.name,
                expected=EXPECTED_TEXT[self.column.kind],
                got=f"something else in {in_rows(self.num_wrong, self.wrong_rows)}",
                fix="correct those cells, or leave them empty where the column allows it",
            )


def _open_csv(path: Path, table: Table, target: Path) -> TableFile:
    file = CsvFile(path)
    seen = {c.name: _ParsedColumn(c) for c in _present(path, table, file.columns)}
    with TableWriter(target, table, seen) as writer:
        for cells in file.batches():
            parsed = {name: parse_text(cells[name], s.column.kind) for name, s in seen.items()}
            for name, values in parsed.items():
                seen[name].add(values, first_row=writer.num_rows + 1)
            writer.write_arrow(pa.table({name: p.values for name, p in parsed.items()}))
    file.refuse_malformed_rows()
    for column in seen.values():
        column.refuse_wrong(path)
    return TableFile(
        table=table,
        source=path,
        parquet=target,
        columns=tuple(seen),
        extra_columns=_extra(table, file.columns),
        zoneless_columns=tuple(name for name, column in seen.items() if column.is_zoneless),
        num_rows=writer.num_rows,
    )


def _present(path: Path, table: Table, names: Iterable[str]) -> list[Column]:
    """Returns the canonical columns that exist, refusing missing and repeated ones."""
    found = list(names)
    missing = [c.name for c in table.columns if c.is_required and c.name not in found]
    if missing:
        is_other_separator = len(found) == 1 and any(mark in found[0] for mark in ";\t|")
        raise column_error(
            path,
            missing[0],
            expected=f"the required column{'s' * (len(missing) > 1)} {', '.join(missing)}",
            got=f"only {shortened(found, limit=12)}",
            fix="separate the columns with commas"
            if is_other_separator
            else "add it, or rename the column that holds it",
        )
    for column in table.columns:
        if found.count(column.name) > 1:
            raise column_error(
                path,
                column.name,
                expected="one column of that name",
                got=str(found.count(column.name)),
                fix="remove or rename the others",
            )
    return [column for column in table.columns if column.name in found]


def _extra(table: Table, names: Iterable[str]) -> tuple[str, ...]:
    known = {column.name for column in table.columns}
    return tuple(name for name in names if name not in known)
