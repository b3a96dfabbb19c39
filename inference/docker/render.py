"""Renders the overlays with the digests that the images were pushed by.

`python inference/docker/render.py <folder of digests> <output folder>`; a digest file has lines
such as `stylerec/components=registry/name@sha256:...`. Standard library, PyYAML and kubectl only.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

OVERLAYS = Path(__file__).resolve().parents[2] / "manifests" / "overlays"


def images_of(folder: Path) -> list[dict[str, str]]:
    """Returns kustomize's `images:` for every line of every file under `folder`.

    Raises:
        ValueError: A line names no digest.
    """
    images = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        for line in path.read_text().split():
            name, _, pushed = line.partition("=")
            new_name, _, digest = pushed.partition("@")
            if not digest.startswith("sha256:"):
                raise ValueError(f"{path}: expected <image>=<name>@sha256:<digest>, got {line}")
            images.append({"name": name, "newName": new_name, "digest": digest})
    return images


def render(overlay: str, images: list[dict[str, str]]) -> str:
    """Returns the YAML of an overlay with these images."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        document = {"resources": [os.path.relpath(OVERLAYS / overlay, folder)], "images": images}
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(document))
        kubectl = Path(sys.executable).with_name("kubectl")
        command = [str(kubectl) if kubectl.exists() else "kubectl", "kustomize", str(folder)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Writes `<output>/<overlay>.yaml` for staging and production."""
    source, output = Path(sys.argv[1]), Path(sys.argv[2])
    output.mkdir(parents=True, exist_ok=True)
    images = images_of(source)
    for overlay in ("staging", "production"):
        (output / f"{overlay}.yaml").write_text(render(overlay, images))
        print(f"wrote {output / overlay}.yaml with {len(images)} images by digest")


if __name__ == "__main__":
    main()
