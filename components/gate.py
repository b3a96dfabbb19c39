"""Component: stops a run whose models are not good enough."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def gate(evaluation: dsl.Input[dsl.Artifact]):
    """Fails the run with the numbers that failed.

    Args:
        evaluation: What `evaluate` measured, with the gates' verdicts.
    """
    from pathlib import Path

    from stylerec.evaluation.gates import enforce
    from stylerec.evaluation.results import Evaluation

    results = Evaluation.load(Path(evaluation.path)).gates
    for result in results:
        verdict = "passed" if result.is_passed else "FAILED"
        print(f"{verdict} {result.name}: {result.value:.4f}, needs {result.threshold:.4f}")
    enforce(results)
