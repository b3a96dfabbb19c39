"""Who may import whom (DESIGN, section 1), read from the code and tried with the names blocked."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "src" / "stylerec"

CLUSTER_NAMES = {"kfp", "kserve", "feast", "tritonclient", "kubernetes", "components", "pipelines"}
CLUSTER_NAMES |= {"inference", "feature_repo", "manifests"}
FRAMEWORKS = {"tensorflow", "keras", "torch"}

# Package of the library -> packages of the library that it may import besides itself.
LIBRARY_RULES = {
    "schema": set(),
    "features": {"schema"},
    "data": {"features", "schema"},
    "models.ranking": {"data", "features", "schema"},
    "models.next_item": {"data", "features", "schema"},
    "models.outfit": {"data", "features", "schema"},
    "models.search": {"data", "features", "schema"},
    "evaluation": {"data", "features", "schema"},
    "serving": {"features", "schema"},
    "release": {"features", "schema"},
}
FRAMEWORK_RULES = {
    "models.ranking": {"tensorflow", "keras"},
    "models.next_item": {"torch"},
    "models.outfit": {"torch"},
}
SHARED_MODULES = {"aside", "errors", "settings"}
# Free of frameworks and of any model; every model may use them.
TRAINING_ROOMS = {"models.checkpoint", "models.checkpoint_schedule", "models.progress"}
TRAINING_ROOMS |= {"models.records", "models.search", "models.content_match"}
SERVING_LIBRARY = {"schema", "features", "serving", "release", "settings", "errors", "aside"}
TRAINING_NAMES = FRAMEWORKS | {
    "kfp",
    "sklearn",
    "ibis",
    "onnx",
    "onnxruntime",
    "tf2onnx",
    "matplotlib",
    "pandera",
    "optuna",
}


def imported_names(path: Path) -> set[str]:
    """Returns every absolute module name that a file imports, at any depth."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def top_levels(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported_names(path)}


def package_of(path: Path) -> str:
    parts = path.relative_to(LIBRARY).with_suffix("").parts
    return ".".join(parts[:2]) if parts[0] == "models" and len(parts) > 2 else parts[0]


def library_packages(path: Path) -> set[str]:
    found = set()
    for name in imported_names(path):
        parts = name.split(".")
        if parts[0] == "stylerec" and len(parts) > 1:
            found.add(".".join(parts[1:3]) if parts[1] == "models" else parts[1])
    return found


def python_files(folder: Path) -> list[Path]:
    files = sorted(folder.rglob("*.py"))
    assert files, f"no Python files under {folder}"
    return files


LIBRARY_FILES = python_files(LIBRARY)


@pytest.mark.parametrize("path", LIBRARY_FILES, ids=lambda p: str(p.relative_to(LIBRARY)))
class TestLibrary:
    def test_knows_nothing_of_the_cluster(self, path: Path) -> None:
        assert top_levels(path) & CLUSTER_NAMES == set()

    def test_imports_only_the_packages_below_it(self, path: Path) -> None:
        package = package_of(path)
        # The command line may import the whole library; the rest only what lies below it.
        allowed = LIBRARY_RULES.get(package, library_packages(path)) | SHARED_MODULES | {package}
        if package.startswith("models."):
            allowed |= TRAINING_ROOMS
        assert library_packages(path) - allowed == set()

    def test_uses_a_framework_only_where_its_model_lives(self, path: Path) -> None:
        allowed = FRAMEWORK_RULES.get(package_of(path), set())
        assert top_levels(path) & FRAMEWORKS <= allowed


