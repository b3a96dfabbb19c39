"""Trains the peer, rectools' SASRec with sampled softmax, and says when it was how good.

    .venv/bench/bin/python -m benchmarks.models.peer --data prepared --output peer.json --threads 2

Runs in its own environment (rectools needs numpy < 2) and imports nothing of stylerec. `--data` is
a folder of prepared data, of which only `histories/*.npy` and `split/*.npy` are read. The output is
rewritten after every epoch, so a run that is cut off leaves what it had measured.

What makes it the peer at its best:

- Hyper-parameters are its authors' for Amazon Beauty: the table in the README of
  github.com/blondered/transformer_benchmark (eSASRec, RecSys 2025), commit 2b03992: dim 64,
  1 block, 1 head, dropout 0.2, length 50, 256 negatives, learning rate 0.001, at most 200 epochs,
  patience 50. Batch 128 is rectools' default, which they left. Their
  `configs/paper/loo/s3_vanilla.yaml` says dim 256 where the table says 64, at six times the
  processor time per epoch; `--factors` takes either.
- Training clock: from the start of an epoch to its end, making batches included. Preparing the
  data, validating and keeping the best weights are outside it.
- No progress bar, logger, checkpoint file, sanity check or determinism flag (they set it). Batches
  are made in the training process (`--workers 0`, rectools' default): on two cores a worker
  process took longer.
- float32, as by default. The torch version is the one our own model trains with.
- The best epoch is by validation NDCG@10 over all customers, where they stop on recall@10.
- Only training interactions enter it, which is what their `get_val_mask_func` makes of the rest.
"""

import argparse
import json
import logging
import platform
import resource
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as lightning
import torch
from numpy.typing import NDArray
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from rectools.models.nn.transformers.lightning import TransformerLightningModule

from benchmarks.models import peer_protocol as protocol

VALIDATION_BLOCK = 256


@dataclass(frozen=True)
class PeerConfig:
    """What is trained; defaults are the authors' for Amazon Beauty."""

    factors: int = 64
    blocks: int = 1
    heads: int = 1
    dropout: float = 0.2
    max_len: int = 50
    negatives: int = 256
    learning_rate: float = 0.001
    batch_size: int = 128
    max_epochs: int = 200
    patience: int = 50
    workers: int = 0
    seed: int = 0


class EpochClock(lightning.Callback):
    """Times each epoch, validates outside the clock, keeps the best weights and stops.

    Args:
        data: What to validate on.
        max_len: Items of a history the model reads.
        patience: Epochs without a better validation NDCG@10 after which training stops.
        time_limit_s: Training stops after the epoch in which the training clock passes it.
        report: Called with the records after every epoch.
    """

    def __init__(
        self,
        data: protocol.Data,
        *,
        max_len: int,
        patience: int,
        time_limit_s: float,
        report: "Callable[[EpochClock], None]",
    ) -> None:
        self.data = data
        self.max_len = max_len
        self.patience = patience
        self.time_limit_s = time_limit_s
        self.report = report
        self.records: list[dict[str, float]] = []
        self.best_weights: dict[str, torch.Tensor] = {}
        self.stopped_by = "epochs"
        self._started = self._seconds = 0.0

    def __deepcopy__(self, memo: dict[int, Any]) -> "EpochClock":
        """Returns itself: rectools copies its trainer, and the records would go with the copy."""
        return self

    def on_train_epoch_start(
        self, trainer: lightning.Trainer, module: TransformerLightningModule
    ) -> None:
        """Starts the clock."""
        self._started = time.perf_counter()

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, module: TransformerLightningModule
    ) -> None:
        """Stops the clock, validates, and decides whether to go on."""
        self._seconds += time.perf_counter() - self._started
        began = time.perf_counter()
        measured = measure(module, self.data, self.data.validation, max_len=self.max_len)
        module.train()
        self.records.append(
            {
                "epoch": len(self.records) + 1,
                "seconds": self._seconds,
                "loss": float(trainer.callback_metrics["train_loss"]),
                "validation_seconds": time.perf_counter() - began,
                **measured,
            }
        )
        if self.best["epoch"] == len(self.records):
            self.best_weights = {k: v.clone() for k, v in module.state_dict().items()}
        self.report(self)
        if len(self.records) - self.best["epoch"] >= self.patience:
            self.stopped_by, trainer.should_stop = "patience", True
        elif self._seconds >= self.time_limit_s:
            self.stopped_by, trainer.should_stop = "time limit", True

    @property
    def best(self) -> dict[str, float]:
        """The record of the epoch with the highest validation NDCG@10."""
        return max(self.records, key=lambda record: record["ndcg_at_10"])


def measure(
    module: TransformerLightningModule,
    data: protocol.Data,
    targets: protocol.Targets,
    *,
    max_len: int,
) -> dict[str, float]:
    """Returns metrics of the network, every item of the catalogue ranked."""
    internal = np.zeros(data.num_items, dtype=np.int64)
    known = module.data_preparator.item_id_map.external_ids[1:].astype(np.int64)
    internal[known] = np.arange(1, len(known) + 1)
    network = module.torch_model.eval()
    found = []
    with torch.inference_mode():
        embedding = network.item_model.get_all_embeddings()
        for histories, items in protocol.blocks(data, targets, VALIDATION_BLOCK):
            session = _sessions(histories, internal, max_len).to(embedding.device)
            query = network.encode_sessions({"x": session}, embedding)[:, -1, :]
            scores = np.full((len(items), data.num_items), -np.inf, dtype=np.float32)
            scores[:, known] = (query @ embedding.T)[:, 1:].cpu().numpy()
            found.append(protocol.ranks(scores, histories, items))
    return protocol.metrics(np.concatenate(found))


