from pathlib import Path

import pytest

from stylerec.cli import main
from stylerec.release.manifest import MANIFEST_FILE

FIRST, SECOND = "2026-01-01T000000-aaaaaaaa", "2026-01-02T000000-bbbbbbbb"


@pytest.fixture
def root(tmp_path: Path) -> str:
    for release_id in (FIRST, SECOND):
        (tmp_path / release_id).mkdir()
        (tmp_path / release_id / MANIFEST_FILE).write_text("{}")
    return str(tmp_path)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Returns the exit code of a `stylerec` command."""
    monkeypatch.setattr("sys.argv", ["stylerec", *arguments])
    try:
        main()
    except SystemExit as error:
        return int(error.code or 0)
    return 0


class TestRelease:
    def test_promotes_lists_and_rolls_back(
        self, root: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for release_id in (FIRST, SECOND):
            assert run(monkeypatch, "release", "promote", release_id, "--root", root) == 0
        capsys.readouterr()
        assert run(monkeypatch, "release", "list", "--root", root) == 0
        assert capsys.readouterr().out.splitlines() == [f"  {FIRST}", f"* {SECOND}"]
        assert run(monkeypatch, "release", "rollback", "--root", root) == 0
        assert capsys.readouterr().out == f"serving {FIRST}\n"

    def test_ends_with_one_message_on_an_unknown_release(
        self, root: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(monkeypatch, "release", "promote", "nothing", "--root", root) == 2
        error = capsys.readouterr().err
        assert "release list" in error
        assert "Traceback" not in error
