"""CSV files as streams of text columns: any size, every cell a string until it is parsed."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from stylerec.errors import DataError, shortened

_BLOCK_BYTES = 1 << 24
"""Bytes read at a time; a single row has to fit."""


class CsvFile:
    """A CSV file: UTF-8 (with or without a byte order mark), comma separated, any line ending.

    Args:
        path: The file.
        column_names: Names of the columns of a file without a header; None reads the header.

    Attributes:
        path: The file.
        columns: Column names in file order.
        malformed_rows: Rows (from 1, the header not counted) with too few or too many cells, which
            `batches` left out; filled while it runs.

    Raises:
        DataError: The file is missing, empty, not UTF-8, or its header repeats a name.
    """

    def __init__(self, path: Path, *, column_names: Sequence[str] | None = None) -> None:
        self.path = path
        self.columns = _header(path) if column_names is None else tuple(column_names)
        self.malformed_rows: list[int] = []
        self._has_header = column_names is None

    def batches(self) -> Iterator[pa.Table]:
        """Yields the rows in file order, all columns strings, an empty cell null.

        Raises:
            DataError: The file cannot be read as CSV.
        """
        try:
            last_cell = None
            for batch in self._open():
                if batch.num_rows:
                    last_cell = batch.column(batch.num_columns - 1)[-1].as_py()
                yield pa.Table.from_batches([batch])
            # Arrow takes the end of the file for the missing quote: every row after it would be
            # lost inside one cell.
            if last_cell and "\n" in last_cell and not _ends_with_quote(self.path):
                raise _unreadable(self.path, "a quote that is opened and never closed")
        except pa.ArrowInvalid as error:
            if "Empty CSV file" in str(error):
                return
            # Arrow's message quotes the row, which may hold a customer's id.
            reason = "text that is not UTF-8" if "UTF8" in str(error) else "rows out of shape"
            raise _unreadable(self.path, reason) from None
        except OSError as error:
            raise _unreadable(self.path, error.strerror or "a read error") from error

    def refuse_malformed_rows(self) -> None:
        """Raises for the rows that `batches` left out.

        Raises:
            DataError: A row had too few or too many cells.
        """
        if self.malformed_rows:
            raise DataError(
                str(self.path),
                expected=f"{len(self.columns)} cells in every row",
                got=f"another number in {len(self.malformed_rows):,} rows "
                f"(row {shortened(self.malformed_rows)})",
                fix="quote the values that hold commas, and complete the rows that were cut off",
            )

    def _open(self) -> pacsv.CSVStreamingReader:
        return pacsv.open_csv(
            self.path,
            # Threads would hide the row numbers of malformed rows.
            read_options=pacsv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK_BYTES,
                column_names=None if self._has_header else list(self.columns),
            ),
            parse_options=pacsv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=self._leave_out
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(self.columns, pa.string()),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )

    def _leave_out(self, row: pacsv.InvalidRow) -> str:
        self.malformed_rows.append((row.number or 0) - int(self._has_header))
        return "skip"


def _header(path: Path) -> tuple[str, ...]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file), None)
    except UnicodeDecodeError as error:
        raise _unreadable(path, "text that is not UTF-8") from error
    except csv.Error as error:
        raise _unreadable(path, f"a header that is not CSV ({error})") from error
    except OSError as error:
        raise _unreadable(path, error.strerror or "a read error") from error
    if not names:
        raise DataError(
            str(path),
            expected="a header line with the column names",
            got="an empty file" if names is None else "an empty first line",
            fix="write the column names in the first line",
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            str(path),
            expected="distinct column names",
            got=f"{shortened(repeated)} more than once",
            fix="remove or rename the repeated columns",
        )
    return tuple(names)


def _ends_with_quote(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 8))
        return file.read().rstrip().endswith(b'"')


def _unreadable(path: Path, got: str) -> DataError:
    return DataError(
        str(path),
        expected="a readable CSV file in UTF-8, separated by commas",
        got=got,
        fix="save it again as comma-separated UTF-8, or as parquet",
    )
