"""Component: trains one proposed configuration (PyTorch or TensorFlow)."""

from kfp import dsl

from components.image import TRAINING_IMAGE


@dsl.component(base_image=TRAINING_IMAGE, install_kfp_package=False)
def run_trial(
    prepared: dsl.Input[dsl.Dataset],
    study: dsl.Input[dsl.Artifact],
    space: str,
    proposal: str,
    checkpoints: str = "",
) -> str:
    """Returns the trial's line for the log; a configuration that cannot train is a line, too.

    Args:
        prepared: What `prepare` wrote.
        study: The search's files with the trials of earlier rounds.
        space: Search space.
        proposal: JSON of the trial.
        checkpoints: Folder that outlives the pod, from which an interrupted trial goes on; empty
            for none.
    """
    from pathlib import Path

    from stylerec.models.search.study import Proposal, Study
    from stylerec.models.search.worker import run_in_process

    searched, trial = Study(Path(study.path), space), Proposal.model_validate_json(proposal)
    folder = Path(prepared.path)
    record = run_in_process(searched, trial, prepared=folder, checkpoints=checkpoints)
    value = "" if record.value is None else f", NDCG@10 {record.value:.4f}"
    print(f"trial {record.number}: {record.state}{value}, {record.seconds:.0f} s")
    return record.model_dump_json()
