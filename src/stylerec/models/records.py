"""What training a model did, in one shape for every model; written as `training.json`."""

import resource
import sys

from pydantic import BaseModel, ConfigDict


class EpochRecord(BaseModel):
    """What one epoch did.

    Attributes:
        epoch: From 1.
        loss: Mean training loss per example, in nats.
        validation_ndcg_at_10: Over all items not seen before.
        examples_per_s: Interactions predicted per second of training, validation left out.
        seconds: Training and validation together.
        tokens_per_s: Interactions read per second of training, padding left out; models that read
            whole histories only.
        share_of_peak: Model FLOPs utilisation; where the device's peak is known only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    loss: float
    validation_ndcg_at_10: float
    examples_per_s: float
    seconds: float
    tokens_per_s: float | None = None
    share_of_peak: float | None = None


class TrainingResult(BaseModel):
    """How a model was trained.

    Attributes:
        model: Its name in `schema.tensors`.
        num_weights: Trained numbers.
        best_epoch: The epoch whose weights were kept, from 1.
        validation_ndcg_at_10: Of what is kept: the best epoch with content similarity.
        match_weight: What content similarity counts, see `models.content_match`.
        num_validation_customers: Customers behind that figure.
        num_examples: Interactions predicted per epoch.
        seconds: The whole training; of a resumed one the time in every process that trained.
        epochs: One record per epoch.
        peak_rss_mib: Most memory that the process held at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    num_weights: int
    best_epoch: int
    validation_ndcg_at_10: float
    match_weight: float = 0.0
    num_validation_customers: int
    num_examples: int
    seconds: float
    epochs: tuple[EpochRecord, ...]
    peak_rss_mib: float


def peak_rss_mib() -> float:
    """Returns the most resident memory this process has held so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
