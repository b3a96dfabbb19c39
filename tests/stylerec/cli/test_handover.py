import sys
from pathlib import Path

import pytest

from stylerec.cli.handover import hand_over
from stylerec.errors import StackError


class TestHandOver:
    @pytest.fixture(autouse=True)
    def _restore(self, monkeypatch):
        monkeypatch.setattr(sys, "path", [*sys.path])
        monkeypatch.setattr(sys, "argv", [*sys.argv])

    def test_runs_the_package_with_its_arguments(self, tmp_path: Path, capsys):
        package = tmp_path / "handed_over"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text("import sys; print(__name__, sys.argv[1:])")
        hand_over("handed_over", ["run", "--help"], checkout=tmp_path)
        assert capsys.readouterr().out == "__main__ ['run', '--help']\n"

    def test_raises_outside_the_checkout(self, tmp_path: Path):
        with pytest.raises(StackError, match="change to the folder of the checkout"):
            hand_over("pipelines", [], checkout=tmp_path)
