"""How much a benchmark run does: the whole, or smaller models within a quarter of an hour."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Effort:
    """Bounds of a benchmark run.

    Attributes:
        seeds: One training each.
        overrides: Model to the config fields that are cut, empty for none.
        peer_seconds: Longest training of the peer.
        peer_patience: Epochs without a better validation NDCG@10 before the peer stops.
        memory_customers: Sizes of the synthetic retailers whose training memory is watched.
        memory_seconds: How long each is watched.
        baseline_options: Further arguments of `benchmarks.models.baselines`.
        has_second_dataset: Whether `clothing` beside the data is measured too.
        has_ablations: Whether position bias, event types and time gaps are measured.
    """

    seeds: tuple[int, ...] = (1, 2, 3)
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    peer_seconds: float = 900.0
    peer_patience: int = 50
    memory_customers: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    memory_seconds: float = 90.0
    baseline_options: tuple[str, ...] = ()
    has_second_dataset: bool = True
    has_ablations: bool = True


FULL = Effort()
QUICK = Effort(
    seeds=(1,),
    overrides={
        "next_item": {
            "max_epochs": 6,
            "num_layers": 1,
            "embedding_dim": 64,
            "batch_targets": 1_024,
            "learning_rate": 3e-3,
            "weight_decay": 0.01,
            "dropout": 0.4,
        },
        "ranking": {"max_epochs": 5},
        "amf": {"max_epochs": 5},
    },
    peer_seconds=120.0,
    peer_patience=5,
    memory_customers=(2_000, 20_000),
    memory_seconds=20.0,
    baseline_options=(
        *("--max-choice-customers", "2000"),
        *("--names", "popular", "item_knn_last", "item_knn_history", "ease"),
    ),
    has_second_dataset=False,
    has_ablations=False,
)
