"""DuckDB in process: opens it within a memory limit and reads canonical tables in file order."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import ibis
import pandas as pd
from ibis.expr.types import Table as Expression

from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.queries import ROW
from stylerec.data.table_files import open_table
from stylerec.data.tables import table_path
from stylerec.schema.columns import ColumnKind, Table

_TYPES: dict[ColumnKind, str] = {
    "string": "string",
    "float": "float64",
    "integer": "int64",
    "boolean": "boolean",
    "timestamp": "timestamp('UTC')",
    "string_list": "array<string>",
}


class Engine:
    """A DuckDB database in a scratch folder that holds intermediate tables and spills to it."""

    def __init__(self, scratch: Path, config: PrepareConfig) -> None:
        self._scratch = scratch
        self._names = (f"step_{number}" for number in count())
        self._backend = ibis.duckdb.connect(
            scratch / "prepare.duckdb",
            memory_limit=f"{config.memory_limit_mb}MB",
            threads=config.num_threads,
            temp_directory=str(scratch / "spill"),
        )

    def read(self, folder: Path, table: Table) -> tuple[Expression, frozenset[str]] | None:
        """Returns a canonical table of a folder, and the columns its file has.

        Columns that the file lacks are null, and so are empty strings; `row` numbers the rows in
        file order. None where the folder has no such table.

        Raises:
            DataError: The file cannot be read, or a column is missing or of a wrong type.
        """
        path = table_path(folder, table.name)
        if path is None:
            return None
        file = open_table(path, table, scratch=self._scratch)
        present = frozenset(file.columns)
        raw = self._backend.read_parquet(file.parquet, file_row_number=True)
        cells = {}
        for column in table.columns:
            dtype = _TYPES[column.kind]
            cell = raw[column.name].cast(dtype) if column.name in present else ibis.null(dtype)
            cells[column.name] = cell.nullif("") if column.kind == "string" else cell
        return raw.select(raw.file_row_number.name(ROW), **cells), present

    def table_of(self, frame: pd.DataFrame) -> Expression:
        """Returns a frame's rows as a table."""
        return self.materialise(ibis.memtable(frame))

    def materialise(self, expression: Expression) -> Expression:
        """Runs an expression once and returns its result as a table."""
        return self._backend.create_table(next(self._names), expression)

    def close(self) -> None:
        """Closes the database; its tables can no longer be read."""
        self._backend.disconnect()


def fetch(expression: Expression) -> pd.DataFrame:
    """Runs an expression and returns its rows as a frame."""
    frame: pd.DataFrame = expression.to_pandas()
    return frame


@contextmanager
def open_engine(scratch: Path, config: PrepareConfig) -> Iterator[Engine]:
    """Yields an engine on an empty scratch folder and closes it."""
    engine = Engine(scratch, config)
    try:
        yield engine
    finally:
        engine.close()
