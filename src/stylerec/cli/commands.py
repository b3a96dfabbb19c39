"""The command tree, built for one command line so that nothing unneeded is imported."""

from importlib import import_module
from importlib.util import find_spec

import typer

from stylerec.cli import data, handover, tune

GROUPS = {
    "release": "stylerec.cli.release",
    "touchpoints": "stylerec.cli.touchpoints",
}
"""Command group to the module that holds it as `app`."""


def build_app(arguments: list[str]) -> typer.Typer:
    """Returns the command line.

    Args:
        arguments: The words after `stylerec`. A group's module is imported when the first of them
            names it, or when all commands are listed.
    """
    app = typer.Typer(
        name="stylerec",
        help="Self-hosted personalisation for a fashion retailer.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.add_typer(data.app)
    app.add_typer(handover.app)
    app.add_typer(tune.app)
    command = next((word for word in arguments if not word.startswith("-")), None)
    for name, module in GROUPS.items():
        if command in (None, name) and find_spec(module) is not None:
            app.add_typer(import_module(module).app, name=name)
    return app
