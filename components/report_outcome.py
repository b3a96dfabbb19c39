"""Component: says how the run ended, whatever happened in it."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def report_outcome(status: dsl.PipelineTaskFinalStatus):
    """Prints the run's final state, and the error of a run that failed.

    Args:
        status: Filled in by Kubeflow Pipelines.
    """
    print(f"training run {status.state} {status.error_message or ''}".strip())
