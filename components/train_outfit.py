"""Component: trains the outfit model (PyTorch)."""

from kfp import dsl

from components.image import TRAINING_IMAGE


@dsl.component(base_image=TRAINING_IMAGE, install_kfp_package=False)
def train_outfit(
    prepared: dsl.Input[dsl.Dataset],
    config: str,
    trained: dsl.Output[dsl.Model],
    style_space: dsl.Output[dsl.HTML],
    style_picture: dsl.Output[dsl.Artifact],
):
    """Trains the outfit model.

    Args:
        prepared: What `prepare` wrote.
        config: JSON of `OutfitConfig` fields that differ from the default.
        trained: Weights, configuration, training record and maps of the style space.
        style_space: The interactive map, for the run's page.
        style_picture: The same map as a PNG.
    """
    import shutil
    from pathlib import Path

    from stylerec.models.outfit.config import OutfitConfig
    from stylerec.models.outfit.train import train_outfit as train

    folder = Path(trained.path)
    train(Path(prepared.path), folder, OutfitConfig.model_validate_json(config))
    shutil.copy(folder / "style_space.html", style_space.path)
    shutil.copy(folder / "style_space.png", style_picture.path)
