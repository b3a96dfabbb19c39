"""Checks across the rows of a table and across tables, run by DuckDB on the files themselves.

They never hold a table in memory: what does not fit is spilled to the scratch folder.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from stylerec.data.table_errors import MAX_NAMED_ROWS, column_error, in_rows
from stylerec.data.table_files import TableFile
from stylerec.schema.columns import IS_HERO, ITEM_ID, OUTFIT_ID, PRICE, SALE_PRICE, Table

MAX_UNKNOWN_SHARE = 0.5
"""With more rows than this naming unknown items, the two tables do not belong together."""


@contextmanager
def cross_check_engine(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields a DuckDB connection that spills to `scratch`."""
    with duckdb.connect(config={"temp_directory": str(scratch / "spill")}) as engine:
        yield engine


def refuse_repeats(engine: duckdb.DuckDBPyConnection, file: TableFile) -> None:
    """Refuses a table in which a unique column or its key repeats; missing values never repeat.

    Raises:
        DataError: A value that must be unique occurs in several rows.
    """
    for columns in _unique_columns(file.table):
        if not set(columns) <= set(file.columns):
            continue
        names = ", ".join(columns)
        filled = " AND ".join(f"{name} IS NOT NULL" for name in columns)
        repeated = _number(
            engine,
            "SELECT coalesce(sum(copies - 1), 0) FROM (SELECT count(*) AS copies "
            f"FROM read_parquet(?) WHERE {filled} GROUP BY {names})",
            file.parquet,
        )
        if repeated:
            raise column_error(
                file.source,
                " and ".join(columns),
                expected="every value once" if len(columns) == 1 else "every combination once",
                got=f"a repeat in {in_rows(repeated, _repeats(engine, file, names, filled))}",
                fix="drop the copies",
            )


def count_unknown_items(
    engine: duckdb.DuckDBPyConnection, file: TableFile, items: TableFile
) -> int:
    """Returns how many rows name an item that the catalogue lacks.

    Raises:
        DataError: More than half of the rows do.
    """
    unknown = "FROM read_parquet(?, file_row_number = true) AS r ANTI JOIN read_parquet(?) AS i "
    paths = (file.parquet, items.parquet)
    count = _number(engine, f"SELECT count(*) {unknown} USING ({ITEM_ID})", *paths)
    if count > MAX_UNKNOWN_SHARE * file.num_rows:
        rows = _numbers(
            engine,
            f"SELECT file_row_number + 1 {unknown} USING ({ITEM_ID}) "
            f"ORDER BY 1 LIMIT {MAX_NAMED_ROWS}",
            *paths,
        )
        raise column_error(
            file.source,
            ITEM_ID,
            expected=f"items of {items.source.name} in {1 - MAX_UNKNOWN_SHARE:.0%} or more of rows",
            got=f"unknown items in {in_rows(count, rows)}, {count / file.num_rows:.0%} of all",
            fix="export both tables from the same catalogue, and compare the form of their ids",
        )
    return count


def count_odd_outfits(engine: duckdb.DuckDBPyConnection, outfits: TableFile) -> int:
    """Returns how many outfits have no hero or several, 0 where the table names none at all."""
    if IS_HERO not in outfits.columns:
        return 0
    return _number(
        engine,
        f"SELECT count(*) FROM (SELECT count(*) FILTER ({IS_HERO}) AS heroes "
        f"FROM read_parquet(?) GROUP BY {OUTFIT_ID}) WHERE heroes <> 1",
        outfits.parquet,
    )


def count_raised_prices(engine: duckdb.DuckDBPyConnection, items: TableFile) -> int:
    """Returns how many items cost more in the sale than before it."""
    if not {PRICE, SALE_PRICE} <= set(items.columns):
        return 0
    return _number(
        engine, f"SELECT count(*) FROM read_parquet(?) WHERE {SALE_PRICE} > {PRICE}", items.parquet
    )


def _unique_columns(table: Table) -> list[tuple[str, ...]]:
    unique: list[tuple[str, ...]] = [(column.name,) for column in table.columns if column.is_unique]
    return [*unique, table.key] if table.key and table.key not in unique else unique


def _repeats(
    engine: duckdb.DuckDBPyConnection, file: TableFile, names: str, filled: str
) -> list[int]:
    return _numbers(
        engine,
        "SELECT file_row_number + 1 FROM (SELECT file_row_number, row_number() OVER "
        f"(PARTITION BY {names} ORDER BY file_row_number) AS copy "
        f"FROM read_parquet(?, file_row_number = true) WHERE {filled}) "
        f"WHERE copy > 1 ORDER BY 1 LIMIT {MAX_NAMED_ROWS}",
        file.parquet,
    )


def _number(engine: duckdb.DuckDBPyConnection, query: str, *paths: Path) -> int:
    return _numbers(engine, query, *paths)[0]


def _numbers(engine: duckdb.DuckDBPyConnection, query: str, *paths: Path) -> list[int]:
    rows = engine.execute(query, [str(path) for path in paths]).fetchall()
    return [int(row[0]) for row in rows]
