"""What `make demo` imports is installed by the extra `train`, without developers' tools."""

import sys
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.test_architecture import imported_names, python_files

ROOT = Path(__file__).resolve().parents[1]
RUN_BY_DEMO = ("src", "components", "pipelines", "inference/local")
OWN = {"stylerec", "components", "pipelines", "inference", "feature_repo"}
BENCH_ONLY = {"implicit"}


def installed_by(package: str, extras: frozenset[str], found: set[tuple[str, str]]) -> set[str]:
    """Returns the names of what installing a package with extras brings, itself among them."""
    for extra in ("", *extras):
        if (package, extra) in found:
            continue
        found.add((package, extra))
        for text in distribution(package).requires or ():
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                name = canonicalize_name(wanted.name)
                installed_by(name, frozenset(wanted.extras), found)
    return {name for name, _ in found}


def third_party_imports(folders: tuple[str, ...]) -> set[str]:
    names = {
        name.split(".")[0]
        for folder in folders
        for path in python_files(ROOT / folder)
        for name in imported_names(path)
    }
    siblings = {path.stem for path in (ROOT / "feature_repo").glob("*.py")}
    return names - OWN - siblings - BENCH_ONLY - set(sys.stdlib_module_names)


class TestTrain:
    def test_brings_everything_that_the_demo_imports(self):
        brought = installed_by("stylerec", frozenset({"train"}), set())
        providers = packages_distributions()
        missing = {
            name
            for name in third_party_imports(RUN_BY_DEMO)
            if not {canonicalize_name(provider) for provider in providers[name]} & brought
        }
        assert missing == set()

    def test_components_bring_what_they_import_and_no_framework(self):
        brought = installed_by("stylerec", frozenset({"components"}), set())
        providers = packages_distributions()
        folders = ("src/stylerec/data", "src/stylerec/evaluation", "src/stylerec/release")
        folders += ("src/stylerec/models/search", "components", "inference/feature_store")
        missing = {
            name
            for name in third_party_imports(folders)
            if not {canonicalize_name(provider) for provider in providers[name]} & brought
        }
        assert missing == set()
        assert brought & {"tensorflow-cpu", "tensorflow", "torch", "tf2onnx"} == set()

    def test_leaves_out_what_only_developers_use(self):
        assert "pytest" not in installed_by("stylerec", frozenset({"train"}), set())
