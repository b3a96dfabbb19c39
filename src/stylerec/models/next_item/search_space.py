"""What a search may change of the next-item model."""

from collections.abc import Callable, Mapping
from pathlib import Path

from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.records import EpochRecord, TrainingResult
from stylerec.models.search.space import Choice, FloatRange, IntRange, Parameter, SearchSpace


def _train(
    prepared: Path,
    output: Path,
    config: NextItemConfig,
    *,
    checkpoint: Path,
    on_epoch: Callable[[EpochRecord], None],
    progress: Callable[[str], None],
) -> TrainingResult:
    # Whoever proposes trials needs the space but not torch.
    from stylerec.models.next_item.train import train_next_item

    return train_next_item(
        prepared, output, config, checkpoint=checkpoint, on_epoch=on_epoch, progress=progress
    )


_IDS: Mapping[str, Parameter] = {
    "learning_rate": FloatRange(low=3e-4, high=1e-2, is_log=True),
    "dropout": FloatRange(low=0.1, high=0.7),
    "weight_decay": FloatRange(low=1e-3, high=0.3, is_log=True),
    # Every number of heads divides every dimension.
    "embedding_dim": Choice(values=(32, 64, 96, 128)),
    "num_heads": Choice(values=(1, 2, 4)),
    "num_layers": IntRange(low=1, high=3),
    "block": Choice(values=("pre_norm", "ligr")),
    "batch_targets": Choice(values=(512, 1_024, 2_048)),
}

SPACES = {
    space.name: space
    for space in (
        SearchSpace(
            "next_item",
            NextItemConfig(),
            {**_IDS, "id_dropout": FloatRange(low=0.0, high=0.5)},
            _train,
        ),
        SearchSpace(
            "next_item_ids", NextItemConfig(use_content=False, id_dropout=0.0), _IDS, _train
        ),
    )
}
"""With content, and by ids alone."""
