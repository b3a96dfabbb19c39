"""The running stack: every touchpoint over every protocol, releases swapped under load."""

import concurrent.futures
import json
import signal
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import onnxruntime
import pytest
import tritonclient.grpc as triton

from inference.local.services import PYTHON_MODEL
from stylerec.release.build import content_digest
from stylerec.release.staging import stage_models
from stylerec.release.store import Release, promote, publish, read_pointer, rollback
from stylerec.schema.tensors import MODEL_SPECS
from stylerec.schema.touchpoints import Touchpoint

pytestmark = pytest.mark.stack

TOUCHPOINTS = [touchpoint.value for touchpoint in Touchpoint]
SCORES = ("items", "carousels", "outfits")


def instance_for(running, touchpoint: str) -> dict:
    return next(r for r in running.sample.requests() if r["touchpoint"] == touchpoint)


def shown_items(prediction: dict) -> list[str]:
    """Returns the ids of all items that a prediction shows."""
    if "outfits" in prediction:
        groups = [outfit["items"] for outfit in prediction["outfits"]]
    elif "carousels" in prediction:
        groups = [carousel["items"] for carousel in prediction["carousels"]]
    else:
        groups = [prediction["items"]]
    return [item["item_id"] for group in groups for item in group]


def wait_for(condition, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class TestTouchpoints:
    @pytest.mark.parametrize("touchpoint", TOUCHPOINTS)
    def test_answer_over_v1(self, running, touchpoint: str) -> None:
        response = running.predict(instance_for(running, touchpoint))
        assert response.status_code == 200, response.text
        prediction = response.json()["predictions"][0]
        assert prediction["touchpoint"] == touchpoint
        assert prediction["served_by"] == "primary", prediction
        assert prediction["release"] == running.release().manifest.release_id
        items = shown_items(prediction)
        assert items
        if touchpoint != "complete-the-look":
            assert len(items) == len(set(items))

    @pytest.mark.parametrize("touchpoint", TOUCHPOINTS)
    def test_answer_the_same_over_v2(self, running, touchpoint: str) -> None:
        instance = instance_for(running, touchpoint)
        body = {
            "inputs": [
                {
                    "name": "request",
                    "shape": [1],
                    "datatype": "BYTES",
                    "data": [json.dumps(instance)],
                }
            ]
        }
        response = httpx.post(f"{running.url}/v2/models/recommender/infer", json=body, timeout=10)
        assert response.status_code == 200, response.text
        prediction = json.loads(response.json()["outputs"][0]["data"][0])
        v1 = running.predict(instance).json()["predictions"][0]
        assert shown_items(prediction) == shown_items(v1)

    @pytest.mark.parametrize("touchpoint", TOUCHPOINTS)
    def test_answer_the_same_over_grpc(self, running, touchpoint: str) -> None:
        instance = instance_for(running, touchpoint)
        client = triton.InferenceServerClient(f"127.0.0.1:{running.workspace.settings.grpc_port}")
        tensor = triton.InferInput("request", [1], "BYTES")
        tensor.set_data_from_numpy(np.array([json.dumps(instance).encode()], dtype=object))
        result = client.infer("recommender", [tensor])
        prediction = json.loads(result.as_numpy("prediction")[0])
        v1 = running.predict(instance).json()["predictions"][0]
        assert shown_items(prediction) == shown_items(v1)

    def test_takes_several_instances_in_one_call(self, running) -> None:
        url = f"{running.url}/v1/models/recommender:predict"
        response = httpx.post(url, json={"instances": running.sample.requests()}, timeout=10)
        assert [p["touchpoint"] for p in response.json()["predictions"]] == TOUCHPOINTS

    def test_knows_nothing_of_a_new_customer_and_answers(self, running) -> None:
        response = running.predict({"touchpoint": "for-you", "customer_id": "nobody-yet"})
        prediction = response.json()["predictions"][0]
        assert response.status_code == 200
        assert prediction["history_age_s"] is None
        assert prediction["served_by"].startswith("fallback:")
        assert shown_items(prediction)


class TestModels:
    @pytest.mark.parametrize("model", list(MODEL_SPECS))
    def test_triton_answers_like_onnx_runtime_in_process(self, running, model: str) -> None:
        release = running.release()
        path = release.folder / "models" / model / "model.onnx"
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        max_len = release.manifest.models[model].max_history_len
        sizes = {"B": 2, "L": max_len, "K": 1, "C": 7, "N": 4}
        generator = np.random.default_rng(0)
        feeds = {}
        for spec in MODEL_SPECS[model].inputs:
            shape = [sizes.get(dim, dim) for dim in spec.dims]
            is_whole = spec.dtype == "INT64"
            top = 5 if "event" in spec.name else 200
            value = generator.integers(1, top, shape) if is_whole else generator.random(shape)
            feeds[spec.name] = value.astype(np.int64 if is_whole else np.float32)
        settings = running.workspace.settings
        client = triton.InferenceServerClient(f"127.0.0.1:{settings.triton_grpc_port}")
        inputs = []
        for spec in MODEL_SPECS[model].inputs:
            tensor = triton.InferInput(spec.name, list(feeds[spec.name].shape), spec.dtype)
            tensor.set_data_from_numpy(feeds[spec.name])
            inputs.append(tensor)
        version = str(release.manifest.models[model].version)
        result = client.infer(model, inputs, model_version=version)
        names = [spec.name for spec in MODEL_SPECS[model].outputs]
        for name, expected in zip(names, session.run(names, feeds), strict=True):
            np.testing.assert_allclose(result.as_numpy(name), expected, atol=1e-5)


class TestFreshness:
    def test_a_posted_interaction_is_in_the_next_request(self, running) -> None:
        interaction = running.sample.interaction()
        posted = running.predict(interaction, model="interactions")
        assert posted.status_code == 200, posted.text
        request = {"touchpoint": "for-you", "customer_id": interaction["customer_id"]}
        prediction = running.predict(request).json()["predictions"][0]
        assert prediction["history_age_s"] < 5

    def test_a_new_customers_first_interaction_raises_the_rung(self, running) -> None:
        item_id = running.sample.interaction()["item_id"]
        for event_type in ("view", "save"):
            interaction = {"customer_id": "new-1", "item_id": item_id, "event_type": event_type}
            assert running.predict(interaction, model="interactions").status_code == 200
        request = {"touchpoint": "for-you", "customer_id": "new-1"}
        assert running.predict(request).json()["predictions"][0]["served_by"] == "primary"


class TestBadRequests:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"touchpoint": "home"}, "touchpoint"),
            ({"touchpoint": None}, "touchpoint"),
            ({"hero_item_id": None}, "hero_item_id"),
            ({"hero_item_id": 7}, "hero_item_id"),
            ({"limit": 0}, "limit"),
            ({"limit": True}, "limit"),
            ({"limit": 10_000}, "limit"),
            ({"customer_id": ["c1"]}, "customer_id"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_are_400_naming_the_field(self, running, change: dict, field: str) -> None:
        instance = instance_for(running, "you-might-also-like") | change
        response = running.predict(instance)
        assert response.status_code == 400, response.text
        assert f"instances[0].{field}" in response.text
        body = {
            "inputs": [
                {
                    "name": "request",
                    "shape": [1],
                    "datatype": "BYTES",
                    "data": [json.dumps(instance)],
                }
            ]
        }
        v2 = httpx.post(f"{running.url}/v2/models/recommender/infer", json=body, timeout=10)
        assert v2.status_code == 400
        assert field in v2.text

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b'{"instances": []}',
            b'{"instances": 3}',
            b"\xff\xfe",
            b"[[[[",
        ],
    )
    def test_are_400_when_no_request_at_all(self, running, content: bytes) -> None:
        url = f"{running.url}/v1/models/recommender:predict"
        headers = {"Content-Type": "application/json"}
        assert httpx.post(url, content=content, headers=headers, timeout=10).status_code == 400

    def test_too_many_candidates(self, running) -> None:
        instance = {"touchpoint": "category-page", "candidate_item_ids": ["i"] * 10_001}
        response = running.predict(instance)
        assert response.status_code == 400
        assert "candidate_item_ids" in response.text

    def test_bad_interactions_are_400(self, running) -> None:
        bad = {"customer_id": "c", "item_id": "i", "event_type": "stare"}
        response = running.predict(bad, model="interactions")
        assert response.status_code == 400
        assert "event_type" in response.text


