"""Component: adds a round's trials to a search's log."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def collect_trials(
    study: dsl.Input[dsl.Artifact],
    space: str,
    records: list[str],
    collected: dsl.Output[dsl.Artifact],
):
    """Copies the search's files and adds the trials, by number.

    Args:
        study: The search's files with the trials of earlier rounds.
        space: Search space.
        records: Lines that `run_trial` returned, in any order.
        collected: The search's files with this round's trials.
    """
    import shutil
    from pathlib import Path

    from stylerec.models.search.study import Study, TrialRecord

    shutil.copytree(study.path, collected.path)
    trials = [TrialRecord.model_validate_json(record) for record in records]
    for trial in sorted(trials, key=lambda each: each.number):
        Study(Path(collected.path), space).append(trial)
