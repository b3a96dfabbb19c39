"""The routing transformer as a process of its own: REST and gRPC, right and wrong requests.

No Triton runs here, so lower rungs answer; the stack's test has all of it.
"""

import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import redis

from inference.feature_store.materialise import materialise
from stylerec.release.store import publish
from stylerec.schema.touchpoints import Touchpoint
from stylerec.settings import Settings

pytestmark = pytest.mark.serve_env

ROOT = Path(__file__).parents[3]
NOW_S = int(time.time())
PREDICT = "/v1/models/recommender:predict"
INFER = "/v2/models/recommender/infer"
INTERACTIONS = "/v1/models/interactions:predict"
HERO = {"touchpoint": "you-might-also-like", "hero_item_id": "i7", "limit": 3}
TOO_MANY = {"touchpoint": "category-page"}
REQUESTS: dict[str, dict[str, Any]] = {
    "category-page": {"candidate_item_ids": ["i1", "i2", "i3"]},
    "search-page": {"candidate_item_ids": ["i4", "i5", "nothing"]},
    "you-might-also-like": {"hero_item_id": "i7"},
    "people-also-bought": {"hero_item_id": "i7"},
    "little-something-extra": {"bag_item_ids": ["i50", "i51"]},
    "for-you": {},
    "complete-the-look": {"hero_item_id": "i7"},
}


@dataclass
class Router:
    settings: Settings
    process: subprocess.Popen
    http: httpx.Client

    def predict(self, *instances: dict, path: str = PREDICT) -> list[dict]:
        response = self.http.post(path, json={"instances": list(instances)})
        assert response.status_code == 200, response.text
        return response.json()["predictions"]


def start(settings: Settings, log: Path) -> Router:
    environment = {
        **os.environ,
        **{f"STYLEREC_{name.upper()}": str(value) for name, value in settings.model_dump().items()},
        "OMP_NUM_THREADS": "1",
    }
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "inference.transformer"],
            cwd=ROOT, env=environment, stdout=file, stderr=file,
        )  # fmt: skip
    http = httpx.Client(base_url=f"http://127.0.0.1:{settings.http_port}", timeout=10)
    wait_for(lambda: is_live(http, process, log), 60)
    return Router(settings, process, http)