def next_release(release: Release, folder: Path) -> Path:
    """Writes the same release again under a later id and version, as a second build would be."""
    import shutil

    shutil.copytree(release.folder, folder)
    version = time.time_ns() // 1_000_000
    digest = content_digest(release.manifest.files)[:8]
    models = {
        name: entry.model_copy(update={"version": version})
        for name, entry in release.manifest.models.items()
    }
    stamp = time.strftime("%Y-%m-%dT%H%M%S", time.gmtime())
    manifest = release.manifest.model_copy(
        update={"release_id": f"{stamp}-{version}-{digest}", "models": models}
    )
    (folder / "release.json").write_text(manifest.model_dump_json())
    return folder


class Load:
    """Sends every touchpoint's request from several threads until told to stop."""

    def __init__(self, running, *, threads: int = 4) -> None:
        self._running = running
        self._stop = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(threads)
        self._num_threads = threads
        self.statuses: list[int] = []
        self.releases: set[str] = set()

    def __enter__(self) -> "Load":
        self._futures = [self._pool.submit(self._send) for _ in range(self._num_threads)]
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for future in self._futures:
            future.result()
        self._pool.shutdown()

    def _send(self) -> None:
        url = f"{self._running.url}/v1/models/recommender:predict"
        with httpx.Client(timeout=10) as client:
            while not self._stop.is_set():
                for instance in self._running.sample.requests():
                    response = client.post(url, json={"instances": [instance]})
                    self.statuses.append(response.status_code)
                    if response.is_success:
                        self.releases.add(response.json()["predictions"][0]["release"])


