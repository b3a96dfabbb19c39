import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stylerec.cli import tune
from stylerec.errors import ConfigError
from stylerec.models.search import local
from stylerec.models.search.spaces import MODULES
from stylerec.models.search.study import Study, TrialRecord


def _run(*words: object):
    return CliRunner().invoke(tune.app, [str(word) for word in words])


class TestSpace:
    def test_lists_every_space(self) -> None:
        assert {space.value for space in tune.Space} == set(MODULES)


class TestTune:
    @pytest.fixture
    def called(self, monkeypatch: pytest.MonkeyPatch) -> dict:
        """The arguments of `run_search`, which runs nothing; the study is not started."""
        arguments: dict = {}

        def run_search(study: Study, **given) -> TrialRecord:
            arguments.update(given, study=study)
            return TrialRecord(
                number=3,
                state="complete",
                value=0.0531,
                parameters={},
                seed=7,
                epochs=1,
                curve=(0.0531,),
                seconds=1.0,
            )

        def start(study: Study, space, prepared: Path, *, seed: int) -> None:
            arguments.update(space=space, seed=seed)

        monkeypatch.setattr(local, "run_search", run_search)
        monkeypatch.setattr(Study, "start", start)
        return arguments

    def test_passes_the_budget_and_says_what_was_best(self, called: dict, tmp_path: Path) -> None:
        options = ["--trials", 30, "--minutes", 45, "--parallel", 2, "--cores", 8, "--seed", 5]
        output = tmp_path / "configs" / "beauty"
        result = _run("amf", "--prepared", tmp_path, "--output", output, *options)
        assert result.exit_code == 0
        assert called["budget"] == local.Budget(30, 45.0)
        assert (called["num_parallel"], called["num_cores"], called["seed"]) == (2, 8, 5)
        assert called["study"].log_path == output / "amf.search.jsonl"
        assert result.output.endswith(f"NDCG@10 0.0531 of trial 3, in {output / 'amf.json'}\n")

    def test_begins_with_the_base(self, called: dict, tmp_path: Path) -> None:
        base = tmp_path / "base.json"
        base.write_text(json.dumps({"dropout": 0.5, "max_epochs": 9}))
        words = ["next_item", "--prepared", tmp_path, "--output", tmp_path, "--base", base]
        assert _run(*words).exit_code == 0
        assert called["space"].default["dropout"] == 0.5
        assert called["space"].base.max_epochs == 9

    def test_names_the_file_of_a_bad_base(self, called: dict, tmp_path: Path) -> None:
        base = tmp_path / "base.json"
        base.write_text("dropout: 0.5")
        words = ["next_item", "--prepared", tmp_path, "--output", tmp_path, "--base", base]
        error = _run(*words).exception
        assert isinstance(error, ConfigError)
        assert error.where == str(base)
