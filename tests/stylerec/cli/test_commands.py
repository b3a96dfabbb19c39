import subprocess
import sys
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from stylerec.cli import commands


@pytest.fixture
def imported(monkeypatch):
    """Names of the groups that were imported; every group is installed and has one command."""
    names: list[str] = []

    def load(module):
        names.append(module)
        app = typer.Typer()
        app.command("first")(lambda: typer.echo("ran"))
        app.command("second")(lambda: None)
        return SimpleNamespace(app=app)

    monkeypatch.setattr(commands, "import_module", load)
    monkeypatch.setattr(commands, "find_spec", lambda module: object())
    return names


class TestBuildApp:
    def test_imports_the_group_that_is_named(self, imported):
        words = ["release", "first"]
        result = CliRunner().invoke(commands.build_app(words), words)
        assert result.output == "ran\n"
        assert imported == ["stylerec.cli.release"]

    def test_imports_no_group_for_another_command(self, imported):
        words = ["validate", "--help"]
        assert CliRunner().invoke(commands.build_app(words), words).exit_code == 0
        assert imported == []

    def test_lists_every_command(self, imported):
        output = CliRunner().invoke(commands.build_app(["--help"]), ["--help"]).output
        for name in ("import", "generate", "validate", "tune", "pipelines", *commands.GROUPS):
            assert name in output

    def test_leaves_out_groups_that_are_not_installed(self, monkeypatch):
        monkeypatch.setattr(commands, "find_spec", lambda module: None)
        output = CliRunner().invoke(commands.build_app([]), ["--help"]).output
        assert "validate" in output
        assert "touchpoints" not in output

    def test_help_imports_nothing_heavy(self):
        code = (
            "import sys; from stylerec.cli.commands import build_app; build_app(['validate']); "
            "print({'pandas', 'pyarrow', 'numpy', 'duckdb', 'pydantic'} & set(sys.modules))"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert result.stdout == "set()\n"
