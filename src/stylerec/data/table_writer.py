"""Writes one canonical table as parquet, a part at a time."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stylerec.data.arrow_types import arrow_schema
from stylerec.schema.columns import Table

_ROW_GROUP_ROWS = 262_144
"""Rows held before they are written; small row groups would read slowly."""


class TableWriter:
    """A parquet file that grows by parts, in canonical types; use it in a `with` block.

    The same rows give the same bytes. It writes straight to `path`: write into the folder of
    `staging.replaced_folder` so that a failure leaves nothing behind.

    Args:
        path: File to write.
        table: The canonical table.
        columns: The columns it will have; None for all.

    Attributes:
        num_rows: Rows written so far.
    """

    def __init__(self, path: Path, table: Table, columns: Iterable[str] | None = None) -> None:
        self.num_rows = 0
        self._schema = arrow_schema(table, columns)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._parts: list[pa.Table] = []
        self._num_held = 0

    def write(self, rows: pd.DataFrame | Mapping[str, Any]) -> None:
        """Appends rows, given as a frame or as one sequence per column.

        Raises:
            pyarrow.ArrowException: A value is not of its column's type.
            KeyError: A column is missing.
        """
        if isinstance(rows, pd.DataFrame):
            table = pa.Table.from_pandas(
                rows[self._schema.names], schema=self._schema, preserve_index=False
            )
        else:
            table = pa.Table.from_pydict(dict(rows), schema=self._schema)
        self.write_arrow(table)

    def write_arrow(self, rows: pa.Table) -> None:
        """Appends rows that already have the canonical types."""
        self._parts.append(rows.select(self._schema.names).replace_schema_metadata(None))
        self.num_rows += rows.num_rows
        self._num_held += rows.num_rows
        if self._num_held >= _ROW_GROUP_ROWS:
            self._flush()

    def __enter__(self) -> "TableWriter":
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._parts:
            # Twice the size, so that the last part does not spill into a tiny group of its own.
            self._writer.write_table(
                pa.concat_tables(self._parts), row_group_size=2 * _ROW_GROUP_ROWS
            )
        self._parts, self._num_held = [], 0
