"""Moves a log in time, so that an old one is served as if it ended now."""

from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc

from stylerec.data.table_files import TableFile, open_table
from stylerec.data.table_writer import TableWriter
from stylerec.data.tables import table_path
from stylerec.schema.columns import INTERACTIONS, TABLES, TIMESTAMP


def shift_times(folder: Path, *, newest: datetime) -> timedelta | None:
    """Moves every time in a folder of parquet tables by the same span.

    Args:
        folder: Folder of tables; they are rewritten in place.
        newest: The time that the newest interaction gets.

    Returns:
        The span, or None where the interactions have no times and nothing was changed.

    Raises:
        DataError: A table cannot be read.
    """
    with TemporaryDirectory(prefix="stylerec-") as scratch:
        files = [
            open_table(path, table, scratch=Path(scratch))
            for name, table in TABLES.items()
            if (path := table_path(folder, name))
        ]
        times = [_newest(file) for file in files if file.table is INTERACTIONS]
        if not times or times[0] is None:
            return None
        span = newest - times[0]
        for file in files:
            _shift(file, span)
        return span


def _newest(interactions: TableFile) -> datetime | None:
    if TIMESTAMP not in interactions.columns:
        return None
    newest: list[datetime | None] = [
        pc.max(rows[TIMESTAMP]).as_py() for rows in interactions.batches([TIMESTAMP])
    ]
    return max((time for time in newest if time is not None), default=None)


def _shift(file: TableFile, span: timedelta) -> None:
    times = [c.name for c in file.table.columns if c.kind == "timestamp" and c.name in file.columns]
    if not times:
        return
    aside = file.source.with_suffix(".shifted")
    with TableWriter(aside, file.table, file.columns) as writer:
        for rows in file.batches():
            for name in times:
                moved = pc.add(rows[name], pa.scalar(span, pa.duration("us")))
                rows = rows.set_column(rows.column_names.index(name), name, moved)
            writer.write_arrow(rows)
    aside.replace(file.source)
