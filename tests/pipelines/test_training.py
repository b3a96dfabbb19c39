from pathlib import Path

import pytest
import yaml

from pipelines.compiling import compile_pipeline
from stylerec.errors import ConfigError

TRAINING_TASKS = {"exec-train-ranking", "exec-train-ranking-2", "exec-train-next-item"}
TRAINING_TASKS |= {"exec-train-outfit"}


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    path = compile_pipeline("training", tmp_path_factory.mktemp("ir") / "training.yaml")
    return list(yaml.safe_load_all(path.read_text()))


@pytest.fixture(scope="module")
def executors(documents: list[dict]) -> dict:
    return documents[0]["deploymentSpec"]["executors"]


class TestTrainingPipeline:
    def test_asks_for_a_gpu_on_training_tasks_only(self, executors: dict) -> None:
        with_gpu = {
            name
            for name, executor in executors.items()
            if "accelerator" in executor.get("container", {}).get("resources", {})
        }
        assert with_gpu == TRAINING_TASKS

    def test_places_training_tasks_only_on_the_gpu_pool(self, documents: list[dict]) -> None:
        placed = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        assert set(placed) == TRAINING_TASKS
        for settings in placed.values():
            assert settings["nodeSelector"]["labels"] == {"stylerec.io/pool": "gpu"}
            assert settings["tolerations"][0]["key"] == "nvidia.com/gpu"

    def test_installs_nothing_when_a_task_starts(self, executors: dict) -> None:
        for name, executor in executors.items():
            assert "pip install" not in str(executor.get("container", {}).get("command", "")), name

    def test_retries_what_can_flake_and_caches_what_is_pure(self, documents: list[dict]) -> None:
        body = documents[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]
        retried = {name for name, task in body.items() if "retryPolicy" in task}
        assert retried == {"ingest", "publish", "materialise", "deploy"}
        cached = {name for name, task in body.items() if task.get("cachingOptions")}
        assert {"validate", "prepare", "gate", "build-release"} <= cached
        # What it compares with is outside the run.
        assert not cached & (retried | {"evaluate"})

    def test_training_is_tried_again_and_goes_on_from_its_checkpoint(
        self, documents: list[dict]
    ) -> None:
        components = documents[0]["components"]
        tasks = {
            name: task
            for component in components.values()
            for name, task in component.get("dag", {}).get("tasks", {}).items()
            if name.startswith("train-")
        }
        assert {f"exec-{name}" for name in tasks} == TRAINING_TASKS
        assert all(task["retryPolicy"]["maxRetryCount"] == 2 for task in tasks.values())
        for name in ("train-next-item", "train-ranking", "train-ranking-2"):
            given = tasks[name]["inputs"]["parameters"]["checkpoints"]
            assert given["componentInputParameter"] == "pipelinechannel--checkpoints"
        default = documents[0]["root"]["inputDefinitions"]["parameters"]["checkpoints"]
        assert default["defaultValue"] == ""

    def test_publishes_after_the_gate(self, documents: list[dict]) -> None:
        body = documents[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]
        assert "gate" in body["build-release"]["dependentTasks"]
        assert "build-release" in body["publish"]["dependentTasks"]
        assert "publish" in body["materialise"]["dependentTasks"]
        assert "materialise" in body["deploy"]["dependentTasks"]

    def test_reports_the_outcome_whatever_happens(self, documents: list[dict]) -> None:
        outcome = documents[0]["root"]["dag"]["tasks"]["report-outcome"]
        assert outcome["triggerPolicy"]["strategy"] == "ALL_UPSTREAM_TASKS_COMPLETED"


class TestCompilePipeline:
    def test_keeps_the_old_file_when_compiling_fails(self, tmp_path: Path) -> None:
        path = tmp_path / "training.yaml"
        path.write_text("old")
        with pytest.raises(ConfigError, match="retraining"):
            compile_pipeline("retraining", path)
        assert path.read_text() == "old"
        assert [p.name for p in tmp_path.iterdir()] == ["training.yaml"]
