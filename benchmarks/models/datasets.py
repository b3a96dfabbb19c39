"""Finds the data, imports it where it is not tables yet, and prepares it."""

from collections.abc import Callable
from pathlib import Path

from stylerec.data.importing import import_tables
from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import SplitConfig
from stylerec.errors import DataError


def prepared_data(
    source: Path,
    work: Path,
    *,
    split: SplitConfig | None = None,
    progress: Callable[[str], None] = print,
) -> Path:
    """Returns a folder of prepared data made from tables or from a known public layout.

    What an earlier call made is used again.

    Args:
        source: Folder of canonical tables, of an S3-Rec sequence file or of Taobao's CSV.
        work: Folder for tables and prepared data.
        split: How interactions are held out; None for leave-one-out.
        progress: Takes one line per step.

    Raises:
        DataError: The folder holds none of these.
    """
    chosen = split or SplitConfig()
    output = work / f"prepared-{chosen.kind}"
    if not (output / "dataset.json").exists():
        tables = _tables(source, work / "tables")
        prepare(tables, output, PrepareConfig(split=chosen), progress=progress)
    return output


def dataset_line(prepared: Path) -> str:
    """Returns the size of the data as one sentence."""
    summary = PreparedData(prepared).summary
    split = PreparedData(prepared).split
    return (
        f"{summary.num_customers:,} customers, {summary.num_items:,} items, "
        f"{summary.num_interactions:,} interactions; {len(split.test):,} test targets"
    )


def _tables(source: Path, work: Path) -> Path:
    if _holds(source, "items.parquet", "items.csv"):
        return source
    if _holds(source, "UserBehavior.csv"):
        layout = "taobao"
    elif list(source.glob("*.txt")):
        layout = "s3rec"
    else:
        raise DataError(
            str(source),
            expected="items.parquet, items.csv, an S3-Rec .txt file or Taobao's UserBehavior.csv",
            got="none of them",
            fix="make tables with `stylerec import`, and give their folder",
        )
    if not _holds(work, "items.parquet"):
        import_tables(layout, source, work)
    return work


def _holds(folder: Path, *names: str) -> bool:
    return any((folder / name).exists() for name in names)
