"""StyleRec's own tables, as a retailer exports them.

Source: a folder with `items` and `interactions` or `outfits` (or both), and optionally
`impressions`, each as `.parquet` or `.csv`, columns as in `schema.columns`; pictures inside the
folder, named by `items.image_path`. Unknown columns are left behind.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from stylerec.data.readers.sources import ReadResult, copy_pictures
from stylerec.data.table_writer import TableWriter
from stylerec.data.validation import column_warnings, open_tables
from stylerec.schema.columns import IMAGE_PATH, ITEMS


def read(source: Path, output: Path) -> ReadResult:
    """Writes the source's tables as parquet in canonical types, and copies its pictures.

    Args:
        source: The retailer's folder.
        output: Existing folder for the tables.

    Raises:
        DataError: A table is missing, unreadable or empty, or its columns are not right.
    """
    with TemporaryDirectory(prefix="stylerec-") as scratch:
        files = open_tables(source, scratch=Path(scratch))
        for name, file in files.items():
            if not file.num_rows:
                continue
            with TableWriter(output / f"{name}.parquet", file.table, file.columns) as writer:
                for rows in file.batches():
                    writer.write_arrow(rows)
        if IMAGE_PATH in files[ITEMS.name].columns:
            for rows in files[ITEMS.name].batches([IMAGE_PATH]):
                paths = [path for path in rows[IMAGE_PATH].to_pylist() if path]
                copy_pictures(source, output, zip(paths, paths, strict=True))
        return ReadResult(notes=tuple(column_warnings(files)))
