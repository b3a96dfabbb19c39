"""Component: trains the ranking model (TensorFlow)."""

from kfp import dsl

from components.image import TRAINING_IMAGE


@dsl.component(base_image=TRAINING_IMAGE, install_kfp_package=False)
def train_ranking(
    prepared: dsl.Input[dsl.Dataset],
    config: str,
    is_baseline: bool,
    trained: dsl.Output[dsl.Model],
    checkpoints: str = "",
):
    """Trains the ranking model, or its AMF baseline.

    Args:
        prepared: What `prepare` wrote.
        config: JSON of `RankingConfig` fields that differ from the default, or from the baseline's.
        is_baseline: Train plain asymmetric matrix factorisation instead.
        trained: Weights, configuration and training record.
        checkpoints: Folder that outlives the pod, from which an interrupted training goes on; empty
            for none.
    """
    import json
    from pathlib import Path

    from stylerec.data.prepared import PreparedData
    from stylerec.models.checkpoint import run_folder
    from stylerec.models.ranking.config import RankingConfig
    from stylerec.models.ranking.train import train_ranking as train

    changes = json.loads(config)
    chosen = RankingConfig.amf(**changes) if is_baseline else RankingConfig(**changes)
    folder = run_folder(checkpoints, "ranking", chosen, PreparedData(prepared.path))
    train(Path(prepared.path), Path(trained.path), chosen, checkpoint=folder)
