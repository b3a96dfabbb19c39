"""`stylerec touchpoints ...`: the contract file that says how every touchpoint is answered."""

from pathlib import Path
from typing import Annotated

import typer

from stylerec.errors import ConfigError

FAULTY_EXIT_CODE = 2

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command("lint")
def lint_command(
    file: Annotated[Path, typer.Argument(help="A touchpoint contract (YAML)")],
) -> None:
    """Prints `ok`, or every fault of a contract with its line and fix; faults exit with 2."""
    from stylerec.serving.contract import lint

    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            str(file), expected="UTF-8 text", got="other bytes", fix="save the file as UTF-8"
        ) from error
    faults = lint(text)
    for fault in faults:
        typer.echo(f"{file}: {fault}")
    if faults:
        raise typer.Exit(FAULTY_EXIT_CODE)
    typer.echo(f"{file}: ok")
