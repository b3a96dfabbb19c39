"""`stylerec release ...`: what is published, and which release is served."""

from pathlib import Path
from typing import Annotated

import typer

from stylerec.settings import Settings

app = typer.Typer(no_args_is_help=True, help=__doc__)

_Root = Annotated[
    str | None, typer.Option("--root", help="Root of all releases; STYLEREC_RELEASE_URI without it")
]


@app.command("list")
def list_command(root: _Root = None) -> None:
    """Lists the releases, oldest first; `*` marks the one being served."""
    from stylerec.release.store import list_releases, read_pointer

    uri = _root(root)
    pointer = read_pointer(uri)
    for release_id in list_releases(uri):
        is_served = pointer is not None and pointer.release_id == release_id
        typer.echo(f"{'*' if is_served else ' '} {release_id}")


@app.command("publish")
def publish_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a built release")], root: _Root = None
) -> None:
    """Copies a built release under the root, verifies it and serves it."""
    from stylerec.release.store import publish

    typer.echo(f"published {publish(folder, _root(root)).release_id}")


@app.command("promote")
def promote_command(
    release_id: Annotated[str, typer.Argument(help="A release that `list` shows")],
    root: _Root = None,
) -> None:
    """Serves a release that is already published."""
    from stylerec.release.store import promote

    typer.echo(f"serving {promote(_root(root), release_id).release_id}")


@app.command("rollback")
def rollback_command(root: _Root = None) -> None:
    """Serves the release before the current one again."""
    from stylerec.release.store import rollback

    typer.echo(f"serving {rollback(_root(root)).release_id}")


def _root(root: str | None) -> str:
    return Settings().release_uri if root is None else root
