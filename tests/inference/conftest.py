"""The whole stack, trained once on a small synthetic retailer and shared by the tests."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from inference.local.sample import Sample
from inference.local.services import REPOSITORY_ROOT
from inference.local.stack import LocalStack
from inference.local.workspace import Workspace
from stylerec.release.store import Release, open_release, read_pointer
from stylerec.settings import Settings

_PORTS = (
    "redis_port",
    "triton_http_port",
    "triton_grpc_port",
    "triton_metrics_port",
    "http_port",
    "grpc_port",
)
_QUICK_CONFIGS = {
    "ranking_config": '{"max_epochs": 2}',
    "next_item_config": '{"max_epochs": 2}',
    "outfit_config": '{"max_epochs": 2, "patience": 2}',
    # Two epochs on 300 customers prove the path, not the models.
    "gate_config": '{"min_relative_uplift": -1.0, "min_outfit_auc": 0.0}',
}


@dataclass(frozen=True)
class RunningStack:
    """A trained workspace with all three services up."""

    workspace: Workspace
    stack: LocalStack
    sample: Sample
    pipeline_output: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.workspace.settings.http_port}"

    def release(self) -> Release:
        uri = self.workspace.settings.release_uri
        pointer = read_pointer(uri)
        assert pointer is not None
        return open_release(uri, pointer.release_id, cache=self.workspace.folder / "cache")

    def predict(self, instance: dict, *, model: str = "recommender") -> httpx.Response:
        url = f"{self.url}/v1/models/{model}:predict"
        return httpx.post(url, json={"instances": [instance]}, timeout=10)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def run_command(*command: str, settings: Settings) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **settings.environment(), "PYTHONPATH": str(REPOSITORY_ROOT)}
    return subprocess.run(
        command, cwd=REPOSITORY_ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("workspace")
    settings = Settings().model_copy(
        update={
            **dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True)),
            "release_uri": str(folder / "releases"),
            "release_cache": folder / "release_cache",
            "model_repository": folder / "model_repository",
            "feast_workdir": folder / "feast",
            "feast_config": REPOSITORY_ROOT / Settings().feast_config,
            "release_poll_s": 0.2,
        }
    )
    return Workspace(folder, folder / "tables", is_synthetic=True, settings=settings)


@pytest.fixture(scope="session")
def running(workspace: Workspace) -> Iterator[RunningStack]:
    settings = workspace.settings
    stylerec = str(Path(sys.executable).with_name("stylerec"))
    size = ["--customers", "300", "--items", "250", "--end", f"{_today()}"]
    made = run_command(stylerec, "generate", str(workspace.tables), *size, settings=settings)
    assert made.returncode == 0, made.stderr
    with LocalStack(settings, run=workspace.logs) as stack:
        stack.start_stores()
        trained = run_command(
            *(sys.executable, "-m", "pipelines", "run", str(workspace.tables)),
            *("--runs", str(workspace.runs), "--configs", json.dumps(_QUICK_CONFIGS)),
            settings=settings,
        )
        assert trained.returncode == 0, trained.stdout[-3000:] + trained.stderr
        stack.start_transformer()
        pointer = read_pointer(settings.release_uri)
        assert pointer is not None
        release = open_release(
            settings.release_uri, pointer.release_id, cache=workspace.folder / "cache"
        )
        yield RunningStack(workspace, stack, Sample(workspace, release), trained.stdout)


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"
