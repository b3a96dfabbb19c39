"""Component: fills the feature store."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def materialise(
    prepared: dsl.Input[dsl.Dataset], feast_config: str, feast_workdir: str, redis_address: str
):
    """Writes the offline files, registers the definitions and fills the online store.

    Args:
        prepared: What `prepare` wrote.
        feast_config: `feature_store.yaml` of the environment.
        feast_workdir: Folder of the local registry and offline files.
        redis_address: `host:port` of the online store.
    """
    from pathlib import Path

    from inference.feature_store.materialise import materialise as fill
    from stylerec.settings import Settings

    host, port = redis_address.rsplit(":", 1)
    settings = Settings(
        feast_config=Path(feast_config),
        feast_workdir=Path(feast_workdir),
        redis_host=host,
        redis_port=int(port),
    )
    print(fill(Path(prepared.path), settings).model_dump_json(indent=2))
