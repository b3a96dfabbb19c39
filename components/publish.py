"""Component: publishes a built release."""

from kfp import dsl

from components.image import COMPONENT_IMAGE


@dsl.component(base_image=COMPONENT_IMAGE, install_kfp_package=False)
def publish(release: dsl.Input[dsl.Artifact], release_uri: str) -> str:
    """Copies the release under its root, verifies it and moves the pointer.

    Args:
        release: What `build_release` wrote.
        release_uri: Root of all releases.

    Returns:
        The release id.
    """
    from pathlib import Path

    from stylerec.release.store import publish as publish_release

    manifest = publish_release(Path(release.path), release_uri)
    print(f"published release {manifest.release_id}")
    return manifest.release_id
