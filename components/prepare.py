"""Component: turns tables into the arrays that models train on."""

from typing import NamedTuple

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def prepare(
    tables: dsl.Input[dsl.Dataset], config: str, prepared: dsl.Output[dsl.Dataset]
) -> NamedTuple("Counts", [("num_customers", int), ("num_outfits", int)]):
    """Prepares histories, item features, catalogue arrays, outfits and pictures.

    Args:
        tables: What `validate` accepted.
        config: JSON of `PrepareConfig` fields that differ from the default.
        prepared: The prepared folder.

    Returns:
        How many customers and outfits there are to learn from; none leaves a branch out.
    """
    from pathlib import Path

    from stylerec.data.preparation.config import PrepareConfig
    from stylerec.data.preparation.prepare import prepare as run

    summary = run(Path(tables.path), Path(prepared.path), PrepareConfig.model_validate_json(config))
    for branch, reason in summary.omitted.items():
        print(f"{branch}: left out, {reason}")
    return (summary.num_customers, summary.num_outfits)
