"""The prepared folder, written aside and put in place in one step."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from safetensors import SafetensorError

from stylerec.errors import DataError

RESULT = "prepared"
"""Folder in the scratch folder that becomes the output."""
_MARK = "dataset.json"


@contextmanager
def replaced_output(output: Path) -> Iterator[Path]:
    """Yields a scratch folder beside `output` whose folder `RESULT` replaces it on success.

    Raises:
        DataError: `output` holds something else than prepared data, cannot be written, or DuckDB
            ran out of memory or disk. What was there before is still there.
    """
    output = output.absolute()
    is_replaceable = not output.exists() or (
        output.is_dir() and ((output / _MARK).exists() or not any(output.iterdir()))
    )
    if not is_replaceable:
        raise DataError(
            str(output),
            expected="an empty folder or a folder of prepared data",
            got="something else",
            fix="name another folder; nothing was changed",
        )
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(
            tempfile.mkdtemp(prefix=f".{output.name}-", suffix=".partial", dir=output.parent)
        )
    except OSError as error:
        raise _cannot_write(output, error) from error
    try:
        yield scratch
        if output.exists():
            output.rename(scratch / "previous")
        (scratch / RESULT).rename(output)
    except (OSError, SafetensorError) as error:
        if (scratch / "previous").exists() and not output.exists():
            (scratch / "previous").rename(output)
        raise _cannot_write(output, error) from error
    except duckdb.Error as error:
        # DuckDB's own message may quote a row.
        raise DataError(
            str(output),
            expected="memory and disk for the tables",
            got=f"DuckDB's {type(error).__name__}",
            fix="free disk space beside the output, or raise memory_limit_mb in the configuration",
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _cannot_write(output: Path, error: OSError | SafetensorError) -> DataError:
    return DataError(
        str(output),
        expected="a folder that can be written",
        got=getattr(error, "strerror", None) or f"a failed write ({error})",
        fix="free some space or check the permissions; what was there before is unchanged",
    )
