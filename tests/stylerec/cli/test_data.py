from pathlib import Path

import pytest
from typer.testing import CliRunner

from stylerec.cli import data
from stylerec.data.importing import READERS
from stylerec.errors import ConfigError, DataError


def _run(*words: object):
    return CliRunner().invoke(data.app, [str(word) for word in words])


class TestFormat:
    def test_lists_every_reader(self):
        assert {format.value for format in data.Format} == set(READERS)


class TestImportCommand:
    def test_prints_rows_what_is_lacking_and_what_was_skipped(self, tmp_path: Path):
        (tmp_path / "shop.txt").write_text("1 2 3\n4\n")
        result = _run("import", "s3rec", tmp_path / "shop.txt", tmp_path / "out")
        assert result.exit_code == 0
        lines = [line.split() for line in result.output.splitlines()]
        assert ["interactions", "2", "rows"] in lines
        assert ["skipped", "1", "line", "without", "an", "item"] in lines
        assert "timestamps" in result.output

    def test_refuses_an_unknown_format(self, tmp_path: Path):
        result = _run("import", "xlsx", tmp_path, tmp_path / "out")
        assert result.exit_code == 2
        assert "mango" in result.output


class TestValidate:
    def test_prints_rows_and_warnings(self, tmp_path: Path):
        (tmp_path / "items.csv").write_text("item_id,weight\ni1,5\n")
        (tmp_path / "interactions.csv").write_text("customer_id,item_id\nc,i1\n")
        result = _run("validate", tmp_path)
        assert result.exit_code == 0
        assert "warning: items.csv: unknown columns are ignored: weight" in result.output

    def test_raises_for_bad_tables(self, tmp_path: Path):
        assert isinstance(_run("validate", tmp_path).exception, DataError)


class TestGenerate:
    def test_makes_valid_tables_of_the_size_asked_for(self, tmp_path: Path):
        folder = tmp_path / "out"
        result = _run("generate", folder, "--customers", "30", "--items", "250", "--seed", "3")
        assert result.exit_code == 0
        rows = {line.split()[0]: line.split()[1] for line in result.output.splitlines()[-4:]}
        assert rows["items"] == "250"
        assert int(rows["interactions"].replace(",", "")) > 30
        assert _run("validate", folder).exit_code == 0

    @pytest.mark.parametrize(
        ("option", "value", "field"),
        [("--items", "1", "num_items"), ("--end", "soon", "end"), ("--seed", "-1", "seed")],
    )
    def test_names_the_option_that_is_out_of_bounds(self, tmp_path: Path, option, value, field):
        error = _run("generate", tmp_path / "out", option, value).exception
        assert isinstance(error, ConfigError)
        assert field in str(error)
        assert not (tmp_path / "out").exists()
