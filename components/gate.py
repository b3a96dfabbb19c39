"""Component: stops a run whose models are not good enough."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def gate(evaluation: dsl.Input[dsl.Artifact], config: str, release_uri: str):
    """Fails the run with the numbers that failed.

    Args:
        evaluation: What `evaluate` measured.
        config: JSON of `GateConfig` fields that differ from the default.
        release_uri: Root of all releases, for the metrics of the one being served.
    """
    import json
    from pathlib import Path

    from stylerec.evaluation.gates import GateConfig, check_gates, enforce
    from stylerec.evaluation.record import Evaluation, current_evaluation

    candidate = Evaluation.model_validate_json(Path(evaluation.path).read_bytes())
    current = current_evaluation(release_uri)
    results = check_gates(candidate, config=GateConfig(**json.loads(config)), current=current)
    for result in results:
        print(result)
    enforce(results)
