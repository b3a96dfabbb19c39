import itertools
import json
from pathlib import Path

import pytest
import yaml

from pipelines.compiling import compile_pipeline
from pipelines.local_run import run_pipeline
from pipelines.tuning import MAX_PARALLEL_TRIALS, NUM_ROUNDS

TOY = Path(__file__).parents[1] / "stylerec" / "models" / "search" / "toy"
ROUNDS = ["", *(f"-{number}" for number in range(2, NUM_ROUNDS + 1))]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    path = compile_pipeline("tuning", tmp_path_factory.mktemp("ir") / "tuning.yaml")
    return list(yaml.safe_load_all(path.read_text()))


@pytest.fixture(scope="module")
def tasks(documents: list[dict]) -> dict:
    return documents[0]["root"]["dag"]["tasks"]


class TestTuningPipeline:
    def test_asks_for_a_gpu_on_trials_only(self, documents: list[dict]) -> None:
        trials = {f"exec-run-trial{round_}" for round_ in ROUNDS}
        executors = documents[0]["deploymentSpec"]["executors"]
        with_gpu = {
            name
            for name, executor in executors.items()
            if "accelerator" in executor["container"].get("resources", {})
        }
        placed = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        assert with_gpu == set(placed) == trials

    def test_installs_nothing_when_a_task_starts(self, documents: list[dict]) -> None:
        for name, executor in documents[0]["deploymentSpec"]["executors"].items():
            assert "pip install" not in str(executor["container"]["command"]), name

    def test_trains_each_rounds_trials_side_by_side(self, tasks: dict) -> None:
        loops = [task for task in tasks.values() if "parameterIterator" in task]
        assert len(loops) == NUM_ROUNDS
        for loop, round_ in zip(loops, ROUNDS, strict=True):
            assert loop["iteratorPolicy"]["parallelismLimit"] == MAX_PARALLEL_TRIALS
            assert f"propose-trials{round_}" in loop["dependentTasks"]

    def test_each_round_learns_from_the_one_before(self, tasks: dict) -> None:
        for earlier, later in itertools.pairwise(ROUNDS):
            assert f"collect-trials{earlier}" in tasks[f"propose-trials{later}"]["dependentTasks"]
        assert f"collect-trials{ROUNDS[-1]}" in tasks["choose-config"]["dependentTasks"]

    def test_ends_with_the_config_and_the_log(self, documents: list[dict]) -> None:
        outputs = documents[0]["root"]["outputDefinitions"]["artifacts"]
        assert set(outputs) == {"config", "log"}

    def test_runs_on_this_machine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        # The toy space trains by arithmetic; below 0.2 it fails, as trial 1 of seed 3 does.
        monkeypatch.setenv("PYTHONPATH", str(TOY))
        rows = [f"c{customer},i{customer + step}" for customer in range(8) for step in range(5)]
        tables = tmp_path / "tables"
        tables.mkdir()
        (tables / "interactions.csv").write_text("\n".join(["customer_id,item_id", *rows]))
        items = ["item_id,title", *(f"i{item},Item {item}" for item in range(12))]
        (tables / "items.csv").write_text("\n".join(items))
        arguments = {
            "source": str(tables),
            "space": "toy",
            "trials_per_round": 2,
            "seed": 3,
            "base": '{"colour": "blue"}',
            "checkpoints": str(tmp_path / "checkpoints"),
        }
        run = run_pipeline("tuning", arguments, runs=tmp_path / "runs")
        records = [json.loads(line) for line in run.outputs["log"].read_text().splitlines()]
        assert [record["number"] for record in records] == list(range(2 * NUM_ROUNDS))
        assert records[0]["parameters"] == {"x": 0.5, "colour": "blue"}
        assert [record["state"] for record in records[:2]] == ["complete", "failed"]
        best = max((r for r in records if r["value"] is not None), key=lambda r: r["value"])
        config = json.loads(run.outputs["config"].read_text())
        assert {name: config[name] for name in ("x", "colour")} == best["parameters"]
        assert config["x"] == pytest.approx(0.7, abs=abs(0.5 - 0.7))
        assert "trial 1: failed" in capsys.readouterr().out
        # Trials that have ended leave nothing to go on from.
        assert list((tmp_path / "checkpoints").iterdir()) == []
