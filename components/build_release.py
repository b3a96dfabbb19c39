"""Component: builds the release bundle."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def build_release(
    prepared: dsl.Input[dsl.Dataset],
    ranking: dsl.Input[dsl.Model],
    next_item: dsl.Input[dsl.Model],
    outfit: dsl.Input[dsl.Model],
    evaluation: dsl.Input[dsl.Artifact],
    report: dsl.Input[dsl.HTML],
    contract: str,
    release: dsl.Output[dsl.Artifact],
):
    """Puts models, vocabulary, catalogue, contract and evaluation into one bundle.

    Args:
        prepared: What the models were trained on.
        ranking: Exported ranking model, or an empty folder where it is left out.
        next_item: Exported next-item encoder, likewise.
        outfit: Exported outfit model, likewise.
        evaluation: What `evaluate` measured and `gate` let pass.
        report: The run's HTML report.
        contract: Touchpoint contract file; empty for the library's own.
        release: The release folder.
    """
    from pathlib import Path

    from stylerec.release.build import build_release as build
    from stylerec.serving.contract import default_contract_path

    folders = {"ranking": ranking.path, "next_item": next_item.path, "outfit": outfit.path}
    manifest = build(
        Path(release.path),
        prepared=Path(prepared.path),
        models={n: Path(p) for n, p in folders.items() if (Path(p) / "model.onnx").exists()},
        evaluation=Path(evaluation.path),
        report=Path(report.path),
        contract=Path(contract) if contract else default_contract_path(),
    )
    release.metadata["release_id"] = manifest.release_id
