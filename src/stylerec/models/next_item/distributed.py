"""Trains the next-item model with several processes: one per GPU, or per core of a CPU.

`torchrun --nproc-per-node 4 -m stylerec.models.next_item.distributed --prepared DIR --output DIR`;
with plain `python -m` it trains alone. Every process reads the same prepared folder, takes its part
of each batch and has the same weights after each step. The first one validates with the others and
alone writes. When one fails or is killed, torchrun ends the others; with `--checkpoint` the same
command goes on from there, with as many processes as it likes.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from stylerec.errors import ConfigError, StyleRecError, shortened
from stylerec.models.checkpoint_schedule import CHECKPOINT_INTERVAL_S
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.processes import joined
from stylerec.models.next_item.train import train_next_item

USER_ERROR_EXIT_CODE = 2


class Device(StrEnum):
    """Where to train."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


def train(
    prepared: Annotated[Path, typer.Option(help="Folder that the preparation wrote")],
    output: Annotated[Path, typer.Option(help="Folder to write; replaced whole")],
    config: Annotated[
        str, typer.Option(help="Fields that differ from the default: JSON, or a file of it")
    ] = "{}",
    device: Annotated[Device, typer.Option(help="auto takes GPUs if there are any")] = Device.auto,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Folder from which an interrupted training goes on")
    ] = None,
    checkpoint_interval_s: Annotated[float, typer.Option(min=0.0)] = CHECKPOINT_INTERVAL_S,
) -> None:
    """Trains the next-item model, with the other processes if torchrun started this one."""
    with joined() as processes:
        try:
            train_next_item(
                prepared,
                output,
                read_config(config),
                device=device.value,
                checkpoint=checkpoint,
                checkpoint_interval_s=checkpoint_interval_s,
                processes=processes,
            )
        except StyleRecError as error:
            if processes.is_first:
                print(f"error: {error}", file=sys.stderr)
            sys.exit(USER_ERROR_EXIT_CODE)


def read_config(text: str) -> NextItemConfig:
    """Returns the config in a JSON text, or in the file that the text names.

    Raises:
        ConfigError: No such file, or a field is wrong.
    """
    try:
        json = text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8")
        return NextItemConfig.model_validate_json(json)
    except (OSError, ValidationError) as error:
        raise ConfigError(
            "--config",
            expected="JSON of NextItemConfig fields, or a file of it",
            got=shortened(str(error).splitlines(), limit=3),
            fix="see stylerec.models.next_item.config for the fields and their bounds",
        ) from error


if __name__ == "__main__":
    typer.run(train)
