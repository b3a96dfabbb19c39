"""Cells of a CSV file to typed values, telling which cells are not of the column's kind."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stylerec.data.arrow_types import ARROW_TYPES
from stylerec.schema.columns import ColumnKind

TRUE_WORDS = ("true", "t", "yes", "y", "1")
FALSE_WORDS = ("false", "f", "no", "n", "0")
LIST_SEPARATOR = "|"

EXPECTED_TEXT: dict[ColumnKind, str] = {
    "string": "text",
    "float": "numbers such as 12.5",
    "integer": "whole numbers",
    "boolean": "true or false (any case; yes/no and 1/0 too)",
    "timestamp": "ISO 8601 times such as 2026-11-21T09:30:00Z",
    "string_list": f"texts separated by {LIST_SEPARATOR}",
}
"""What a cell of each kind looks like, for messages."""

_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
# pandas writes a whole-number column with gaps as 3.0.
_WHOLE_NUMBER = r"^-?\d{1,18}(\.0*)?$"
_TIME = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$"
_ZONE = r"(Z|[+-]\d{2}:?\d{2})$"


@dataclass(frozen=True)
class ParsedText:
    """Parsed cells of one column.

    Attributes:
        values: The values in the kind's Arrow type, null where a cell is empty or wrong.
        is_wrong: Boolean per row: the cell is not of the kind.
        has_zoneless_times: A time named no zone and was taken as UTC.
    """

    values: pa.ChunkedArray
    is_wrong: pa.ChunkedArray
    has_zoneless_times: bool = False


def parse_text(cells: pa.ChunkedArray, kind: ColumnKind) -> ParsedText:
    """Returns the cells as values of `kind`; spaces around them count only in plain strings.

    Args:
        cells: Strings, null where empty.
        kind: Logical type of the column.
    """
    if kind == "string":
        return ParsedText(cells, _not_null(cells, pc.is_null(cells)))
    trimmed = pc.utf8_trim_whitespace(cells)
    if kind == "timestamp":
        return _parse_times(trimmed)
    values = _PARSERS[kind](trimmed)
    return ParsedText(values, _not_null(cells, pc.is_null(values)))


def _not_null(cells: pa.ChunkedArray, is_missing: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.and_(pc.is_valid(cells), is_missing)


def _matching(cells: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    return pc.if_else(pc.match_substring_regex(cells, pattern), cells, None)


def _parse_floats(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    return _matching(cells, _NUMBER).cast(ARROW_TYPES["float"])


def _parse_integers(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    whole = _matching(cells, _WHOLE_NUMBER)
    return pc.replace_substring_regex(whole, r"\..*$", "").cast(ARROW_TYPES["integer"])


def _parse_booleans(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    words = pc.utf8_lower(cells)
    is_true = pc.is_in(words, pa.array(TRUE_WORDS))
    is_known = pc.or_(is_true, pc.is_in(words, pa.array(FALSE_WORDS)))
    return pc.if_else(is_known, is_true, None)


def _parse_lists(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    tidy = pc.replace_substring_regex(cells, r"\s*\|[\s|]*", LIST_SEPARATOR)
    filled = _matching(pc.utf8_trim(tidy, LIST_SEPARATOR), ".")
    return pc.split_pattern(filled, LIST_SEPARATOR)


def _parse_times(cells: pa.ChunkedArray) -> ParsedText:
    # Spark, REES46 and others name the zone in words.
    iso = pc.replace_substring_regex(cells, r"\s*UTC$", "Z")
    shaped = _matching(iso, _TIME)
    is_zoneless = pc.invert(pc.match_substring_regex(shaped, _ZONE))
    # A zone is given to every time: pandas 2.3 reads one without a zone in the zone of the row
    # before it.
    full = pc.replace_substring_regex(shaped, r"^(\d{4}-\d{2}-\d{2})$", r"\1T00:00")
    zoned = pc.if_else(is_zoneless, pc.binary_join_element_wise(full, "Z", ""), full)
    times = pd.to_datetime(zoned.to_pandas(), format="ISO8601", utc=True, errors="coerce")
    values = pa.chunked_array([pa.Array.from_pandas(times)]).cast(
        ARROW_TYPES["timestamp"], safe=False
    )
    return ParsedText(
        values,
        _not_null(cells, pc.is_null(values)),
        has_zoneless_times=bool(pc.any(is_zoneless).as_py()),
    )


_PARSERS: dict[ColumnKind, Callable[[pa.ChunkedArray], pa.ChunkedArray]] = {
    "float": _parse_floats,
    "integer": _parse_integers,
    "boolean": _parse_booleans,
    "string_list": _parse_lists,
}
