"""The logical column types of `schema.columns` as Arrow types, and as columns of pandas frames."""

from collections.abc import Callable, Iterable

import pandas as pd
import pyarrow as pa
import pyarrow.types as pat

from stylerec.schema.columns import ColumnKind, Table

ARROW_TYPES: dict[ColumnKind, pa.DataType] = {
    "string": pa.string(),
    "float": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "string_list": pa.list_(pa.string()),
}
"""What a column of each kind is written as and read into."""


def arrow_schema(table: Table, columns: Iterable[str] | None = None) -> pa.Schema:
    """Returns the Arrow schema of a canonical table, in its column order.

    Args:
        table: The canonical table.
        columns: The columns to keep; None for all.
    """
    kept = None if columns is None else set(columns)
    return pa.schema(
        [
            pa.field(column.name, ARROW_TYPES[column.kind])
            for column in table.columns
            if kept is None or column.name in kept
        ]
    )


def is_accepted(dtype: pa.DataType, kind: ColumnKind) -> bool:
    """Whether a parquet column of type `dtype` can stand for `kind` without guessing.

    A column without any value has Arrow's null type and stands for every kind.
    """
    return pat.is_null(dtype) or _ACCEPTS[kind](dtype)


def canonical(values: pa.ChunkedArray, kind: ColumnKind) -> pa.ChunkedArray:
    """Returns the values as the kind's Arrow type; a time without a zone is taken as UTC.

    Raises:
        pyarrow.ArrowInvalid: A number does not fit.
    """
    # Nanoseconds beyond the microsecond are dropped; every other loss is an error.
    return values.cast(ARROW_TYPES[kind], safe=kind != "timestamp")


def to_frame(rows: pa.Table) -> pd.DataFrame:
    """Returns canonical rows as a pandas frame.

    Strings are `str` objects with None where missing, floats have NaN, timestamps are
    `datetime64[us, UTC]`. Booleans and integers are `bool` and `int64`, or the nullable `boolean`
    and `Int64` where a value is missing. A string list is a numpy array of `str`, or None.
    """
    frame: pd.DataFrame = rows.to_pandas()
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        if column.null_count and pat.is_integer(column.type):
            frame[name] = column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        elif column.null_count and pat.is_boolean(column.type):
            frame[name] = column.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    return frame


def _is_string(dtype: pa.DataType) -> bool:
    if pat.is_dictionary(dtype):
        return _is_string(dtype.value_type)
    return bool(pat.is_string(dtype) or pat.is_large_string(dtype) or pat.is_string_view(dtype))


def _is_string_list(dtype: pa.DataType) -> bool:
    is_list = pat.is_list(dtype) or pat.is_large_list(dtype)
    # A file whose lists are all empty holds lists of Arrow's null type.
    return is_list and (_is_string(dtype.value_type) or pat.is_null(dtype.value_type))


_ACCEPTS: dict[ColumnKind, Callable[[pa.DataType], bool]] = {
    "string": _is_string,
    "float": lambda dtype: bool(
        pat.is_floating(dtype) or pat.is_integer(dtype) or pat.is_decimal(dtype)
    ),
    "integer": pat.is_integer,
    "boolean": pat.is_boolean,
    "timestamp": pat.is_timestamp,
    "string_list": _is_string_list,
}
