"""Component: measures the exported models, the files that will be served."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def evaluate(
    prepared: dsl.Input[dsl.Dataset],
    ranking: dsl.Input[dsl.Model],
    amf: dsl.Input[dsl.Model],
    next_item: dsl.Input[dsl.Model],
    outfit: dsl.Input[dsl.Model],
    gate_config: str,
    release_uri: str,
    evaluation: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
):
    """Ranks every held-out interaction among all items, and scores outfits (AUC, FITB).

    Args:
        prepared: What the models were trained on.
        ranking: Exported model, or an empty folder where it is left out; so the next three.
        amf: Exported AMF baseline.
        next_item: Exported next-item encoder.
        outfit: Exported outfit model.
        gate_config: JSON of `GateConfig` fields that differ from the default.
        release_uri: Root of all releases; the one being served is what the gates compare with.
        evaluation: All metrics as JSON, and the gates' verdicts.
        report: HTML report with plots.
        metrics: The headline numbers, for the run's page.
    """
    from pathlib import Path

    from stylerec.evaluation.gates import GateConfig
    from stylerec.evaluation.results import Evaluation
    from stylerec.evaluation.run import evaluate_models
    from stylerec.release.store import current_file

    models = {"ranking": ranking, "amf": amf, "next_item": next_item, "outfit": outfit}
    folders = {name: Path(model.path) for name, model in models.items()}
    served = current_file(release_uri, "evaluation.json")
    result = evaluate_models(
        Path(prepared.path),
        folders,
        report=Path(report.path),
        gates=GateConfig.model_validate_json(gate_config),
        current=None if served is None else Evaluation.model_validate_json(served),
    )
    result.save(Path(evaluation.path))
    for name, value in result.headline().items():
        metrics.log_metric(name, value)
