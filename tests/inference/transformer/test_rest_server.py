"""Wrong requests, over REST and gRPC: each is told as the caller's fault, none is a 500."""

import json
import socket
import struct
import time
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

    @pytest.mark.parametrize(
        "outputs",
        [
            [{"name": "other"}], [{"name": "\ud800"}], [{"name": "prediction"}, {"name": "other"}],
            "x", [3], [{}], [{"name": "prediction", "parameters": 3}],
        ],
    )  # fmt: skip
    def test_a_wrong_v2_output_is_a_400(self, router, outputs):
        content = json.dumps({**v2_body([json.dumps(HERO)]), "outputs": outputs})
        headers = {"Content-Type": "application/json"}
        assert router.http.post(INFER, content=content, headers=headers).status_code == 400

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

    def test_a_wrong_output_is_an_invalid_argument(self, router):
        stub, messages = router.grpc()
        contents = {"bytes_contents": [json.dumps(HERO).encode()]}
        tensor = {"name": "request", "datatype": "BYTES", "shape": [1], "contents": contents}
        request = messages.ModelInferRequest(
            model_name="recommender", inputs=[tensor], outputs=[{"name": "other"}]
        )
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelInfer(request, timeout=10)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert caught.value.details().startswith("outputs[0].name")

    def test_a_model_version_is_an_invalid_argument(self, router):
        stub, messages = router.grpc()
        contents = {"bytes_contents": [json.dumps(HERO).encode()]}
        tensor = {"name": "request", "datatype": "BYTES", "shape": [1], "contents": contents}
        request = messages.ModelInferRequest(
            model_name="recommender", inputs=[tensor], model_version="1"
        )
        with pytest.raises(grpc.RpcError) as caught:
            stub.ModelInfer(request, timeout=10)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert caught.value.details().startswith("model_version")

    @pytest.mark.parametrize("text", ["\ud800", "a\udc00b"])
    def test_half_a_surrogate_pair_is_a_400(self, router, text):
        body = v2_body([json.dumps(HERO)])
        for changes in ({"name": text}, {"datatype": text}, {"shape": [text]}, {"data": [text]}):
            changed = {"inputs": [{**body["inputs"][0], **changes}]}
            headers = {"Content-Type": "application/json"}
            response = router.http.post(INFER, content=json.dumps(changed), headers=headers)
            assert response.status_code == 400, response.text
        response = router.http.post(
            INFER,
            content=json.dumps({**body, "id": text}),
            headers={"Content-Type": "application/json"},
        )
        assert response.status_code == 400
        assert response.json()["field"] == "id"

    @pytest.mark.parametrize(
        ("path", "changes"),
        [
            ("id", {"id": 3}),
            ("id", {"id": ["x"]}),
            ("parameters", {"parameters": 3}),
            ("outputs.0.parameters", {"outputs": [{"name": "prediction", "parameters": 3}]}),
            ("inputs.0.shape.0", {"inputs": [{"name": "request", "shape": ["x"],
             "datatype": "BYTES", "data": []}]}),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("is_binary", [True, False])
    def test_a_wrong_type_names_the_field_with_binary_tensors_too(
        self, router, path, changes, is_binary
    ):
        text = json.dumps({**v2_body([json.dumps(HERO)]), **changes}).encode()
        headers = {"Content-Type": "application/json"}
        if is_binary:
            headers = {"Inference-Header-Content-Length": str(len(text))}
        response = router.http.post(INFER, content=text, headers=headers)
        assert response.status_code == 400, response.text
        assert path in response.json()["error"]

    @pytest.mark.parametrize("surplus", [-1, 1, 1_000_000])
    def test_a_binary_tensor_of_another_size_is_a_400(self, router, surplus):
        element = json.dumps(HERO).encode()
        raw = struct.pack("<I", len(element)) + element
        size = {"binary_data_size": len(raw) + surplus}
        tensor = {"name": "request", "shape": [1], "datatype": "BYTES", "parameters": size}
        text = json.dumps({"inputs": [tensor]}).encode()
        headers = {"Inference-Header-Content-Length": str(len(text))}
        response = router.http.post(INFER, content=text + raw, headers=headers)
        assert response.status_code == 400, response.text

    @pytest.mark.parametrize(
        "path", ["/v1/models/recommender:explain", "/v2/models/recommender/versions/1/infer"]
    )
    def test_what_is_not_offered_is_a_400(self, router, path):
        body = {**v2_body([json.dumps(HERO)]), "instances": [HERO]}
        response = router.http.post(path, json=body)
        assert response.status_code == 400
        assert response.json()["error"]

    @pytest.mark.parametrize("path", [PREDICT, INFER, INTERACTIONS])
    def test_a_caller_that_leaves_early_is_no_error_of_ours(self, router, path):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        address = ("127.0.0.1", router.settings.http_port)
        num_traces = router.log.read_text().count("Traceback")
        with socket.create_connection(address, timeout=5) as connection:
            connection.sendall(f"{head}Content-Length: 50\r\n\r\n{{".encode())
            time.sleep(0.1)
        time.sleep(0.2)
        assert router.predict(HERO)
        assert router.log.read_text().count("Traceback") == num_traces

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
