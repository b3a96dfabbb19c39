"""What a person gets wrong: one message, an exit code, and everything as it was."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from inference.local import services
from inference.local.services import REPOSITORY_ROOT, redis_process, triton_process
from inference.local.workspace import open_workspace
from stylerec.errors import DataError, StackError
from stylerec.settings import Settings


def run_module(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=REPOSITORY_ROOT,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY_ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def write_good_tables(folder: Path) -> None:
    folder.mkdir()
    rows = [(f"c{n % 4}", f"i{n % 5}", "view") for n in range(20)]
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "event_type"])
    frame["event_id"] = [f"e{n}" for n in range(20)]
    frame["timestamp"] = pd.date_range("2026-01-01", periods=20, freq="h", tz="UTC")
    frame.to_parquet(folder / "interactions.parquet", index=False)
    pd.DataFrame({"item_id": [f"i{n}" for n in range(5)]}).to_parquet(
        folder / "items.parquet", index=False
    )


def change(edit: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], None]:
    """Returns what rewrites the interactions of a folder with `edit`."""

    def apply(folder: Path) -> None:
        path = folder / "interactions.parquet"
        edit(pd.read_parquet(path)).to_parquet(path, index=False)

    return apply


BAD_TABLES = {
    "missing column": (change(lambda t: t.drop(columns="item_id")), "item_id"),
    "wrong type": (change(lambda t: t.assign(customer_id=1.5)), "customer_id"),
    "duplicate event id": (change(lambda t: t.assign(event_id="e1")), "event_id"),
    "future": (
        change(lambda t: t.assign(timestamp=t["timestamp"] + pd.Timedelta(days=9_000))),
        "timestamp",
    ),
    "unknown items": (change(lambda t: t.assign(item_id="elsewhere")), "item_id"),
    "empty": (change(lambda t: t.head(0)), "interactions"),
    "not parquet": (lambda f: (f / "items.parquet").write_text("item_id\ni1\n"), "items.parquet"),
}


class TestTables:
    @pytest.mark.parametrize("name", list(BAD_TABLES))
    def test_are_refused_with_one_message(self, name: str, tmp_path: Path) -> None:
        spoil, mentioned = BAD_TABLES[name]
        write_good_tables(tmp_path / "tables")
        spoil(tmp_path / "tables")
        releases = tmp_path / "releases"
        releases.mkdir()
        (releases / "current.json").write_text("as it was")
        result = run_module(
            *("pipelines", "run", str(tmp_path / "tables"), "--runs", str(tmp_path / "runs")),
            STYLEREC_RELEASE_URI=str(releases),
        )
        assert result.returncode == 2
        (message,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
        assert mentioned in message
        assert "Traceback" not in result.stderr
        assert [p.name for p in releases.iterdir()] == ["current.json"]
        assert (releases / "current.json").read_text() == "as it was"

    def test_missing_folder_is_refused_before_anything_starts(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="stylerec import"):
            open_workspace(tmp_path / "nowhere")


class TestStack:
    def test_taken_port_ends_the_demo_with_its_number(self, tmp_path: Path) -> None:
        write_good_tables(tmp_path / "tables")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            result = run_module(
                *("inference.local", "demo", "--data", str(tmp_path / "tables")),
                STYLEREC_REDIS_PORT=port,
            )
        assert result.returncode == 2
        assert f"redis port {port}: expected a free port" in result.stderr
        assert "Traceback" not in result.stderr

    def test_redis_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(StackError, match="redis-server"):
            redis_process(Settings(), tmp_path)

    def test_triton_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services, "REPOSITORY_ROOT", tmp_path)
        with pytest.raises(StackError, match="environment triton"):
            triton_process(Settings(), tmp_path)
