"""Component: exports the trained next-item model to ONNX."""

from kfp import dsl

from components.image import TRAINING_IMAGE


@dsl.component(base_image=TRAINING_IMAGE, install_kfp_package=False)
def export_next_item(
    prepared: dsl.Input[dsl.Dataset],
    trained: dsl.Input[dsl.Model],
    exported: dsl.Output[dsl.Model],
) -> str:
    """Writes `model.onnx` and checks its answers against the framework's.

    Args:
        prepared: What the model was trained on.
        trained: What `train_next_item` wrote.
        exported: The ONNX model, its embeddings and its record.

    Returns:
        The URI of `exported`, for joining with the branch that leaves the model out.
    """
    import shutil
    from pathlib import Path

    from stylerec.models.next_item.export import export_next_item as export

    result = export(Path(trained.path), Path(prepared.path), Path(exported.path))
    # The report shows how the exported model was trained.
    shutil.copy(Path(trained.path) / "training.json", exported.path)
    exported.metadata["max_abs_difference"] = result.max_abs_difference
    return exported.uri
