"""Component: trains the next-item encoder (PyTorch)."""

from kfp import dsl

from components.image import TRAINING_IMAGE


@dsl.component(base_image=TRAINING_IMAGE, install_kfp_package=False)
def train_next_item(
    prepared: dsl.Input[dsl.Dataset],
    config: str,
    trained: dsl.Output[dsl.Model],
    checkpoints: str = "",
):
    """Trains the next-item encoder.

    Args:
        prepared: What `prepare` wrote.
        config: JSON of `NextItemConfig` fields that differ from the default.
        trained: Weights, configuration and training record.
        checkpoints: Folder that outlives the pod, from which an interrupted training goes on; empty
            for none.
    """
    from pathlib import Path

    from stylerec.data.prepared import PreparedData
    from stylerec.models.checkpoint import run_folder
    from stylerec.models.next_item.config import NextItemConfig
    from stylerec.models.next_item.train import train_next_item as train

    chosen = NextItemConfig.model_validate_json(config)
    folder = run_folder(checkpoints, "next_item", chosen, PreparedData(prepared.path))
    train(Path(prepared.path), Path(trained.path), chosen, checkpoint=folder)
