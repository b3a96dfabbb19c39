"""Commands that belong to the checkout, not to the library: handed over to their own package."""

import runpy
import sys
from pathlib import Path
from typing import Annotated

import typer

from stylerec.errors import StackError

app = typer.Typer()


@app.command(
    # Every option, `--help` too, is the package's own.
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": [],
    },
    add_help_option=False,
)
def pipelines(
    arguments: Annotated[list[str] | None, typer.Argument(show_default=False)] = None,
) -> None:
    """Compiles or runs the Kubeflow pipelines of the checkout in this folder."""
    hand_over("pipelines", arguments or [], checkout=Path.cwd())


def hand_over(package: str, arguments: list[str], *, checkout: Path) -> None:
    """Runs `python -m <package> <arguments>` of a checkout in this process.

    Args:
        package: Package with a `__main__` module.
        arguments: Its command line.
        checkout: Folder that holds the package.

    Raises:
        StackError: The folder does not hold it.
    """
    if not (checkout / package / "__main__.py").is_file():
        raise StackError(
            f"stylerec {package}",
            expected=f"StyleRec's checkout, with its folder {package}/",
            got=f"{checkout} without it",
            fix="change to the folder of the checkout",
        )
    sys.path.insert(0, str(checkout))
    sys.argv = [f"stylerec {package}", *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)
