"""Component: says what a hyper-parameter search may change."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def start_search(
    prepared: dsl.Input[dsl.Dataset],
    space: str,
    base: str,
    seed: int,
    study: dsl.Output[dsl.Artifact],
):
    """Writes the description of a search whose log is still empty.

    Args:
        prepared: What `prepare` wrote.
        space: Search space: next_item, next_item_ids, ranking or amf.
        base: JSON of configuration fields that differ from the default; trial 0.
        seed: Of the proposals.
        study: The search's files.
    """
    from pathlib import Path

    from stylerec.models.search.spaces import load_space
    from stylerec.models.search.study import Study

    chosen = load_space(space).with_base_json(base, where="base")
    Study(Path(study.path), space).start(chosen, Path(prepared.path), seed=seed)
