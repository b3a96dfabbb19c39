import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from onnx import TensorProto, helper

from inference.local.services import PYTHON_MODEL, triton_process
from inference.model_loader import ModelLoader, main
from inference.transformer.triton_client import TritonUnavailableError
from stylerec.release.store import publish, read_pointer
from stylerec.schema.tensors import (
    CANDIDATE_INDEX,
    HISTORY_AGE_DAYS,
    MODEL_SPECS,
    QUERY_EMBEDDING,
    RANKING,
    SCORES,
)
from stylerec.settings import Settings
from tests.inference.conftest import free_ports
from tests.inference.feature_store.conftest import write_release

ROOT = Path(__file__).parents[2]
MODELS = ("ranking", "next_item")


class Triton:
    """A repository reader: has ready what was in the folder at its last load call."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self.ready: set[tuple[str, int]] = set()
        self.loads: list[str] = []
        self.is_up = True

    async def is_model_ready(self, model, version, timeout_s):
        return self.is_up and (model, version) in self.ready

    async def load_model(self, model, timeout_s):
        if not self.is_up:
            raise TritonUnavailableError("ConnectionRefusedError")
        self.loads.append(model)
        folders = (path for path in (self.repository / model).iterdir() if path.is_dir())
        self.ready |= {(model, int(path.name)) for path in folders}


class Bench:
    def __init__(self, folder: Path, *, models=MODELS) -> None:
        self.folder = folder
        self.settings = Settings(
            release_uri=str(folder / "served"),
            preload_release_uri=str(folder / "canary"),
            model_repository=folder / "repository",
        )
        self.triton = Triton(self.settings.model_repository)
        self.loader = ModelLoader(self.settings, models=models, control=self.triton)

    def publish(self, name: str, root: str) -> dict[str, int]:
        manifest = publish(write_release(self.folder / name, models=MODELS), root)
        return {model: entry.version for model, entry in manifest.models.items()}

    def poll(self) -> None:
        asyncio.run(self.loader.poll())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


class TestModelLoader:
    def test_waits_for_the_first_release(self, bench):
        bench.poll()
        assert bench.triton.loads == []

    def test_loads_the_served_release_once(self, bench):
        versions = bench.publish("a", bench.settings.release_uri)
        bench.poll()
        bench.poll()
        assert bench.triton.ready == set(versions.items())
        assert sorted(bench.triton.loads) == sorted(MODELS)

    def test_stages_and_loads_only_its_own_models(self, tmp_path):
        bench = Bench(tmp_path, models=("next_item", "outfit"))
        bench.publish("a", bench.settings.release_uri)
        bench.poll()
        assert bench.triton.loads == ["next_item"]
        assert [path.name for path in bench.settings.model_repository.iterdir()] == ["next_item"]

    def test_has_the_canary_s_versions_before_they_are_served(self, bench):
        served = bench.publish("a", bench.settings.release_uri)
        bench.poll()
        canary = bench.publish("b", bench.settings.preload_release_uri)
        bench.poll()
        assert bench.triton.ready == {*served.items(), *canary.items()}

    def test_many_canaries_never_push_the_served_versions_off_the_disk(self, bench):
        served = bench.publish("a", bench.settings.release_uri)
        for name in "bcdef":
            bench.publish(name, bench.settings.preload_release_uri)
            bench.poll()
        assert (bench.settings.model_repository / "ranking" / str(served["ranking"])).is_dir()

    def test_a_corrupt_canary_does_not_hold_up_the_served_release(self, bench, caplog):
        root = Path(bench.settings.preload_release_uri)
        bench.publish("b", str(root))
        (root / read_pointer(str(root)).release_id / "vocabulary.json").write_text("{}")
        served = bench.publish("a", bench.settings.release_uri)
        bench.poll()
        bench.poll()
        assert bench.triton.ready == set(served.items())
        assert len([line for line in caplog.messages if "vocabulary.json" in line]) == 1

    def test_a_file_system_s_own_error_is_reported_and_tried_again(
        self, bench, monkeypatch, caplog
    ):
        class NoCredentialsError(Exception):
            pass

        def refuse(root):
            raise NoCredentialsError("Unable to locate credentials")

        served = bench.publish("a", bench.settings.release_uri)
        with monkeypatch.context() as context:
            context.setattr("inference.model_loader.read_pointer", refuse)
            bench.poll()
        assert "Unable to locate credentials" in caplog.text
        bench.poll()
        assert bench.triton.ready == set(served.items())

    def test_loads_again_after_triton_was_restarted(self, bench):
        served = bench.publish("a", bench.settings.release_uri)
        bench.triton.is_up = False
        bench.poll()
        bench.triton.is_up = True
        bench.poll()
        bench.triton.ready.clear()
        bench.poll()
        assert bench.triton.ready == set(served.items())


def ranking_graph() -> bytes:
    """The smallest graph with the ranking model's inputs and outputs: scores are the indices."""
    spec = MODEL_SPECS[RANKING]
    kinds = {"INT64": TensorProto.INT64, "FP32": TensorProto.FLOAT}

    def described(tensors):
        return [helper.make_tensor_value_info(t.name, kinds[t.dtype], t.dims) for t in tensors]

    nodes = [
        helper.make_node("Cast", [CANDIDATE_INDEX], [SCORES], to=TensorProto.FLOAT),
        helper.make_node("Identity", [HISTORY_AGE_DAYS], [QUERY_EMBEDDING]),
    ]
    graph = helper.make_graph(nodes, "ranking", described(spec.inputs), described(spec.outputs))
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()


@pytest.mark.stack
class TestProcess:
    """The loader's process beside a real Triton."""

    @pytest.fixture
    def settings(self, tmp_path):
        http_port, grpc_port, metrics_port = free_ports(3)
        return Settings(
            release_uri=str(tmp_path / "served"),
            model_repository=tmp_path / "repository",
            triton_http_port=http_port,
            triton_grpc_port=grpc_port,
            triton_metrics_port=metrics_port,
            release_poll_s=0.2,
        )

    @pytest.fixture
    def loader(self, settings, tmp_path):
        command = [sys.executable, "-m", "inference.model_loader", "--models", RANKING]
        options = ["--heartbeat", tmp_path / "alive", "--python-model", PYTHON_MODEL]
        process = subprocess.Popen(
            [*command, *options], cwd=ROOT, env={**os.environ, **settings.environment()}
        )
        yield process
        process.kill()

    def test_loads_what_is_published_and_again_after_a_restart(self, settings, loader, tmp_path):
        built = write_release(tmp_path / "built", models=(RANKING,), onnx=ranking_graph())
        version = publish(built, settings.release_uri).models[RANKING].version
        url = f"http://127.0.0.1:{settings.triton_http_port}/v2/models/{RANKING}"
        for _ in range(2):
            triton = triton_process(settings, tmp_path / "run")
            triton.start()
            try:
                path = f"{url}/versions/{version}/ready"
                triton.wait_until(lambda path=path: is_ready(path), timeout_s=30)
                # What the manifests' readiness probe asks.
                assert is_ready(f"{url}/ready")
            finally:
                triton.stop()
        assert (tmp_path / "alive").exists()
        loader.terminate()
        assert loader.wait(timeout=10) == 0


def is_ready(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


class TestMain:
    def test_refuses_an_unknown_model(self, capsys):
        with pytest.raises(SystemExit):
            main(["--models", "ranking,rank"])
        assert "got rank" in capsys.readouterr().err
