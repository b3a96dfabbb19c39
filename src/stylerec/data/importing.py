"""Imports a public or retailer data set as a folder of canonical tables, whole or not at all."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from stylerec.data.readers import mango, polyvore, rees46, s3rec, tables, taobao
from stylerec.data.readers.sources import ReadResult
from stylerec.data.staging import replaced_folder
from stylerec.data.time_shift import shift_times
from stylerec.data.validation import validate_tables
from stylerec.errors import ConfigError, DataError
from stylerec.schema.columns import (
    BRAND,
    CATEGORY,
    EVENT_TYPE,
    IMAGE_PATH,
    IMPRESSIONS,
    IN_STOCK,
    INTERACTIONS,
    ITEMS,
    MARKET,
    OUTFITS,
    PRICE,
    SESSION_ID,
    TIMESTAMP,
    TITLE,
)

READERS: dict[str, Callable[[Path, Path], ReadResult]] = {
    "mango": mango.read,
    "polyvore": polyvore.read,
    "rees46": rees46.read,
    "s3rec": s3rec.read,
    "tables": tables.read,
    "taobao": taobao.read,
}
"""Format to its reader; the module's docstring describes the source's layout."""

_PARTS = {
    "event types": (INTERACTIONS, EVENT_TYPE),
    "timestamps": (INTERACTIONS, TIMESTAMP),
    "sessions": (INTERACTIONS, SESSION_ID),
    "markets": (INTERACTIONS, MARKET),
    "titles": (ITEMS, TITLE),
    "brands": (ITEMS, BRAND),
    "categories": (ITEMS, CATEGORY),
    "prices": (ITEMS, PRICE),
    "stock": (ITEMS, IN_STOCK),
    "pictures": (ITEMS, IMAGE_PATH),
}


class ImportReport(BaseModel):
    """What an import wrote.

    Attributes:
        format: Name of the source's format.
        rows: Table to its number of rows.
        lacks: What the source does not have, such as `timestamps`; the branches that need it are
            left out later.
        skipped: Reason to the number of source rows left out.
        notes: What else is odd, one sentence each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    rows: dict[str, int]
    lacks: tuple[str, ...]
    skipped: dict[str, int]
    notes: tuple[str, ...]


def import_tables(
    format: str,
    source: Path,
    folder: Path,
    *,
    shift_to_now: bool = False,
    now: datetime | None = None,
) -> ImportReport:
    """Imports `source` as canonical tables into `folder` and returns what that gave.

    The tables are written aside, validated, and take the place of earlier ones in one step; a
    failed import leaves what was there.

    Args:
        format: One of `READERS`.
        source: File or folder in that format.
        folder: Folder to make; empty, absent, or holding tables that are then replaced.
        shift_to_now: Move all times by the same span so that the newest interaction happens now.
        now: The present; None for the clock.

    Raises:
        ConfigError: There is no such format.
        DataError: The source cannot be read or breaks the schema, or `folder` cannot be replaced.
    """
    _check_arguments(format, source, folder)
    now = now or datetime.now(UTC)
    with replaced_folder(folder) as staged:
        result = READERS[format](source, staged)
        notes = list(result.notes)
        if shift_to_now:
            notes.append(_shift(staged, now))
        try:
            valid = validate_tables(staged, now=now)
        except DataError as error:
            raise _named_by_source(error, staged, source) from error
    return ImportReport(
        format=format,
        rows=valid.rows,
        lacks=_lacks(valid.columns),
        skipped=result.skipped,
        notes=(*notes, *valid.warnings),
    )


def _check_arguments(format: str, source: Path, folder: Path) -> None:
    if format not in READERS:
        raise ConfigError(
            "format",
            expected=f"one of {', '.join(READERS)}",
            got=format,
            fix="choose one of these; `tables` is for StyleRec's own columns",
        )
    if source.resolve().is_relative_to(folder.resolve()):
        raise DataError(
            str(folder),
            expected="a folder outside the source",
            got="one that holds it",
            fix="name another folder; nothing was changed",
        )


def _shift(staged: Path, now: datetime) -> str:
    span = shift_times(staged, newest=now.replace(microsecond=0))
    if span is None:
        return "nothing to shift: the interactions have no timestamps"
    return f"all times moved by {span.total_seconds() / 86_400:+,.1f} days"


def _named_by_source(error: DataError, staged: Path, source: Path) -> DataError:
    """Returns the error with the source in place of the staged folder, which no longer exists."""
    where = error.where.removeprefix(str(staged.resolve())).lstrip("/")
    return DataError(
        f"{source}, read as {where}" if where else str(source),
        expected=error.expected,
        got=error.got,
        fix=error.fix,
    )


def _lacks(columns: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    tables = [t.name for t in (INTERACTIONS, OUTFITS, IMPRESSIONS) if t.name not in columns]
    # The parts of a missing table go without saying.
    parts = [
        part
        for part, (table, column) in _PARTS.items()
        if column not in columns.get(table.name, (column,))
    ]
    return (*tables, *parts)
