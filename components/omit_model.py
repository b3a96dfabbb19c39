"""Component: stands where a model would be when the retailer's data cannot train it."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def omit_model(model: str, exported: dsl.Output[dsl.Model]) -> str:
    """Writes an empty model folder; the reason is in the prepared data's summary.

    Args:
        model: Name of the model that is left out.
        exported: An empty folder.

    Returns:
        The URI of `exported`.
    """
    from pathlib import Path

    Path(exported.path).mkdir(parents=True)
    exported.metadata["omitted"] = model
    print(f"{model}: left out; the data's summary gives the reason")
    return exported.uri
