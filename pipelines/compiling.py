"""Compiles pipelines to KFP IR YAML for a cluster."""

from pathlib import Path

from kfp import compiler

from pipelines.training import training
from pipelines.tuning import tuning
from stylerec.aside import written_file_aside
from stylerec.errors import ConfigError

PIPELINES = {"training": training, "tuning": tuning}


def compile_pipeline(name: str, output: Path) -> Path:
    """Writes the IR YAML of the pipeline called `name`, aside and then renamed.

    Args:
        name: A key of `PIPELINES`.
        output: File to write, ending in `.yaml`.

    Raises:
        ConfigError: There is no such pipeline, or `output` cannot be written.
    """
    if name not in PIPELINES:
        raise ConfigError(
            "pipeline",
            expected=f"one of {', '.join(PIPELINES)}",
            got=name,
            fix="choose one of them",
        )
    with written_file_aside(output, error=ConfigError) as aside:
        compiler.Compiler().compile(PIPELINES[name], str(aside))
    return output
