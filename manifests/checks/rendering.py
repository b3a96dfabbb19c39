"""Overlays and component combinations, rendered by kustomize."""

import functools
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from manifests.checks.objects import Build, Document, object_name
from stylerec.errors import ConfigError

_ORIGIN = "config.kubernetes.io/origin"
MANIFESTS = Path(__file__).resolve().parents[1]
# Components that are alternatives, or that say the same about the same field.
_EXCLUSIVE = (
    {"models-together", "gpu"},
    {"models-together", "keda"},
    {"local-volume", "canary"},
)


@dataclass(frozen=True)
class Combination:
    """An overlay with components added to its own."""

    overlay: str
    components: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How findings call it."""
        return " + ".join([self.overlay, *self.components])


def overlay_names() -> list[str]:
    """Returns the overlays' names."""
    return sorted(path.parent.name for path in MANIFESTS.glob("overlays/*/kustomization.yaml"))


def component_names() -> list[str]:
    """Returns the components' names."""
    return sorted(path.parent.name for path in MANIFESTS.glob("components/*/kustomization.yaml"))


def combinations() -> Iterator[Combination]:
    """Yields every overlay with every set of components that can be together and are not in it."""
    for overlay in overlay_names():
        own = _own_components(overlay)
        others = [name for name in component_names() if name not in own]
        for size in range(len(others) + 1):
            for added in itertools.combinations(others, size):
                if not any(pair <= {*own, *added} for pair in _EXCLUSIVE):
                    yield Combination(overlay, added)


def representative(all_of_them: list[Combination]) -> list[Combination]:
    """Returns those with at most one component added, and per overlay those with the most.

    Components patch different objects or fields, so a fault that shows in none of these is
    unlikely; `make manifests-check` takes its minutes for all of them.
    """
    largest: dict[str, int] = {}
    for each in all_of_them:
        largest[each.overlay] = max(largest.get(each.overlay, 0), len(each.components))
    return [
        each
        for each in all_of_them
        if len(each.components) <= 1 or len(each.components) == largest[each.overlay]
    ]


def render(combination: Combination) -> Build:
    """Returns the objects of a combination.

    Raises:
        ConfigError: kustomize refuses it.
    """
    # As a person would: the components are added to the overlay's own list, in a copy of it.
    own = Path("overlays", combination.overlay, "kustomization.yaml")
    document = yaml.safe_load((MANIFESTS / own).read_text())
    added = [f"../../components/{name}" for name in combination.components]
    document["components"] = [*document.get("components", []), *added]
    document["buildMetadata"] = ["originAnnotations"]
    copied = Path(_copy().name).resolve() / MANIFESTS.name / own
    copied.write_text(yaml.safe_dump(document))
    return render_folder(copied.parent, combination.name)


@functools.cache
def _copy() -> tempfile.TemporaryDirectory[str]:
    """Returns this process' copy of the manifests, removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="manifests-")
    ignored = shutil.ignore_patterns("checks", "*.py", "__pycache__")
    shutil.copytree(MANIFESTS, Path(folder.name) / MANIFESTS.name, ignore=ignored)
    return folder


def render_folder(folder: Path, name: str) -> Build:
    """Returns the objects that kustomize renders from a folder.

    With `buildMetadata: [originAnnotations]` in its kustomization each object knows its file.

    Raises:
        ConfigError: kustomize refuses it.
    """
    done = subprocess.run(
        [kubectl(), "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ConfigError(
            name,
            expected="a kustomization that renders",
            got=done.stderr.strip().removeprefix("error: ").splitlines()[0],
            fix=f"run `kubectl kustomize {folder}`",
        )
    documents = [each for each in yaml.load_all(done.stdout, yaml.CSafeLoader) if each]
    files = {object_name(each): _take_origin(each, folder) for each in documents}
    return Build(name, documents, files=files)


def _take_origin(document: Document, folder: Path) -> str:
    """Takes the origin out of an object's annotations; returns its file from the root on."""
    annotations = document["metadata"].get("annotations", {})
    origin = yaml.safe_load(annotations.pop(_ORIGIN, "{}"))
    if not annotations:
        document["metadata"].pop("annotations", None)
    path = origin.get("path") or origin.get("configuredIn") or "kustomization.yaml"
    parts = Path(os.path.normpath(folder / path)).parts
    start = parts.index(MANIFESTS.name) if MANIFESTS.name in parts else 0
    return str(Path(*parts[start:]))


def kubectl() -> str:
    """Returns the `kubectl` of this Python's environment, or the one on PATH.

    Raises:
        ConfigError: There is none.
    """
    beside = Path(sys.executable).with_name("kubectl")
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if found is None:
        raise ConfigError(
            "kubectl",
            expected="the program, which has kustomize in it",
            got="none",
            fix="run `make manifests-check`, which installs it",
        )
    return found


def _own_components(overlay: str) -> set[str]:
    document = yaml.safe_load((MANIFESTS / "overlays" / overlay / "kustomization.yaml").read_text())
    return {Path(path).name for path in document.get("components", [])}
