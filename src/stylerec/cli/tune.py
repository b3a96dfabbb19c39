"""The command that searches for a better configuration of a model."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


class Space(StrEnum):
    """Spaces of `stylerec tune`; `models.search.spaces.MODULES` says where they are kept."""

    NEXT_ITEM = "next_item"
    NEXT_ITEM_IDS = "next_item_ids"
    RANKING = "ranking"
    AMF = "amf"


@app.command()
def tune(
    space: Annotated[Space, typer.Argument(help="Search space", show_default=False)],
    prepared: Annotated[Path, typer.Option(help="Folder of prepared data", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            help="Folder for the best configuration and the log; a search there goes on",
            show_default=False,
        ),
    ],
    trials: Annotated[int, typer.Option(min=1, help="Trials, those in the log included")] = 20,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="After these no trial starts", show_default=False)
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, help="Trials side by side")] = 1,
    cores: Annotated[
        int | None, typer.Option(min=1, help="Cores to share; all of them without it")
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option(help="JSON of fields that differ from the default; trial 0", exists=True),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the proposals")] = 7,
) -> None:
    """Searches for the configuration with the best validation NDCG@10."""
    from stylerec.models.search.local import Budget, run_search
    from stylerec.models.search.spaces import load_space
    from stylerec.models.search.study import Study

    chosen = load_space(space.value)
    if base is not None:
        chosen = chosen.with_base_json(base.read_text(), where=str(base))
    study = Study(output, space.value)
    study.start(chosen, prepared, seed=seed)
    best = run_search(
        study,
        prepared=prepared,
        budget=Budget(trials, minutes),
        num_parallel=parallel,
        num_cores=cores or len(os.sched_getaffinity(0)),
        progress=typer.echo,
    )
    typer.echo(f"best: NDCG@10 {best.value:.4f} of trial {best.number}, in {study.config_path}")
