"""A retailer's canonical tables: where their files are, and small ones as frames."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa

from stylerec.data.arrow_types import arrow_schema, to_frame
from stylerec.data.staging import TABLE_SUFFIXES, replaced_folder
from stylerec.data.table_files import open_table
from stylerec.data.table_writer import TableWriter
from stylerec.errors import DataError
from stylerec.schema.columns import (
    IMPRESSIONS,
    INTERACTIONS,
    ITEMS,
    OUTFITS,
    TABLES,
    Table,
)


@dataclass(frozen=True)
class Tables:
    """A retailer's tables in memory; column types as `arrow_types.to_frame` gives them.

    Only the canonical columns that the files have are there. Rows keep the order of the file:
    without a `timestamp` column it is the time order within a customer.

    Attributes:
        items: The catalogue.
        interactions: The log, or None for a retailer that has outfits only.
        outfits: Stylists' outfits, or None.
        impressions: What was shown and clicked, or None.
    """

    items: pd.DataFrame
    interactions: pd.DataFrame | None = None
    outfits: pd.DataFrame | None = None
    impressions: pd.DataFrame | None = None


def table_path(folder: Path, table: str) -> Path | None:
    """Returns the file of a table, parquet before CSV, or None where the folder has neither.

    Args:
        folder: Folder of tables.
        table: Name of a canonical table.
    """
    for suffix in TABLE_SUFFIXES:
        path = folder / f"{table}{suffix}"
        if path.exists():
            return path
    return None


def read_table(folder: Path, table: Table) -> pd.DataFrame | None:
    """Returns one table as a frame, or None where the folder has none.

    Raises:
        DataError: The file cannot be read, lacks a required column, or has one of a wrong type.
    """
    path = table_path(folder, table.name)
    if path is None:
        return None
    with TemporaryDirectory(prefix="stylerec-") as scratch:
        file = open_table(path, table, scratch=Path(scratch))
        schema = arrow_schema(table, file.columns)
        # `concat_tables` of no batch at all would have no columns.
        return to_frame(pa.concat_tables([schema.empty_table(), *file.batches()]))


def read_tables(folder: Path) -> Tables:
    """Returns a folder's tables; values are not checked, see `validation.validate_tables`.

    Raises:
        DataError: A table is missing or cannot be read, or a column is missing or of a wrong type.
    """
    found = {name: read_table(folder, table) for name, table in TABLES.items()}
    refuse_missing_tables(folder, {name for name, frame in found.items() if frame is not None})
    items = found[ITEMS.name]
    assert items is not None
    return Tables(
        items=items,
        interactions=found[INTERACTIONS.name],
        outfits=found[OUTFITS.name],
        impressions=found[IMPRESSIONS.name],
    )


def write_tables(folder: Path, tables: Tables) -> None:
    """Replaces a folder's tables by parquet files, all of them or none.

    Pictures already in the folder are not kept; a caller with pictures writes through
    `staging.replaced_folder` and `TableWriter` itself.

    Raises:
        DataError: `folder` holds something else, or the disk is full or not writable.
    """
    with replaced_folder(folder) as staged:
        for name, table in TABLES.items():
            frame: pd.DataFrame | None = getattr(tables, name)
            if frame is not None:
                with TableWriter(staged / f"{name}.parquet", table, frame.columns) as writer:
                    writer.write(frame)


def refuse_missing_tables(folder: Path, found: set[str]) -> None:
    """Raises for a required table that neither exists nor is made up for by another.

    Raises:
        DataError: The folder or one of its required tables is missing.
    """
    for table in TABLES.values():
        if not table.is_required or found & {table.name, table.required_unless}:
            continue
        alternative = f", or {table.required_unless}" if table.required_unless else ""
        raise DataError(
            str(folder),
            expected=f"{table.name}.parquet or {table.name}.csv{alternative}",
            got=("only " + ", ".join(sorted(found)) if found else "none of StyleRec's tables")
            if folder.is_dir()
            else "no such folder",
            fix="`stylerec import` or `stylerec generate` makes such a folder",
        )