def is_live(http: httpx.Client, process: subprocess.Popen, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return http.get("/v2/health/live").is_success
    except httpx.TransportError:
        return False


def wait_for(condition, timeout_s: float) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def router(redis_server, fixtures, tmp_path_factory) -> Iterator[Router]:
    """A router with a release and histories, shared by the tests that change neither."""
    folder = tmp_path_factory.mktemp("router")
    redis.Redis(port=redis_server).flushall()
    settings = fixtures.make_settings(folder, redis_server)
    histories = {
        f"c{n}": [(n, "view", NOW_S - 900), (n + 10, "purchase", NOW_S - 600)] for n in range(20)
    }
    materialise(fixtures.write_prepared(folder / "prepared", histories), settings)
    publish(fixtures.write_release(folder / "built"), settings.release_uri)
    found = start(settings, folder / "log")
    wait_for(lambda: found.http.get("/v2/health/ready").is_success, 10)
    yield found
    found.process.terminate()
    found.process.wait(timeout=20)


class TestAnswers:
    @pytest.mark.parametrize("touchpoint", list(Touchpoint))
    def test_every_touchpoint_is_answered(self, router, touchpoint):
        instance = {"touchpoint": touchpoint, "customer_id": "c3", **REQUESTS[touchpoint]}
        (answer,) = router.predict(instance)
        assert answer["touchpoint"] == touchpoint
        assert answer["release"]
        assert answer["history_age_s"] == pytest.approx(600, abs=120)

    def test_an_unknown_customer_gets_an_answer_from_a_lower_rung(self, router):
        (answer,) = router.predict({**HERO, "customer_id": "nobody"})
        assert answer["items"]
        assert answer["notes"]["history"] == "no_history"

    def test_v1_v2_and_grpc_say_the_same(self, router):
        instances = [{**HERO, "customer_id": "c3"}, {"touchpoint": "for-you"}]
        by_v1 = router.predict(*instances)
        elements = [json.dumps(instance) for instance in instances]
        as_json = v2_body(elements)
        by_v2 = router.http.post(INFER, json=as_json).json()
        assert by_v2["model_name"] == "recommender"
        assert by_v2["outputs"][0]["name"] == "prediction"
        assert by_v2["outputs"][0]["shape"] == [2]
        found = [[json.loads(e) for e in by_v2["outputs"][0]["data"]]]
        found.append(binary_infer(router, elements))
        found.append(grpc_infer(router, elements, is_raw=False))
        found.append(grpc_infer(router, elements, is_raw=True))
        for predictions in found:
            assert without_ages(predictions) == without_ages(by_v1)

    def test_curl_s_default_content_type_is_taken(self, router):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        v1 = router.http.post(PREDICT, content=json.dumps({"instances": [HERO]}), headers=form)
        v2 = router.http.post(INFER, content=json.dumps(v2_body([json.dumps(HERO)])), headers=form)
        assert (v1.status_code, v2.status_code) == (200, 200)

    def test_metadata_describes_the_tensors(self, router):
        described = router.http.get("/v2/models/recommender").json()
        assert described["inputs"] == [{"name": "request", "datatype": "BYTES", "shape": [-1]}]
        assert described["outputs"] == [{"name": "prediction", "datatype": "BYTES", "shape": [-1]}]
        stub, pb = grpc_stub(router)
        by_grpc = stub.ModelMetadata(pb.ModelMetadataRequest(name="recommender"))
        assert [tensor.name for tensor in by_grpc.inputs] == ["request"]

    def test_readiness_is_asked_in_every_protocol(self, router):
        assert router.http.get("/v1/models/recommender").json()["ready"] is True
        assert router.http.get("/v2/models/interactions/ready").json()["ready"] is True
        stub, pb = grpc_stub(router)
        assert stub.ServerReady(pb.ServerReadyRequest()).ready
        assert stub.ModelReady(pb.ModelReadyRequest(name="recommender")).ready

    def test_metrics_tell_touchpoints_rungs_and_release(self, router):
        router.predict({**HERO, "customer_id": "c3"})
        text = router.http.get("/metrics").text
        for name in (
            'stylerec_answers_total{is_primary="false",rung="content",touchpoint="you-might',
            'stylerec_answer_seconds_bucket{le="0.001",touchpoint="you-might-also-like"}',
            'stylerec_dependency_seconds_count{dependency="feature_store"}',
            'stylerec_release_info{release="20',
            'stylerec_ready{part="feature_store"} 1.0',
            "stylerec_history_age_seconds_count",
        ):
            assert name in text

    def test_listens_on_its_own_address_only(self, router):
        others = [address for address in local_addresses() if not address.startswith("127.")]
        for address in others:
            with pytest.raises(httpx.TransportError):
                httpx.get(f"http://{address}:{router.settings.http_port}/v2/health/live", timeout=2)


class TestWrongRequests:
    @pytest.mark.parametrize(
        ("instance", "field"),
        [
            ({"touchpoint": "home"}, "touchpoint"),
            ({}, "touchpoint"),
            ({"touchpoint": "you-might-also-like"}, "hero_item_id"),
            ({**HERO, "limit": 0}, "limit"),
            ({**HERO, "limit": 10_000}, "limit"),
            ({**HERO, "limit": "3"}, "limit"),
            ({**HERO, "customer_id": 5}, "customer_id"),
            ({**HERO, "market": "XX"}, "market"),
            ({**HERO, "size": 3}, "size"),
            ({**TOO_MANY, "candidate_item_ids": ["i"] * 10_001}, "candidate_item_ids"),
        ],
    )
    def test_the_field_is_named_in_every_protocol(self, router, instance, field):
        where = f"instances[0].{field}"
        v1 = router.http.post(PREDICT, json={"instances": [instance]})
        v2 = router.http.post(INFER, json=v2_body([json.dumps(instance)]))
        for response in (v1, v2):
            assert response.status_code == 400
            assert response.json()["field"] == where
            assert response.json()["error"].startswith(where)
        with pytest.raises(grpc.RpcError) as caught:
            grpc_infer(router, [json.dumps(instance)], is_raw=False)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert caught.value.details().startswith(where)

    @pytest.mark.parametrize(
        "content",
        [
            b"", b"{", b"null", b"[]", b"3", b'"x"', b"{}", b'{"inputs": []}',
            b'{"instances": {}}', b'{"instances": []}',
            b'{"instances": [null]}', b'{"instances": [[]]}', b'{"instances": [3]}', b"\xff\xfe",
            b'{"instances": [{"touchpoint": "\\ud800"}]}', b"[" * 100_000,
            b'{"instances": [{"touchpoint": "for-you"}], "parameters": {}}',
            b'{"instances": [{"touchpoint": NaN}]}',
            b'{"instances": [{"touchpoint": "for-you", "limit": 1e400}]}',
            b'{"instances": [{"touchpoint": "for-you", "limit": 99999999999999999999999999}]}',
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/octet-stream"])
    @pytest.mark.parametrize("path", [PREDICT, INFER, INTERACTIONS])
    def test_any_other_body_is_a_400(self, router, path, kind, content):
        response = router.http.post(path, content=content, headers={"Content-Type": kind})
        assert response.status_code == 400
        assert response.json()["error"]

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": "input"},
            {"datatype": "INT32", "data": [1]},
            {"datatype": "UINT3", "data": [1]},
            {"shape": [2]},
            {"shape": [1, 1]},
            {"shape": []},
            {"data": ["{"]},
            {"data": [3]},
            {"data": [["{}"]]},
            {"data": "x"},
            {"data": None},
            {"shape": "x"},
            {"parameters": {"binary_data_size": 4}},
            {"parameters": 3},
            {"datatype": 3},
        ],
    )
    def test_a_wrong_v2_tensor_is_a_400(self, router, changes):
        body = v2_body([json.dumps(HERO)])
        body["inputs"][0] |= changes
        if changes == {"parameters": {"binary_data_size": 4}}:
            del body["inputs"][0]["data"]
        response = router.http.post(INFER, json=body)
        assert response.status_code == 400, response.text
        assert response.json()["error"]

    @pytest.mark.parametrize("outputs", [[{"name": "other"}], "x", [3], [{}]])
    def test_a_wrong_v2_output_is_a_400(self, router, outputs):
        body = {**v2_body([json.dumps(HERO)]), "outputs": outputs}
        assert router.http.post(INFER, json=body).status_code == 400

    @pytest.mark.parametrize(
        ("header", "tail"),
        [
            ({"inputs": [{"name": "request", "shape": [1], "datatype": "BYTES"}]}, b""),
            ({"inputs": [{"name": "request"}]}, b""),
            ({"inputs": 3}, b""),
            ({}, b""),
            ([], b""),
            (binary_header := {"inputs": [{"name": "request", "shape": [1], "datatype": "BYTES",
              "parameters": {"binary_data_size": 8}}]}, b""),
            (binary_header, b"\xff\xff\xff\xff1234"),
            (binary_header, b"\x04\x00\x00\x00\xff\xff\xff\xff"),
            (binary_header, b"\x00"),
        ],
    )  # fmt: skip
    def test_a_wrong_binary_body_is_a_400(self, router, header, tail):
        text = json.dumps(header).encode()
        headers = {"Inference-Header-Content-Length": str(len(text))}
        response = router.http.post(INFER, content=text + tail, headers=headers)
        assert response.status_code == 400, response.text

    @pytest.mark.parametrize("length", ["x", "-1", "999999", "1.5", ""])
    def test_a_wrong_json_length_is_a_400(self, router, length):
        headers = {"Inference-Header-Content-Length": length}
        assert router.http.post(INFER, content=b"{}", headers=headers).status_code == 400

    @pytest.mark.parametrize("raw", [b"", b"\x01", b"\xff\xff\xff\xff", b"\x02\x00\x00\x00{"])
    def test_wrong_raw_bytes_are_an_invalid_argument(self, router, raw):
        stub, pb = grpc_stub(router)
        tensor = {"name": "request", "datatype": "BYTES", "shape": [1]}
        request = pb.ModelInferRequest(
            model_name="recommender", inputs=[tensor], raw_input_contents=[raw]
        )
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelInfer(request)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT

    def test_a_body_beyond_the_limit_is_a_400(self, router):
        large = {"instances": [{**HERO, "exclude_item_ids": ["x" * 250] * 70_000}]}
        for path in (PREDICT, INFER):
            response = router.http.post(path, json=large)
            assert response.status_code == 400

    def test_other_models_and_addresses_are_not_found(self, router):
        assert router.http.post("/v1/models/x:predict", json={}).status_code == 404
        assert router.http.get("/v2/models/x/ready").status_code == 404
        assert router.http.get("/v3").status_code == 404
        stub, pb = grpc_stub(router)
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelInfer(pb.ModelInferRequest(model_name="x"))
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND

    def test_models_cannot_be_unloaded_over_the_wire(self, router):
        response = router.http.post("/v2/repository/models/recommender/unload")
        assert response.status_code == 400
        assert router.predict(HERO)


class TestInteractions:
    def test_an_interaction_is_in_the_next_request(self, router):
        bought = {"customer_id": "c19", "item_id": "i33", "event_type": "purchase"}
        response = router.http.post(INTERACTIONS, json={"instances": [bought]}).json()
        assert (response["accepted"], response["duplicates"]) == (1, 0)
        (answer,) = router.predict({"touchpoint": "for-you", "customer_id": "c19"})
        assert answer["history_age_s"] < 5

    def test_a_repeat_is_told_as_one(self, router):
        saved = {"customer_id": "c18", "item_id": "i3", "event_type": "save", "event_id": "e1"}
        bodies = [
            router.http.post(INTERACTIONS, json={"instances": [saved]}).json() for _ in range(2)
        ]
        assert [body["predictions"] for body in bodies] == [
            [{"status": "accepted"}],
            [{"status": "duplicate"}],
        ]

    def test_v2_takes_them_too(self, router):
        seen = {"customer_id": "c17", "item_id": "i3", "event_type": "view"}
        response = router.http.post(
            "/v2/models/interactions/infer", json=v2_body([json.dumps(seen)])
        )
        assert json.loads(response.json()["outputs"][0]["data"][0]) == {"status": "accepted"}

    def test_nothing_is_stored_when_one_is_wrong(self, router):
        good = {"customer_id": "fresh", "item_id": "i3", "event_type": "view"}
        body = {"instances": [good, {**good, "event_type": "buy"}]}
        response = router.http.post(INTERACTIONS, json=body)
        assert response.status_code == 400
        assert response.json()["field"] == "instances[1].event_type"
        (answer,) = router.predict({"touchpoint": "for-you", "customer_id": "fresh"})
        assert answer["notes"]["history"] == "no_history"


class TestMissingParts:
    def test_answers_without_release_feast_and_redis_are_honest(self, settings, build, tmp_path):
        down = settings.model_copy(update={"redis_port": settings.triton_grpc_port + 1})
        router = start(down, tmp_path / "log")
        try:
            response = router.http.post(PREDICT, json={"instances": [HERO]})
            assert response.status_code == 503
            assert "no release is published" in response.json()["error"]
            ready = router.http.get("/v2/health/ready")
            assert ready.status_code == 503
            assert any("feature store" in fault for fault in ready.json()["faults"])
            with pytest.raises(grpc.RpcError) as caught:
                grpc_infer(router, [json.dumps(HERO)], is_raw=False)
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE

            publish(build(models=("ranking",)), down.release_uri)
            wait_for(lambda: router.http.post(PREDICT, json={"instances": [HERO]}).is_success, 10)
            (answer,) = router.predict({**HERO, "customer_id": "c1"})
            assert answer["skipped"]["ranking"] == "unavailable"
            assert answer["notes"]["history"] == "history_unavailable"
            faults = router.http.get("/v2/health/ready").json()["faults"]
            assert any("triton" in fault for fault in faults)
            seen = {"customer_id": "c1", "item_id": "i3", "event_type": "view"}
            response = router.http.post(INTERACTIONS, json={"instances": [seen]})
            assert response.status_code == 503
        finally:
            router.process.terminate()
            assert router.process.wait(timeout=20) == 0
        log = (tmp_path / "log").read_text()
        assert "Traceback" not in log
        assert "c1" not in log


def v2_body(elements: list[str]) -> dict[str, Any]:
    tensor = {"name": "request", "datatype": "BYTES", "shape": [len(elements)], "data": elements}
    return {"inputs": [tensor]}


def binary_infer(router: Router, elements: list[str]) -> list[dict]:
    raw = b"".join(struct.pack("<I", len(e.encode())) + e.encode() for e in elements)
    tensor = {
        "name": "request",
        "datatype": "BYTES",
        "shape": [len(elements)],
        "parameters": {"binary_data_size": len(raw)},
    }
    header = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    response = router.http.post(
        INFER,
        content=header + raw,
        headers={
            "Content-Type": "application/octet-stream",
            "Inference-Header-Content-Length": str(len(header)),
        },
    )
    assert response.status_code == 200, response.text
    return split(response.content[int(response.headers["inference-header-content-length"]) :])


def grpc_stub(router: Router) -> tuple[Any, Any]:
    from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
    from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import GRPCInferenceServiceStub

    channel = grpc.insecure_channel(f"127.0.0.1:{router.settings.grpc_port}")
    return GRPCInferenceServiceStub(channel), pb


def grpc_infer(router: Router, elements: list[str], *, is_raw: bool) -> list[dict]:
    stub, pb = grpc_stub(router)
    encoded = [element.encode() for element in elements]
    tensor: dict[str, Any] = {"name": "request", "datatype": "BYTES", "shape": [len(elements)]}
    request: dict[str, Any] = {"model_name": "recommender", "inputs": [tensor]}
    if is_raw:
        raw = b"".join(struct.pack("<I", len(element)) + element for element in encoded)
        request["raw_input_contents"] = [raw]
    else:
        tensor["contents"] = {"bytes_contents": encoded}
    response = stub.ModelInfer(pb.ModelInferRequest(**request), timeout=10)
    assert [output.name for output in response.outputs] == ["prediction"]
    if is_raw:
        return split(response.raw_output_contents[0])
    return [json.loads(element) for element in response.outputs[0].contents.bytes_contents]


def split(raw: bytes) -> list[dict]:
    found = []
    while raw:
        (length,) = struct.unpack_from("<I", raw)
        found.append(json.loads(raw[4 : 4 + length]))
        raw = raw[4 + length :]
    return found


def without_ages(predictions: list[dict]) -> list[dict]:
    return [{k: v for k, v in p.items() if k != "history_age_s"} for p in predictions]


def local_addresses() -> list[str]:
    listed = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False)
    return [address for address in listed.stdout.split() if ":" not in address]
