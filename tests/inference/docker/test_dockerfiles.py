"""What can be proved of the images without building them: no container engine is needed here."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from inference.local.services import environment_python
from tests.test_architecture import FRAMEWORKS, blocked_import

ROOT = Path(__file__).parents[3]
DOCKERFILES = sorted((ROOT / "inference" / "docker").glob("*.Dockerfile"))
WORKFLOW = ROOT / ".github" / "workflows" / "images.yaml"
LABELS = {"title", "description", "licenses", "version", "revision", "created"}


def instructions(path: Path) -> list[tuple[str, str]]:
    """Returns the instructions with their continued lines joined, comments left out."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(" ", 1)) for line in joined.splitlines() if line.strip()]


def stages(path: Path) -> list[list[tuple[str, str]]]:
    found = []
    for name, text in instructions(path):
        if name == "FROM":
            found.append([])
        if found:
            found[-1].append((name, text))
    return found


def copied_tree(folder: Path) -> Path:
    """Lays out /app as the Dockerfiles and .dockerignore do."""
    for name in ("inference", "feature_repo"):
        ignored = shutil.ignore_patterns("__pycache__", "local", "docker")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    local = "environments/local"
    shutil.copytree(ROOT / "feature_repo" / local, folder / "feature_repo" / local)
    return folder


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
class TestDockerfiles:
    def test_hadolint_has_nothing_to_say(self, path):
        hadolint = Path(sys.executable).with_name("hadolint")
        done = subprocess.run([hadolint, path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")

    def test_every_stage_is_of_a_base_with_a_digest_from_an_argument(self, path):
        for stage in stages(path):
            assert stage[0][1].startswith("${PYTHON_IMAGE}@${PYTHON_DIGEST}")
        assert ("ARG", "PYTHON_DIGEST") in instructions(path)

    def test_what_is_installed_is_locked(self, path):
        installs = re.findall(r"pip install[^&]*", "\n".join(t for _, t in instructions(path)))
        assert installs
        assert all("--constraint requirements.lock" in install for install in installs)

    def test_the_final_stage_installs_nothing_and_has_no_build_tools(self, path):
        runs = [text for name, text in stages(path)[-1] if name == "RUN"]
        assert not [run for run in runs if "pip" in run or "apt" in run]
        build = " ".join(text for name, text in stages(path)[0] if name == "RUN")
        assert "pip uninstall --yes pip setuptools" in build

    def test_runs_as_nobody_in_particular_and_is_asked_for_its_health(self, path):
        final = dict(stages(path)[-1])
        assert final["USER"] == "1000:1000"
        assert "HEALTHCHECK" in final

    def test_is_labelled(self, path):
        labels = dict(stages(path)[-1])["LABEL"]
        assert set(re.findall(r"org\.opencontainers\.image\.(\w+)=", labels)) == LABELS

    def test_copies_what_exists_and_is_not_ignored(self, path):
        allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines()
                   if line.startswith("!")}  # fmt: skip
        for name, text in stages(path)[0]:
            if name == "COPY":
                sources = {source.removeprefix("./") for source in text.split()[:-1]}
                assert sources <= allowed
                assert all((ROOT / source).exists() for source in sources)

    def test_the_workflow_builds_it(self, path):
        jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
        assert path.stem in jobs["images"]["strategy"]["matrix"]["image"]


class TestPrograms:
    @pytest.mark.parametrize("module", ["inference.transformer", "inference.model_loader"])
    def test_start_from_what_is_copied(self, module, tmp_path):
        app = copied_tree(tmp_path)
        done = subprocess.run(
            [environment_python("serve"), "-m", module, "--help"],
            cwd=app, env={"PYTHONPATH": f"{app}:{ROOT / 'src'}"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert module in done.stdout

    def test_components_without_a_framework_import_none(self):
        modules = set()
        for path in (ROOT / "components").glob("*.py"):
            text = path.read_text()
            if "base_image=COMPONENT_IMAGE" in text:
                nodes = [node for node in ast.walk(ast.parse(text))
                         if isinstance(node, ast.ImportFrom)]  # fmt: skip
                modules |= {n.module for n in nodes if n.module.startswith(("stylerec", "infer"))}
        assert "inference.feature_store.materialise" in modules
        result = blocked_import(sorted(modules), FRAMEWORKS | {"tf2onnx", "onnx", "onnxscript"})
        assert result.returncode == 0, result.stderr