class TestShells:
    def test_schema_errors_and_aside_use_the_standard_library_only(self) -> None:
        modules = [LIBRARY / "errors.py", LIBRARY / "aside.py"]
        for path in [*python_files(LIBRARY / "schema"), *modules]:
            outside = top_levels(path) - set(sys.stdlib_module_names) - {"stylerec"}
            assert outside == set(), path

    def test_components_are_one_per_file_and_thin(self) -> None:
        for path in python_files(ROOT / "components"):
            functions = [
                node
                for node in ast.parse(path.read_text()).body
                if isinstance(node, ast.FunctionDef)
            ]
            assert len(functions) <= 1, path
            for function in functions:
                assert function.name == path.stem
                body = function.body[1:]
                assert body[-1].end_lineno - body[0].lineno + 1 <= 20, path

    def test_components_import_only_kfp_at_the_top(self) -> None:
        for path in python_files(ROOT / "components"):
            tree = ast.parse(path.read_text())
            top = {
                (node.module or "").split(".")[0]
                for node in tree.body
                if isinstance(node, ast.ImportFrom)
            }
            assert top <= {"kfp", "components", "typing"}, path

    def test_pipelines_import_components_and_kfp(self) -> None:
        for path in python_files(ROOT / "pipelines"):
            assert top_levels(path) & {"kserve", "feast", "inference", "feature_repo"} == set()
            assert library_packages(path) <= SHARED_MODULES, path

    def test_feature_repo_imports_feast_and_the_schema(self) -> None:
        for path in python_files(ROOT / "feature_repo"):
            siblings = {sibling.stem for sibling in path.parent.glob("*.py")}
            outside = top_levels(path) - set(sys.stdlib_module_names)
            assert outside <= {"feast", "stylerec"} | siblings, path
            assert library_packages(path) <= {"schema"}, path

    def test_serving_side_never_imports_training(self) -> None:
        for path in python_files(ROOT / "inference"):
            forbidden = FRAMEWORKS | {"kfp", "components", "pipelines"}
            assert top_levels(path) & forbidden == set(), path
            # Materialisation reads what training prepared; nothing that serves does.
            is_offline = path.parent.name == "feature_store"
            allowed = SERVING_LIBRARY | ({"data"} if is_offline else set())
            assert library_packages(path) <= allowed, path

    def test_manifests_checks_read_settings_names_and_metrics_only(self) -> None:
        for path in python_files(ROOT / "manifests"):
            assert library_packages(path) <= {"settings", "schema", "errors"}, path
            inner = {name for name in imported_names(path) if name.startswith("inference.")}
            assert {".".join(name.split(".")[:3]) for name in inner} <= {
                "inference.transformer.metrics"
            }, path

    def test_nothing_imports_the_manifests_checks(self) -> None:
        for folder in ("components", "pipelines", "feature_repo", "inference"):
            for path in python_files(ROOT / folder):
                assert "manifests" not in top_levels(path), path

    def test_routing_transformer_does_not_import_tritonclient(self) -> None:
        for path in python_files(ROOT / "inference" / "transformer"):
            assert "tritonclient" not in top_levels(path), path


def blocked_import(modules: list[str], blocked: set[str]) -> subprocess.CompletedProcess[str]:
    """Imports modules in a fresh interpreter in which the blocked names cannot be imported."""
    code = (
        "import importlib, sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {sorted(blocked)!r}:\n"
        "            raise ImportError('blocked: ' + name)\n"
        "sys.meta_path.insert(0, Block())\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )


def modules_under(*packages: str) -> list[str]:
    names = []
    for path in LIBRARY_FILES:
        relative = path.relative_to(LIBRARY).with_suffix("")
        if relative.parts[0] in packages and "__main__" not in relative.parts:
            parts = [part for part in relative.parts if part != "__init__"]
            names.append(".".join(["stylerec", *parts]))
    return names


class TestImports:
    def test_serving_side_imports_without_training_packages(self) -> None:
        modules = modules_under(*SERVING_LIBRARY)
        result = blocked_import(modules, TRAINING_NAMES | CLUSTER_NAMES)
        assert result.returncode == 0, result.stderr

    def test_data_and_evaluation_import_without_frameworks(self) -> None:
        modules = modules_under("data", "evaluation")
        result = blocked_import(modules, FRAMEWORKS | CLUSTER_NAMES)
        assert result.returncode == 0, result.stderr

    def test_searching_imports_without_frameworks(self) -> None:
        modules = [name for name in modules_under("models") if ".search" in name]
        result = blocked_import(modules, FRAMEWORKS | CLUSTER_NAMES)
        assert result.returncode == 0, result.stderr

    def test_ranking_imports_without_torch(self) -> None:
        modules = [name for name in modules_under("models") if ".ranking" in name]
        result = blocked_import(modules, {"torch"} | CLUSTER_NAMES)
        assert result.returncode == 0, result.stderr

    @pytest.mark.parametrize("model", ["next_item", "outfit"])
    def test_torch_models_import_without_tensorflow(self, model: str) -> None:
        modules = [name for name in modules_under("models") if f".{model}" in name]
        result = blocked_import(modules, {"tensorflow", "keras"} | CLUSTER_NAMES)
        assert result.returncode == 0, result.stderr

    def test_a_blocked_name_fails(self) -> None:
        assert blocked_import(["stylerec.errors", "torch"], {"torch"}).returncode != 0
