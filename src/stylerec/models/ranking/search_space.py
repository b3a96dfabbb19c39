"""What a search may change of the ranking model, and of its baseline with as much freedom."""

from collections.abc import Callable, Mapping
from pathlib import Path

from stylerec.models.ranking.config import RankingConfig
from stylerec.models.records import EpochRecord, TrainingResult
from stylerec.models.search.space import Choice, FloatRange, IntRange, Parameter, SearchSpace


def _train(
    prepared: Path,
    output: Path,
    config: RankingConfig,
    *,
    checkpoint: Path,
    on_epoch: Callable[[EpochRecord], None],
    progress: Callable[[str], None],
) -> TrainingResult:
    # Whoever proposes trials needs the space but not TensorFlow.
    from stylerec.models.ranking.train import train_ranking

    return train_ranking(
        prepared, output, config, checkpoint=checkpoint, on_epoch=on_epoch, progress=progress
    )


# Everything that leaves it the plain factorisation of Paterek (2007) and FISM (2013).
_AMF: Mapping[str, Parameter] = {
    "learning_rate": FloatRange(low=1e-3, high=3e-2, is_log=True),
    "dropout": FloatRange(low=0.0, high=0.7),
    "weight_decay": FloatRange(low=1e-3, high=1.0, is_log=True),
    "embedding_dim": Choice(values=(32, 64, 128)),
    "history_exponent": FloatRange(low=0.0, high=1.0),
    "initialisation": Choice(values=("random", "spectral")),
    "initial_std": FloatRange(low=0.01, high=0.2, is_log=True),
    "batch_size": Choice(values=(512, 1_024, 2_048)),
    "examples_per_customer": Choice(values=(8, 16, 50)),
}
_HYBRID: Mapping[str, Parameter] = {
    # Every number of heads divides every dimension.
    "num_heads": Choice(values=(1, 2, 4, 8)),
    "num_query_layers": IntRange(low=0, high=2),
    "num_content_layers": IntRange(low=0, high=2),
    "id_dropout": FloatRange(low=0.0, high=0.5),
    "use_input_embedding": Choice(values=(True, False)),
}

SPACES = {
    space.name: space
    for space in (
        SearchSpace("ranking", RankingConfig(), {**_AMF, **_HYBRID}, _train),
        SearchSpace("amf", RankingConfig.amf(), _AMF, _train),
    )
}
