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
        evaluation: All metrics as JSON, for the gate and the release.
        report: HTML report with plots.
        metrics: The headline numbers, for the run's page.
    """
    from pathlib import Path

    from stylerec.evaluation.run import evaluate_models

    folders = {"ranking": ranking, "amf": amf, "next_item": next_item, "outfit": outfit}
    exported = {name: Path(model.path) for name, model in folders.items()}
    result = evaluate_models(Path(prepared.path), exported, report=Path(report.path))
    Path(evaluation.path).write_text(result.model_dump_json(indent=2))
    for name, value in result.headline().items():
        metrics.log_metric(name, value)
        print(f"{name}: {value:.4f}")
