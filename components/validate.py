"""Component: checks the tables against their schema."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def validate(tables: dsl.Input[dsl.Dataset], report: dsl.Output[dsl.Artifact]):
    """Refuses tables that break the schema, and records counts and warnings of good ones.

    Args:
        tables: What `ingest` wrote.
        report: The validation report as JSON.
    """
    from datetime import UTC, datetime
    from pathlib import Path

    from stylerec.data.validation import validate_tables

    result = validate_tables(Path(tables.path), now=datetime.now(UTC))
    Path(report.path).write_text(result.model_dump_json(indent=2))
    for warning in result.warnings:
        print(f"warning: {warning}")
