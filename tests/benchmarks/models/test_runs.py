import json

import pytest

from benchmarks.models import runs
from benchmarks.models.runs import Run, Runner, process_environment, run_json, run_module


def run(**changes):
    return Run("a name", "next_item", "prepared", {"seed": 1} | changes)


class TestRun:
    def test_key_depends_on_what_decides_the_result(self):
        assert run().key() == run().key()
        assert run().key() != run(seed=2).key()

    def test_key_ignores_the_name(self):
        assert Run("x", "ranking", "p").key() == Run("y", "ranking", "p").key()


class TestRunner:
    @pytest.fixture
    def calls(self, monkeypatch):
        """Stands in for training: what is tested is what runs, not how."""
        calls = []

        def train(module, arguments, threads):
            spec, folder = arguments
            seed = json.loads(spec)["config"]["seed"]
            calls.append(seed)
            with open(f"{folder}/result.json", "w") as file:
                json.dump({"seed": seed}, file)
            return ""

        monkeypatch.setattr(runs, "run_module", train)
        return calls

    def test_returns_results_in_order_and_keeps_them(self, tmp_path, calls):
        runner = Runner(tmp_path, parallel=2, progress=lambda line: None)
        first = runner.results([run(seed=3), run(seed=1), run(seed=2)])
        assert [result["seed"] for result in first] == [3, 1, 2]
        again = Runner(tmp_path, parallel=1, progress=lambda line: None)
        assert [r["seed"] for r in again.results([run(seed=1), run(seed=4)])] == [1, 4]
        assert sorted(calls) == [1, 2, 3, 4]


class TestRunModule:
    def test_returns_what_was_printed(self):
        assert "usage" in run_module("json.tool", ["--help"], 1)

    def test_failure_says_which_module_and_why(self):
        with pytest.raises(RuntimeError, match=r"(?s)json\.tool: expected exit code 0.*no-such"):
            run_module("json.tool", ["--no-such"], 1)

    def test_an_output_is_made_once(self, tmp_path):
        kept = tmp_path / "kept.json"
        kept.write_text('{"a": 1}')
        assert run_json("no.such.module", [], kept) == {"a": 1}

    def test_every_library_gets_the_same_number_of_threads(self):
        environment = process_environment(3)
        assert environment["OMP_NUM_THREADS"] == environment["TF_NUM_INTRAOP_THREADS"] == "3"
