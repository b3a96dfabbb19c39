from pathlib import Path

import pytest

from stylerec.cli import main
from stylerec.serving.contract import default_contract_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Returns the exit code of a `stylerec` command."""
    monkeypatch.setattr("sys.argv", ["stylerec", *arguments])
    try:
        main()
    except SystemExit as error:
        return int(error.code or 0)
    return 0


class TestLint:
    def test_says_ok(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(monkeypatch, "touchpoints", "lint", str(default_contract_path())) == 0
        assert capsys.readouterr().out.endswith("touchpoints.yaml: ok\n")

    def test_prints_every_fault_with_its_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "mine.yaml"
        text = default_contract_path().read_text()
        path.write_text(
            text.replace("traffic: 30", "traffic: x").replace("traffic: 20", "trafic: 20")
        )
        assert run(monkeypatch, "touchpoints", "lint", str(path)) == 2
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith(f"{path}: line ")
        assert "touchpoints.category-page.traffic: expected a valid number" in lines[0] or (
            "touchpoints.category-page.traffic: expected number" in lines[0]
        )
        assert any("did you mean `traffic`?" in line for line in lines)

    def test_says_what_is_wrong_with_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(monkeypatch, "touchpoints", "lint", str(tmp_path / "none.yaml")) == 2
        assert "none.yaml" in capsys.readouterr().err
        (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
        assert run(monkeypatch, "touchpoints", "lint", str(tmp_path / "binary.yaml")) == 2
        assert "expected UTF-8 text" in capsys.readouterr().err
