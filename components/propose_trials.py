"""Component: proposes the trials of a search's next round."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def propose_trials(study: dsl.Input[dsl.Artifact], space: str, num_trials: int) -> list[str]:
    """Returns the next trials, each as JSON; the first of all is the default configuration.

    Args:
        study: The search's files with the trials of earlier rounds.
        space: Search space.
        num_trials: Trials of this round, to run side by side.
    """
    from pathlib import Path

    from stylerec.models.search.proposals import propose_batch
    from stylerec.models.search.study import Study

    searched = Study(Path(study.path), space)
    batch = propose_batch(searched.description, searched.records, num_trials=num_trials)
    return [proposal.model_dump_json() for proposal in batch]
