"""Triton over the Open Inference Protocol's binary HTTP: scores, readiness, loading."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import DTypeLike, NDArray

from inference.transformer.http_pool import BrokenResponseError, HttpPool, HttpResponse

_JSON_LENGTH_HEADER = "inference-header-content-length"
_DATATYPES: dict[str, DTypeLike] = {
    "BOOL": np.bool_,
    "INT8": np.int8,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
}
_NAMES = {np.dtype(dtype): name for name, dtype in _DATATYPES.items()}
_SAFE_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_OK = 200
_MAX_SHOWN_ERROR = 300


class TritonUnavailableError(Exception):
    """Triton could not be reached, or did not answer as it should."""


class TritonRefusedError(TritonUnavailableError):
    """Triton answered with an error, such as a version that is not loaded.

    Args:
        status: HTTP status.
        message: Triton's own words.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(f"status {status}: {message}")


class TritonClient:
    """A `Scorer` and the model control that the release watcher needs; for one event loop.

    Args:
        host: Triton's host.
        port: Its HTTP port.
    """

    def __init__(self, host: str, port: int) -> None:
        self._pool = HttpPool(host, port)

    async def score(
        self, model: str, version: int, inputs: Mapping[str, NDArray[Any]], timeout_s: float
    ) -> dict[str, NDArray[Any]]:
        """Returns all outputs of one version of a model; the arrays are read-only.

        Args:
            model: Triton model name.
            version: The pinned version; no other one ever answers.
            inputs: Tensors by name.
            timeout_s: For everything.

        Raises:
            TimeoutError: No answer in time.
            TritonRefusedError: Triton answered with an error.
            TritonUnavailableError: Triton cannot be reached or its answer cannot be read.
        """
        header, tensors = encode_request(inputs)
        response = await self._request(
            "POST",
            f"{_path(model, version)}/infer",
            body=[header, *tensors],
            headers=[
                "Content-Type: application/octet-stream",
                f"Inference-Header-Content-Length: {len(header)}",
            ],
            timeout_s=timeout_s,
        )
        if response.status != _OK:
            raise TritonRefusedError(response.status, _error_of(response))
        return decode_response(response)

    async def is_model_ready(self, model: str, version: int, timeout_s: float) -> bool:
        """Returns whether Triton would answer a `score` call; False if it cannot be asked."""
        try:
            path = f"{_path(model, version)}/ready"
            return (await self._request("GET", path, timeout_s=timeout_s)).status == _OK
        except (TimeoutError, TritonUnavailableError):
            return False

    async def load_model(self, model: str, timeout_s: float) -> None:
        """Asks Triton to load the newest versions of a model from its repository.

        Raises:
            TimeoutError: No answer in time.
            TritonRefusedError: Triton cannot load it.
            TritonUnavailableError: Triton cannot be reached.
        """
        response = await self._request(
            "POST",
            f"/v2/repository/models/{_safe(model)}/load",
            body=[b"{}"],
            headers=["Content-Type: application/json"],
            timeout_s=timeout_s,
        )
        if response.status != _OK:
            raise TritonRefusedError(response.status, _error_of(response))

    async def close(self) -> None:
        """Closes the idle connections."""
        await self._pool.close()

    async def _request(
        self,
        method: str,
        path: str,
        *,
        body: Sequence[bytes] = (),
        headers: Sequence[str] = (),
        timeout_s: float,
    ) -> HttpResponse:
        try:
            return await self._pool.request(
                method, path, body=body, headers=headers, timeout_s=timeout_s
            )
        except TimeoutError:
            raise
        except (OSError, BrokenResponseError) as error:
            raise TritonUnavailableError(f"{type(error).__name__}: {error}") from error


def encode_request(inputs: Mapping[str, NDArray[Any]]) -> tuple[bytes, list[bytes]]:
    """Returns the JSON header of an inference request and the tensors' bytes, in one order.

    Raises:
        ValueError: A tensor's type is none that Triton takes from us.
    """
    described, tensors = [], []
    for name, array in inputs.items():
        datatype = _NAMES.get(array.dtype)
        if datatype is None:
            raise ValueError(f"input {name}: expected {', '.join(_DATATYPES)}, got {array.dtype}")
        data = array.tobytes()
        described.append(
            {
                "name": name,
                "shape": array.shape,
                "datatype": datatype,
                "parameters": {"binary_data_size": len(data)},
            }
        )
        tensors.append(data)
    header = orjson.dumps({"inputs": described, "parameters": {"binary_data_output": True}})
    return header, tensors


def decode_response(response: HttpResponse) -> dict[str, NDArray[Any]]:
    """Returns the tensors of an inference answer.

    Raises:
        TritonUnavailableError: The body is not what its header says.
    """
    body = response.body
    try:
        # Without binary data (all outputs empty) the whole body is JSON.
        position = length = int(response.headers.get(_JSON_LENGTH_HEADER, len(body)))
        outputs = {}
        for output in orjson.loads(body[:length])["outputs"]:
            dtype = _DATATYPES[output["datatype"]]
            if "data" in output:
                array = np.array(output["data"], dtype=dtype)
            else:
                size = output["parameters"]["binary_data_size"]
                array = np.frombuffer(body[position : position + size], dtype=dtype)
                position += size
            outputs[output["name"]] = array.reshape(output["shape"])
        if position != len(body):
            raise ValueError(f"{len(body)} bytes where the tensors end at {position}")
    except (KeyError, TypeError, ValueError) as error:
        raise TritonUnavailableError(f"an answer that cannot be read: {error}") from error
    return outputs


def _path(model: str, version: int) -> str:
    return f"/v2/models/{_safe(model)}/versions/{version}"


def _safe(model: str) -> str:
    if not _SAFE_NAME.fullmatch(model):
        raise ValueError(f"model name: expected letters, digits, _ . -, got {model!r}")
    return model


def _error_of(response: HttpResponse) -> str:
    try:
        return str(orjson.loads(response.body)["error"])[:_MAX_SHOWN_ERROR]
    except (KeyError, TypeError, ValueError):
        return f"{len(response.body)} bytes that are no error message"
