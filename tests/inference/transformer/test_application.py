"""The routing transformer as a process of its own, answering over REST and gRPC.

No Triton runs here, so lower rungs answer; the stack's test has all of it.
"""

import json
import subprocess
from typing import Any

import grpc
import httpx
import pytest

from stylerec.release.store import publish
from stylerec.schema.touchpoints import Touchpoint

pytestmark = pytest.mark.serve_env

PREDICT = "/v1/models/recommender:predict"
INFER = "/v2/models/recommender/infer"
INTERACTIONS = "/v1/models/interactions:predict"
HERO = {"touchpoint": "you-might-also-like", "hero_item_id": "i7", "limit": 3}
REQUESTS: dict[str, dict[str, Any]] = {
    "category-page": {"candidate_item_ids": ["i1", "i2", "i3"]},
    "search-page": {"candidate_item_ids": ["i4", "i5", "nothing"]},
    "you-might-also-like": {"hero_item_id": "i7"},
    "people-also-bought": {"hero_item_id": "i7"},
    "little-something-extra": {"bag_item_ids": ["i50", "i51"]},
    "for-you": {},
    "complete-the-look": {"hero_item_id": "i7"},
}


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

    def test_kubernetes_is_told_that_it_answers(self, router):
        response = router.http.get("/health/answering")
        assert (response.status_code, response.json()) == (200, {"answering": True})

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
        found.append(router.infer_binary(elements))
        found.append(router.infer_grpc(elements, is_raw=False))
        found.append(router.infer_grpc(elements, is_raw=True))
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
        stub, messages = router.grpc()
        by_grpc = stub.ModelMetadata(messages.ModelMetadataRequest(name="recommender"))
        assert [tensor.name for tensor in by_grpc.inputs] == ["request"]

    def test_readiness_is_asked_in_every_protocol(self, router):
        assert router.http.get("/v1/models/recommender").json()["ready"] is True
        assert router.http.get("/v2/models/interactions/ready").json()["ready"] is True
        stub, messages = router.grpc()
        assert stub.ServerReady(messages.ServerReadyRequest()).ready
        assert stub.ModelReady(messages.ModelReadyRequest(name="recommender")).ready

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
    def test_answers_without_release_feast_and_redis_are_honest(
        self, settings, build, start_router, tmp_path
    ):
        down = settings.model_copy(update={"redis_port": settings.triton_grpc_port + 1})
        router = start_router(down, tmp_path / "log")
        try:

            def response():
                return router.http.post(PREDICT, json={"instances": [HERO]})

            # It listens before it has looked for its first release.
            router.wait_until(lambda: "no release is published" in response().text)
            assert response().status_code == 503
            ready = router.http.get("/v2/health/ready")
            assert ready.status_code == 503
            assert any("feature store" in fault for fault in ready.json()["faults"])
            with pytest.raises(grpc.RpcError) as caught:
                router.infer_grpc([json.dumps(HERO)])
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE

            publish(build(models=("ranking",)), down.release_uri)
            router.wait_until(
                lambda: router.http.post(PREDICT, json={"instances": [HERO]}).is_success
            )
            (answer,) = router.predict({**HERO, "customer_id": "c1"})
            assert answer["skipped"]["ranking"] == "unavailable"
            assert answer["notes"]["history"] == "history_unavailable"
            faults = router.http.get("/v2/health/ready").json()["faults"]
            assert any("triton" in fault for fault in faults)
            seen = {"customer_id": "c1", "item_id": "i3", "event_type": "view"}
            response = router.http.post(INTERACTIONS, json={"instances": [seen]})
            assert response.status_code == 503
        finally:
            assert router.stop() == 0
        log = (tmp_path / "log").read_text()
        assert "Traceback" not in log
        assert "c1" not in log


def v2_body(elements: list[str]) -> dict[str, Any]:
    tensor = {"name": "request", "datatype": "BYTES", "shape": [len(elements)], "data": elements}
    return {"inputs": [tensor]}


def without_ages(predictions: list[dict]) -> list[dict]:
    return [{k: v for k, v in p.items() if k != "history_age_s"} for p in predictions]


def local_addresses() -> list[str]:
    listed = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False)
    return [address for address in listed.stdout.split() if ":" not in address]
