"""Component: trains the ranking model (TensorFlow)."""

from kfp import dsl

from components.image import TRAINING_IMAGE


@dsl.component(base_image=TRAINING_IMAGE, install_kfp_package=False)
def train_ranking(
    prepared: dsl.Input[dsl.Dataset], config: str, is_baseline: bool, trained: dsl.Output[dsl.Model]
):
    """Trains the ranking model, or its AMF baseline.

    Args:
        prepared: What `prepare` wrote.
        config: JSON of `RankingConfig` fields that differ from the default.
        is_baseline: Train plain asymmetric matrix factorisation instead.
        trained: Weights, configuration and training record.
    """
    from pathlib import Path

    from stylerec.models.ranking.config import RankingConfig
    from stylerec.models.ranking.train import train_ranking as train

    chosen = RankingConfig.amf() if is_baseline else RankingConfig.model_validate_json(config)
    train(Path(prepared.path), Path(trained.path), chosen)
