"""`stylerec pipelines ...`: compile for a cluster, or run on this machine."""

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from stylerec.aside import written_file_aside
from stylerec.errors import ConfigError, StyleRecError
from stylerec.settings import Settings

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)

LOCAL_PYTHON_MODEL = Path("inference/model_repository/model.py")


@app.command("compile")
def compile_command(
    output: Annotated[Path, typer.Argument(help="File to write")] = Path("build/training.yaml"),
    pipeline: Annotated[str, typer.Option(help="Pipeline to compile")] = "training",
) -> None:
    """Writes a pipeline as KFP IR YAML."""
    from pipelines.compiling import compile_pipeline

    typer.echo(f"wrote {compile_pipeline(pipeline, output)}")


@app.command("run")
def run_command(
    source: Annotated[Path, typer.Argument(help="Folder of canonical tables")],
    runs: Annotated[Path, typer.Option(help="Folder for the run's artifacts")] = Path(
        ".stylerec/runs"
    ),
    configs: Annotated[str, typer.Option(help="JSON: pipeline parameter to its value")] = "{}",
) -> None:
    """Runs the training pipeline here; Redis and Triton must be up (`make serve`)."""
    from pipelines.local_run import run_pipeline

    settings = Settings()
    arguments = {
        "source": str(source.resolve()),
        "release_uri": settings.release_uri,
        "model_repository": str(settings.model_repository),
        "triton_url": f"{settings.triton_host}:{settings.triton_grpc_port}",
        "feast_config": str(settings.feast_config),
        "feast_workdir": str(settings.feast_workdir),
        "redis_address": f"{settings.redis_host}:{settings.redis_port}",
        "python_model": str(LOCAL_PYTHON_MODEL),
        **json.loads(configs),
    }
    run = run_pipeline("training", arguments, runs=runs)
    typer.echo(f"training pipeline finished in {run.duration_s:.0f} s")


@app.command("tune")
def tune_command(
    source: Annotated[Path, typer.Argument(help="Folder of canonical tables")],
    output: Annotated[Path, typer.Option(help="Folder for the best config and the log")],
    space: Annotated[str, typer.Option(help="Search space")] = "next_item",
    trials_per_round: Annotated[int, typer.Option(min=1, help="Trials of each round")] = 5,
    runs: Annotated[Path, typer.Option(help="Folder for the run's artifacts")] = Path(
        ".stylerec/searches"
    ),
    configs: Annotated[str, typer.Option(help="JSON: pipeline parameter to its value")] = "{}",
) -> None:
    """Runs the tuning pipeline here; `stylerec tune` searches the same without a pipeline."""
    from pipelines.local_run import run_pipeline

    arguments = {
        "source": str(source.resolve()),
        "space": space,
        "trials_per_round": trials_per_round,
        **json.loads(configs),
    }
    run = run_pipeline("tuning", arguments, runs=runs)
    for name, suffix in {"config": ".json", "log": ".search.jsonl"}.items():
        with written_file_aside(output / f"{space}{suffix}", error=ConfigError) as path:
            shutil.copyfile(run.outputs[name], path)
    typer.echo(f"tuning pipeline finished in {run.duration_s:.0f} s; {output / space}.json")


def main() -> None:
    """Runs the command, turning errors that users can mend into one line and exit code 2."""
    try:
        app(prog_name="stylerec pipelines")
    except StyleRecError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
