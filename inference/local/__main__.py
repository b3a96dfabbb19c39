"""`python -m inference.local demo|serve`: what the Makefile's targets run."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from inference.local.demo import Interrupted, demo, serve
from inference.local.processes import StepFailedError
from stylerec.errors import StyleRecError

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)

_Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of canonical tables; the synthetic retailer without it"),
]
_INTERRUPTED_EXIT_CODE = 130


@app.command("demo")
def demo_command(data: _Data = None) -> None:
    """Trains, serves, asks once per touchpoint and stops everything."""
    demo(data)


@app.command("serve")
def serve_command(data: _Data = None) -> None:
    """Leaves the stack up until Ctrl-C."""
    serve(data)


def main() -> None:
    """Runs the command; an error that a person can mend is one message and exit code 2."""
    try:
        app(prog_name="python -m inference.local")
    except StyleRecError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except StepFailedError as error:
        # The step has said what was wrong.
        sys.exit(error.exit_code)
    except Interrupted:
        sys.exit(_INTERRUPTED_EXIT_CODE)


if __name__ == "__main__":
    main()
