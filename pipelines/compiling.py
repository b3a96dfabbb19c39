"""Compiles pipelines to KFP IR YAML for a cluster."""

import os
from pathlib import Path

from kfp import compiler

from pipelines.training import training
from stylerec.errors import ConfigError

PIPELINES = {"training": training}


def compile_pipeline(name: str, output: Path) -> Path:
    """Writes the IR YAML of the pipeline called `name`, aside and then renamed.

    Args:
        name: A key of `PIPELINES`.
        output: File to write, ending in `.yaml`.

    Raises:
        ConfigError: There is no such pipeline.
    """
    if name not in PIPELINES:
        raise ConfigError(
            "pipeline",
            expected=f"one of {', '.join(PIPELINES)}",
            got=name,
            fix="choose one of them",
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    aside = output.with_name(f".{os.getpid()}-{output.name}")
    try:
        compiler.Compiler().compile(PIPELINES[name], str(aside))
        aside.replace(output)
    finally:
        aside.unlink(missing_ok=True)
    return output