def served_release(running) -> str:
    return running.predict({"touchpoint": "for-you"}).json()["predictions"][0]["release"]


class TestReleases:
    def test_are_swapped_under_load_without_a_failed_request(self, running, tmp_path: Path) -> None:
        settings = running.workspace.settings
        first = running.release()
        client = triton.InferenceServerClient(f"127.0.0.1:{settings.triton_grpc_port}")
        with Load(running) as load:
            manifest = publish(next_release(first, tmp_path / "second"), settings.release_uri)
            second = running.release()
            for model in stage_models(second, settings.model_repository, python_model=PYTHON_MODEL):
                client.load_model(model)
            assert wait_for(lambda: served_release(running) == manifest.release_id, 30)
            time.sleep(0.5)
            rollback(settings.release_uri)
            first_id = first.manifest.release_id
            assert wait_for(lambda: served_release(running) == first_id, 30)
        assert set(load.statuses) == {200}
        assert len(load.statuses) > 50
        assert load.releases == {first_id, manifest.release_id}

    def test_a_corrupt_release_is_never_served(self, running, tmp_path: Path) -> None:
        uri = running.workspace.settings.release_uri
        first = running.release()
        manifest = publish(next_release(first, tmp_path / "corrupt"), uri)
        promote(uri, first.manifest.release_id)
        (Path(uri) / manifest.release_id / "catalogue.parquet").write_bytes(b"nonsense")
        promote(uri, manifest.release_id)
        time.sleep(1.5)
        assert served_release(running) == first.manifest.release_id
        rollback(uri)
        pointer = read_pointer(uri)
        assert pointer is not None
        assert pointer.release_id == first.manifest.release_id


class TestReadinessAndFallback:
    """Last in the file: these stop and start what the others need."""

    def is_ready(self, running) -> bool:
        return httpx.get(f"{running.url}/v2/health/ready", timeout=5).is_success

    def test_metrics_tell_touchpoint_and_rung(self, running) -> None:
        running.predict(instance_for(running, "for-you"))
        text = httpx.get(f"{running.url}/metrics", timeout=5).text
        assert 'touchpoint="for-you"' in text
        assert running.release().manifest.release_id in text

    def test_answers_without_triton_from_a_lower_rung(self, running) -> None:
        triton_process = running.stack.processes["triton"]
        assert self.is_ready(running)
        triton_process.signal_group(signal.SIGSTOP)
        try:
            for touchpoint in TOUCHPOINTS:
                started = time.monotonic()
                response = running.predict(instance_for(running, touchpoint))
                assert response.status_code == 200, response.text
                assert time.monotonic() - started < 1.0
                prediction = response.json()["predictions"][0]
                assert shown_items(prediction)
                assert prediction["model"] not in ("next_item", "ranking", "outfit")
            assert wait_for(lambda: not self.is_ready(running), 10)
        finally:
            triton_process.signal_group(signal.SIGCONT)
        assert wait_for(lambda: self.is_ready(running), 20)
        request = instance_for(running, "for-you")
        assert wait_for(
            lambda: running.predict(request).json()["predictions"][0]["served_by"] == "primary", 10
        )

    def test_answers_without_the_feature_store(self, running) -> None:
        redis = running.stack.processes["redis"]
        redis.signal_group(signal.SIGSTOP)
        try:
            for touchpoint in TOUCHPOINTS:
                response = running.predict(instance_for(running, touchpoint))
                assert response.status_code == 200, response.text
                prediction = response.json()["predictions"][0]
                assert prediction["history_age_s"] is None
                assert shown_items(prediction)
            assert wait_for(lambda: not self.is_ready(running), 10)
        finally:
            redis.signal_group(signal.SIGCONT)
        assert wait_for(lambda: self.is_ready(running), 20)

    def test_nothing_is_left_running(self, running) -> None:
        pids = [process.pid for process in running.stack.processes.values()]
        running.stack.stop()
        assert len(pids) == 3
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
