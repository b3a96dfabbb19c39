"""Commands that make or check a folder of tables."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


class Format(StrEnum):
    """Formats of `stylerec import`; `data.importing.READERS` holds their readers."""

    MANGO = "mango"
    POLYVORE = "polyvore"
    REES46 = "rees46"
    S3REC = "s3rec"
    TABLES = "tables"
    TAOBAO = "taobao"


@app.command("import")
def import_command(
    format: Annotated[Format, typer.Argument(help="Format of the source", show_default=False)],
    source: Annotated[Path, typer.Argument(help="File or folder to import", show_default=False)],
    folder: Annotated[Path, typer.Argument(help="Folder of tables to make", show_default=False)],
    shift_to_now: Annotated[
        bool,
        typer.Option(
            "--shift-to-now", help="Move all times so that the newest interaction happens now"
        ),
    ] = False,
) -> None:
    """Makes a folder of tables from a data set; earlier tables there are replaced on success."""
    from stylerec.data.importing import import_tables

    report = import_tables(format.value, source, folder, shift_to_now=shift_to_now)
    _echo_rows(folder, report.rows)
    for reason, count in report.skipped.items():
        typer.echo(f"  skipped  {count:>12,}  {reason}")
    if report.lacks:
        typer.echo(f"  not in this source: {', '.join(report.lacks)}")
    for note in report.notes:
        typer.echo(f"  note: {note}")


@app.command()
def generate(
    folder: Annotated[Path, typer.Argument(help="Folder of tables to make", show_default=False)],
    seed: Annotated[int | None, typer.Option(help="Same seed, same bytes")] = None,
    customers: Annotated[int | None, typer.Option(help="Number of customers")] = None,
    items: Annotated[int | None, typer.Option(help="Number of items")] = None,
    end: Annotated[str | None, typer.Option(help="Day after the last one, as 2026-06-01")] = None,
) -> None:
    """Makes the tables of a synthetic retailer, pictures included."""
    from pydantic import ValidationError

    from stylerec.data.synthetic.config import SyntheticConfig
    from stylerec.data.synthetic.generate import generate as generate_retailer
    from stylerec.errors import ConfigError

    chosen = {"seed": seed, "num_customers": customers, "num_items": items, "end": end}
    try:
        config = SyntheticConfig.model_validate(
            {name: value for name, value in chosen.items() if value is not None}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            "synthetic." + ".".join(str(part) for part in first["loc"]),
            expected="a value within the retailer's bounds",
            got=str(first["input"]),
            fix=first["msg"],
        ) from error
    report = generate_retailer(folder, config, progress=typer.echo)
    _echo_rows(
        folder,
        {
            "interactions": report.num_interactions,
            "items": report.num_items,
            "outfits": report.num_outfits,
            "impressions": report.num_impressions,
        },
    )


@app.command()
def validate(
    folder: Annotated[Path, typer.Argument(help="Folder of tables", show_default=False)],
) -> None:
    """Checks a folder of tables against their schema; exit code 2 if it breaks it."""
    from stylerec.data.validation import validate_tables

    report = validate_tables(folder)
    _echo_rows(folder, report.rows)
    for warning in report.warnings:
        typer.echo(f"  warning: {warning}")


def _echo_rows(folder: Path, rows: Mapping[str, int]) -> None:
    typer.echo(str(folder))
    for name, count in rows.items():
        typer.echo(f"  {name:<14} {count:>12,} rows")
