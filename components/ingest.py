"""Component: brings the retailer's tables into the run."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def ingest(source: str, tables: dsl.Output[dsl.Dataset]):
    """Copies the canonical tables of `source` (a folder) into the run, checking them on the way.

    Args:
        source: Folder of interactions, items and outfits as parquet or CSV.
        tables: The copy that every later step reads.
    """
    from pathlib import Path

    from stylerec.data.importing import import_tables

    report = import_tables("tables", Path(source), Path(tables.path))
    tables.metadata.update(report.rows)
