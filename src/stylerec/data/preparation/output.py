"""Where prepared data may be written, and what its errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from safetensors import SafetensorError

from stylerec.aside import written_aside
from stylerec.errors import DataError

_MARK = "dataset.json"


@contextmanager
def replaced_output(output: Path) -> Iterator[Path]:
    """Yields an empty sibling folder that replaces `output` when the block succeeds.

    Raises:
        DataError: `output` holds something else than prepared data, cannot be written, or DuckDB
            ran out of memory or disk. What was there before is still there.
    """
    is_replaceable = not output.exists() or (
        output.is_dir() and ((output / _MARK).exists() or not any(output.iterdir()))
    )
    if not is_replaceable:
        raise DataError(
            str(output.resolve()),
            expected="an empty folder or a folder of prepared data",
            got="something else",
            fix="name another folder; nothing was changed",
        )
    try:
        with written_aside(output, error=DataError, write_errors=(SafetensorError,)) as result:
            yield result
    except duckdb.Error as error:
        # DuckDB's own message may quote a row.
        raise DataError(
            str(output.resolve()),
            expected="memory and disk for the tables",
            got=f"DuckDB's {type(error).__name__}",
            fix="free disk space beside the output, or raise memory_limit_mb in the configuration",
        ) from error
