import json
from pathlib import Path

import pytest

from stylerec.errors import ConfigError, DataError
from stylerec.models.search.study import Study


class TestStart:
    def test_says_what_is_searched(self, study: Study) -> None:
        described = json.loads(study.description_path.read_text())
        assert described["space"] == "toy"
        assert described["base"]["x"] == 0.5
        assert described["parameters"]["x"] == {
            "kind": "float",
            "low": 0.0,
            "high": 1.0,
            "is_log": False,
        }
        assert described["data"]["num_trained"] == 3 + 4

    def test_goes_on_with_the_same_search(self, study: Study, space, prepared: Path) -> None:
        study.start(space, prepared, seed=3)

    def test_refuses_another_default(self, study: Study, space, prepared: Path) -> None:
        with pytest.raises(ConfigError, match=r"base: expected as at the start, x 0.5, got x 0.75"):
            study.start(space.with_base({"x": 0.75}), prepared, seed=3)

    def test_refuses_another_seed(self, study: Study, space, prepared: Path) -> None:
        with pytest.raises(ConfigError, match=r"seed: expected as at the start, 3, got 4"):
            study.start(space, prepared, seed=4)


class TestAppend:
    def test_writes_one_json_line_per_trial(self, study: Study, make_record) -> None:
        records = [make_record(0), make_record(2, None, reason="MemoryError"), make_record(1)]
        for record in records:
            study.append(record)
        assert study.records == records
        lines = [json.loads(line) for line in study.log_path.read_text().splitlines()]
        assert [line["number"] for line in lines] == [0, 2, 1]
        assert {"parameters", "value", "epochs", "seconds", "state", "seed"} <= set(lines[0])

    def test_keeps_the_best_config_beside_the_log(self, study: Study, space, make_record) -> None:
        study.append(make_record(0, None))
        assert not study.config_path.exists()
        for number, value in enumerate([0.3, 0.5, 0.4], start=1):
            study.append(make_record(number, value, parameters={"x": value, "colour": "blue"}))
        chosen = type(space.base).model_validate_json(study.config_path.read_text())
        assert chosen == space.config({"x": 0.5, "colour": "blue"})

    def test_names_no_folder_of_this_machine(
        self, study: Study, tmp_path: Path, make_record
    ) -> None:
        study.append(make_record(0))
        for path in study.folder.iterdir():
            assert str(tmp_path) not in path.read_text()


class TestBest:
    def test_is_the_highest_and_of_equals_the_earliest(self, study: Study, make_record) -> None:
        for number, value in [(3, 0.5), (1, 0.5), (2, 0.4), (0, None)]:
            study.append(make_record(number, value))
        assert study.best == study.chosen == make_record(1, 0.5)

    def test_ignores_a_trial_that_was_given_up(self, study: Study, make_record) -> None:
        study.append(make_record(0, 0.2))
        study.append(make_record(1, None, state="pruned", curve=(0.9,)))
        assert study.chosen.number == 0

    def test_there_is_none_when_all_failed(self, study: Study, make_record) -> None:
        study.append(make_record(0, None, reason="MemoryError"))
        assert study.best is None
        with pytest.raises(ConfigError, match="got MemoryError"):
            _ = study.chosen


class TestRecords:
    def test_names_a_damaged_line(self, study: Study, make_record) -> None:
        study.append(make_record(0))
        with study.log_path.open("a") as file:
            file.write('{"number": 1\n')
        with pytest.raises(DataError, match=r"toy.search.jsonl, line 2: expected a trial's record"):
            _ = study.records

    def test_needs_a_description(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="expected the description of a search"):
            _ = Study(tmp_path, "toy").description
