"""Wrong requests, over REST and gRPC: each is told as the caller's fault, none is a 500."""

import json
from typing import Any

import grpc
import pytest

pytestmark = pytest.mark.serve_env

PREDICT = "/v1/models/recommender:predict"
INFER = "/v2/models/recommender/infer"
INTERACTIONS = "/v1/models/interactions:predict"
HERO = {"touchpoint": "you-might-also-like", "hero_item_id": "i7", "limit": 3}
TOO_MANY = {"touchpoint": "category-page"}


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
            router.infer_grpc([json.dumps(instance)])
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
        stub, messages = router.grpc()
        tensor = {"name": "request", "datatype": "BYTES", "shape": [1]}
        request = messages.ModelInferRequest(
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
        stub, messages = router.grpc()
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelInfer(messages.ModelInferRequest(model_name="x"))
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND

    def test_models_cannot_be_unloaded_over_the_wire(self, router):
        response = router.http.post("/v2/repository/models/recommender/unload")
        assert response.status_code == 400
        assert router.predict(HERO)


def v2_body(elements: list[str]) -> dict[str, Any]:
    tensor = {"name": "request", "datatype": "BYTES", "shape": [len(elements)], "data": elements}
    return {"inputs": [tensor]}
