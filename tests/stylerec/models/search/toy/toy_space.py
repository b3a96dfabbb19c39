"""A space whose training is arithmetic: NDCG@10 rises in equal steps to 1 - (x - 0.7)^2."""

import os
import signal
import time
from typing import Literal

from pydantic import BaseModel

from stylerec.errors import ConfigError, DataError
from stylerec.models.records import EpochRecord, TrainingResult
from stylerec.models.search.space import Choice, FloatRange, SearchSpace

NUM_EPOCHS = 6
DIVERGES_BELOW = 0.2


class ToyConfig(BaseModel):
    x: float = 0.5
    colour: Literal["red", "blue"] = "red"
    epoch_s: float = 0.0
    fate: Literal["", "killed", "raises", "bad data"] = ""
    seed: int = 5


def value(x: float) -> float:
    return 1.0 - (x - 0.7) ** 2


def train(prepared, output, config, *, checkpoint, on_epoch, progress):
    checkpoint.mkdir(parents=True, exist_ok=True)
    done = len(list(checkpoint.iterdir()))
    epochs = [record(config, epoch) for epoch in range(1, done + 1)]
    for epoch in range(done + 1, NUM_EPOCHS + 1):
        time.sleep(config.epoch_s)
        if config.x < DIVERGES_BELOW:
            raise ConfigError("toy.x", expected="more", got=str(config.x), fix="raise it")
        if config.fate == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if config.fate == "raises":
            raise MemoryError(f"no room in {prepared}")
        if config.fate == "bad data":
            raise DataError(str(prepared), expected="some", got="none", fix="prepare it")
        epochs.append(record(config, epoch))
        (checkpoint / str(epoch)).touch()
        progress(f"epoch {epoch}")
        on_epoch(epochs[-1])
    return TrainingResult(
        model="toy",
        num_weights=1,
        best_epoch=NUM_EPOCHS,
        validation_ndcg_at_10=epochs[-1].validation_ndcg_at_10,
        num_validation_customers=1,
        num_examples=1,
        seconds=1.0,
        epochs=tuple(epochs),
        peak_rss_mib=1.0,
    )


def record(config, epoch):
    return EpochRecord(
        epoch=epoch,
        loss=1.0,
        validation_ndcg_at_10=value(config.x) * (epoch / NUM_EPOCHS),
        examples_per_s=1.0,
        seconds=1.0,
    )


SPACES = {
    "toy": SearchSpace(
        "toy",
        ToyConfig(),
        {"x": FloatRange(low=0.0, high=1.0), "colour": Choice(values=("red", "blue"))},
        train,
    )
}