def _sessions(
    histories: list[NDArray[np.int64]], internal: NDArray[np.int64], max_len: int
) -> torch.Tensor:
    """Returns the newest items the network knows, int64 `[B, max_len]`, left padded with 0."""
    sessions = np.zeros((len(histories), max_len), dtype=np.int64)
    for row, history in zip(sessions, histories, strict=True):
        items = internal[history]
        items = items[items > 0][-max_len:]
        row[max_len - len(items) :] = items
    return torch.from_numpy(sessions)


def training_dataset(data: protocol.Data) -> Dataset:
    """Returns the training interactions; validation and test never enter the model."""
    customer, item, order = data.training()
    return Dataset.construct(
        pd.DataFrame(
            {
                Columns.User: customer,
                Columns.Item: item,
                Columns.Weight: 1.0,
                Columns.Datetime: pd.to_datetime(order, unit="s"),
            }
        )
    )


def build(config: PeerConfig, clock: EpochClock, *, device: str) -> SASRecModel:
    """Returns the untrained model with a trainer that does nothing besides training."""

    def trainer() -> lightning.Trainer:
        return lightning.Trainer(
            max_epochs=config.max_epochs,
            accelerator=device,
            devices=1,
            callbacks=[clock],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )

    return SASRecModel(
        n_factors=config.factors,
        n_blocks=config.blocks,
        n_heads=config.heads,
        dropout_rate=config.dropout,
        session_max_len=config.max_len,
        loss="sampled_softmax",
        n_negatives=config.negatives,
        lr=config.learning_rate,
        batch_size=config.batch_size,
        dataloader_num_workers=config.workers,
        get_trainer_func=trainer,
    )


def run(
    folder: Path, output: Path, config: PeerConfig, *, device: str, threads: int, limit_s: float
) -> dict[str, Any]:
    """Trains, and returns the report that it also writes to `output`.

    Each entry of `epochs` has the seconds of training up to its end. `stopped_by` is `epochs`,
    `patience` or `time limit`, and is absent with `test` from what a run leaves that was cut off.
    """
    torch.set_num_threads(threads)
    lightning.seed_everything(config.seed, verbose=False)
    data = protocol.load(folder)
    report: dict[str, Any] = {
        "peer": "rectools SASRecModel, sampled softmax",
        "config": asdict(config),
        "device": device,
        "threads": threads,
        "versions": {name: version(name) for name in ("rectools", "torch", "numpy")}
        | {"python": platform.python_version()},
    }

    def after_epoch(clock: EpochClock) -> None:
        record = clock.records[-1]
        print(
            f"peer epoch {record['epoch']}: loss {record['loss']:.4f}, "
            f"{record['seconds']:.1f} s of training, validation NDCG@10 "
            f"{record['ndcg_at_10']:.4f}, hit rate@10 {record['hit_rate_at_10']:.4f}",
            flush=True,
        )
        _write(report | _summary(clock), output)

    clock = EpochClock(
        data,
        max_len=config.max_len,
        patience=config.patience,
        time_limit_s=limit_s,
        report=after_epoch,
    )
    model = build(config, clock, device=device)
    model.fit(training_dataset(data))
    module = model.lightning_model
    module.load_state_dict(clock.best_weights)
    report |= _summary(clock) | {
        "stopped_by": clock.stopped_by,
        "test": measure(module, data, data.test, max_len=config.max_len),
    }
    _write(report, output)
    return report


def _summary(clock: EpochClock) -> dict[str, Any]:
    return {
        "epochs": clock.records,
        "best_epoch": clock.best["epoch"],
        "seconds_to_best": clock.best["seconds"],
        "validation": {k: clock.best[k] for k in ("ndcg_at_10", "hit_rate_at_10", "num_customers")},
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _write(report: dict[str, Any], output: Path) -> None:
    aside = output.with_name(f".{output.name}")
    aside.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    aside.replace(output)


def main() -> None:
    """Reads the command line and trains."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of prepared data")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--time-limit", type=float, default=float("inf"), help="seconds")
    for name, default in asdict(PeerConfig()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    options = vars(parser.parse_args())
    config = PeerConfig(**{name: options[name] for name in asdict(PeerConfig())})
    # Advice about workers and devices, and a notice about each of the trainer's defaults.
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="pytorch_lightning|rectools|pydantic")
    report = run(
        options["data"],
        options["output"],
        config,
        device=options["device"],
        threads=options["threads"],
        limit_s=options["time_limit"],
    )
    print(
        f"peer: best epoch {report['best_epoch']} after {report['seconds_to_best']:.1f} s, test "
        f"NDCG@10 {report['test']['ndcg_at_10']:.4f}, hit rate@10 "
        f"{report['test']['hit_rate_at_10']:.4f}"
    )


if __name__ == "__main__":
    main()
