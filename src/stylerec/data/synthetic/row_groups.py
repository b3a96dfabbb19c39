"""A parquet writer whose bytes depend on the rows alone, not on the portions they come in."""

from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_PER_GROUP = 131_072


class RowGroupWriter:
    """Streams tables of any size into one parquet file of equal row groups.

    Rows are gathered until a row group is full, so the file does not show in what portions they
    came and no more than one row group and one portion are in memory.
    """

    def __init__(
        self, path: Path, schema: pa.Schema, *, rows_per_group: int = ROWS_PER_GROUP
    ) -> None:
        self.num_rows = 0
        self._schema = schema
        self._rows_per_group = rows_per_group
        self._waiting: list[pa.Table] = []
        self._num_waiting = 0
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", version="2.6")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._flush(self._num_waiting)
        finally:
            self._writer.close()

    def write(self, table: pa.Table) -> None:
        """Adds rows; writes as many whole row groups as they complete."""
        self._waiting.append(table.cast(self._schema))
        self._num_waiting += table.num_rows
        self.num_rows += table.num_rows
        self._flush(self._num_waiting // self._rows_per_group * self._rows_per_group)

    def _flush(self, num_rows: int) -> None:
        if num_rows == 0:
            return
        # Pages break at chunk borders, which must not depend on the portions either.
        gathered = pa.concat_tables(self._waiting).combine_chunks()
        for start in range(0, num_rows, self._rows_per_group):
            group = gathered.slice(start, min(self._rows_per_group, num_rows - start))
            self._writer.write_table(group, row_group_size=self._rows_per_group)
        self._waiting = [gathered.slice(num_rows)]
        self._num_waiting = gathered.num_rows - num_rows


def write_table(path: Path, table: pa.Table) -> None:
    """Writes one table with the same fixed options."""
    with RowGroupWriter(path, table.schema) as writer:
        writer.write(table)
