"""Redis, prepared data and releases as in the feature store's tests, and a running router."""

import importlib.util
import json
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import httpx
import pytest

from inference.feature_store.materialise import materialise
from stylerec.release.store import publish
from stylerec.settings import Settings

_FOLDER = Path(__file__).parent
_spec = importlib.util.spec_from_file_location(
    "feature_store_fixtures", _FOLDER.parent / "feature_store" / "conftest.py"
)
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)

redis_server = _fixtures.redis_server
redis_port = _fixtures.redis_port
settings = _fixtures.settings
prepare = _fixtures.prepare
build = _fixtures.build

# The other environments have no kserve: there these files belong to nobody.
collect_ignore = [
    path.name
    for path in _FOLDER.glob("test_*.py")
    if importlib.util.find_spec("kserve") is None and "mark.serve_env" in path.read_text()
]


@pytest.fixture(scope="session")
def fixtures() -> ModuleType:
    """The functions behind the fixtures, for fixtures of a wider scope."""
    return _fixtures


@dataclass
class Router:
    """A routing transformer in a process of its own, and its callers."""

    settings: Settings
    process: subprocess.Popen
    http: httpx.Client
    log: Path

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 20) -> None:
        end_s = time.monotonic() + timeout_s
        while not condition():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end_s, self.log.read_text()
            time.sleep(0.1)

    def is_up(self, path: str) -> bool:
        try:
            return self.http.get(path).is_success
        except httpx.TransportError:
            return False

    def predict(self, *instances: dict) -> list[dict]:
        body = {"instances": list(instances)}
        response = self.http.post("/v1/models/recommender:predict", json=body)
        assert response.status_code == 200, response.text
        return response.json()["predictions"]

    def infer_binary(self, elements: list[str]) -> list[dict]:
        raw = _join(elements)
        tensor = {
            "name": "request",
            "datatype": "BYTES",
            "shape": [len(elements)],
            "parameters": {"binary_data_size": len(raw)},
        }
        body = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
        header = json.dumps(body).encode()
        response = self.http.post(
            "/v2/models/recommender/infer",
            content=header + raw,
            headers={
                "Content-Type": "application/octet-stream",
                "Inference-Header-Content-Length": str(len(header)),
            },
        )
        assert response.status_code == 200, response.text
        return _split(response.content[int(response.headers["inference-header-content-length"]) :])

    def grpc(self) -> tuple[Any, Any]:
        """The stub and the module of its messages."""
        from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages
        from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

        channel = grpc.insecure_channel(f"127.0.0.1:{self.settings.grpc_port}")
        return GRPCInferenceServiceStub(channel), messages

    def infer_grpc(self, elements: list[str], *, is_raw: bool = False) -> list[dict]:
        stub, messages = self.grpc()
        tensor: dict[str, Any] = {"name": "request", "datatype": "BYTES", "shape": [len(elements)]}
        request: dict[str, Any] = {"model_name": "recommender", "inputs": [tensor]}
        if is_raw:
            request["raw_input_contents"] = [_join(elements)]
        else:
            contents = [element.encode() for element in elements]
            tensor["contents"] = {"bytes_contents": contents}
        response = stub.ModelInfer(messages.ModelInferRequest(**request), timeout=10)
        assert [output.name for output in response.outputs] == ["prediction"]
        if is_raw:
            return _split(response.raw_output_contents[0])
        return [json.loads(element) for element in response.outputs[0].contents.bytes_contents]

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=20)


@pytest.fixture(scope="session")
def start_router() -> Callable[[Settings, Path], Router]:
    """Starts a router and waits until it takes calls; it may not be ready."""

    def start(settings: Settings, log: Path) -> Router:
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "inference.transformer"],
                cwd=_FOLDER.parents[2],
                env=_fixtures.router_environment(settings),
                stdout=file,
                stderr=file,
            )
        url = f"http://127.0.0.1:{settings.http_port}"
        router = Router(settings, process, httpx.Client(base_url=url, timeout=10), log)
        router.wait_until(lambda: router.is_up("/v2/health/live"), 60)
        return router

    return start


@pytest.fixture(scope="session")
def router(
    start_router: Callable[[Settings, Path], Router], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Router]:
    """A router with a Redis, a release and histories of c0 to c19, for tests that leave them so."""
    folder = tmp_path_factory.mktemp("router")
    now_s = int(time.time())
    with _fixtures.running_redis() as port:
        settings = _fixtures.make_settings(folder, port)
        histories = {
            f"c{n}": [(n, "view", now_s - 900), (n + 10, "purchase", now_s - 600)]
            for n in range(20)
        }
        materialise(_fixtures.write_prepared(folder / "prepared", histories), settings)
        publish(_fixtures.write_release(folder / "built"), settings.release_uri)
        router = start_router(settings, folder / "log")
        router.wait_until(lambda: router.is_up("/v2/health/ready"))
        yield router
        router.stop()


def _join(elements: list[str]) -> bytes:
    encoded = [element.encode() for element in elements]
    return b"".join(struct.pack("<I", len(element)) + element for element in encoded)


def _split(raw: bytes) -> list[dict]:
    found = []
    while raw:
        (length,) = struct.unpack_from("<I", raw)
        found.append(json.loads(raw[4 : 4 + length]))
        raw = raw[4 + length :]
    return found
