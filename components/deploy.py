"""Component: makes Triton serve a published release."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def deploy(
    release_id: str, release_uri: str, model_repository: str, triton_url: str, python_model: str
):
    """Stages the release's models beside those being served and has Triton load them.

    The routing transformer moves to the release by itself once Triton has all its versions.

    Args:
        release_id: What `publish` returned.
        release_uri: Root of all releases.
        model_repository: Triton's model repository.
        triton_url: `host:port` of Triton's gRPC endpoint.
        python_model: The generic `model.py` for the laptop's Python backend; empty on a cluster.
    """
    from pathlib import Path

    from tritonclient.grpc import InferenceServerClient

    from stylerec.release.staging import stage_models
    from stylerec.release.store import open_release

    repository = Path(model_repository)
    release = open_release(release_uri, release_id, cache=repository.parent / "release_cache")
    script = Path(python_model) if python_model else None
    versions = stage_models(release, repository, python_model=script)
    client = InferenceServerClient(triton_url)
    for model, version in versions.items():
        client.load_model(model)
        print(f"{model} version {version} ready: {client.is_model_ready(model, str(version))}")
