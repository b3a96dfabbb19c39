"""Component: trains the outfit model (PyTorch)."""

from kfp import dsl

from components.image import TRAINING_IMAGE


@dsl.component(base_image=TRAINING_IMAGE, install_kfp_package=False)
def train_outfit(prepared: dsl.Input[dsl.Dataset], config: str, trained: dsl.Output[dsl.Model]):
    """Trains the outfit model.

    Args:
        prepared: What `prepare` wrote.
        config: JSON of `OutfitConfig` fields that differ from the default.
        trained: Weights, configuration and training record.
    """
    from pathlib import Path

    from stylerec.models.outfit.config import OutfitConfig
    from stylerec.models.outfit.train import train_outfit as train

    train(Path(prepared.path), Path(trained.path), OutfitConfig.model_validate_json(config))
