"""Open Inference Protocol tensors to JSON instances and back.

One BYTES input `request` of shape `[n]`, each element one JSON instance as in V1; one BYTES
output `prediction` of shape `[n]`, each element one JSON prediction as in V1.
"""

import struct
import uuid
from collections.abc import Sequence

import orjson
from kserve import InferInput, InferOutput, InferRequest, InferResponse
from kserve.protocol.rest.v2_datamodels import InferenceRequest, RequestInput
from pydantic import ValidationError

from stylerec.errors import RequestError
from stylerec.serving.request_fields import is_unicode, shown

INPUT_NAME = "request"
OUTPUT_NAME = "prediction"
_DATATYPE = "BYTES"
_FIX = f'send one input "{INPUT_NAME}" of datatype {_DATATYPE}, each element one JSON instance'

INPUT_TYPES = [{"name": INPUT_NAME, "datatype": _DATATYPE, "shape": [-1]}]
OUTPUT_TYPES = [{"name": OUTPUT_NAME, "datatype": _DATATYPE, "shape": [-1]}]


class _Tensor(RequestInput):
    """An input whose elements may follow the JSON part as bytes."""

    data: list[object] | None = None


class _BinaryRequest(InferenceRequest):
    """The JSON part of a request with binary tensors."""

    inputs: list[_Tensor]


def json_request_of(body: bytes) -> InferenceRequest:
    """Returns a V2 request that is JSON from its first byte to its last.

    Raises:
        RequestError: It is no JSON, or no V2 request; names the field.
    """
    return _validated(body, InferenceRequest)


def check_binary_request(body: bytes, json_length: str) -> None:
    """Checks what KServe takes as it comes: the JSON part's types, and the size of what follows.

    Args:
        body: JSON part and binary tensors.
        json_length: The header that says how many bytes the JSON part has.

    Raises:
        RequestError: Anything wrong; names the field.
    """
    if not (json_length.isdecimal() and len(json_length) < 12 and int(json_length) <= len(body)):
        raise RequestError(
            "Inference-Header-Content-Length",
            expected=f"a number of bytes up to the body's {len(body)}",
            got=shown(json_length),
            fix="send the length of the JSON part",
        )
    length = int(json_length)
    tensors = _validated(body[:length], _BinaryRequest).inputs
    sizes = [
        (tensor.parameters or {}).get("binary_data_size")
        for tensor in tensors
        if tensor.data is None
    ]
    numbers = [size for size in sizes if isinstance(size, int) and size >= 0]
    if len(numbers) < len(sizes) or sum(numbers) != len(body) - length:
        raise RequestError(
            "inputs[0].parameters.binary_data_size",
            expected=f"{len(body) - length}, the bytes after the JSON part",
            got=", ".join(map(shown, sizes)) or "no binary tensor",
            fix=_FIX,
        )


def instances_of(request: InferRequest) -> list[object]:
    """Returns the decoded instances of a V2 request.

    Raises:
        RequestError: Another version, id, output, input, type or shape than there can be, or an
            element that is not JSON.
    """
    _check_addresses(request)
    names = [tensor.name for tensor in request.inputs]
    if names != [INPUT_NAME]:
        raise RequestError(
            "inputs", expected=f"one input {INPUT_NAME}", got=f"{len(names)} inputs", fix=_FIX
        )
    tensor = request.inputs[0]
    if tensor.datatype != _DATATYPE:
        raise RequestError(
            "inputs[0].datatype", expected=_DATATYPE, got=shown(tensor.datatype), fix=_FIX
        )
    elements = _elements(tensor)
    if tensor.shape != [len(elements)]:
        raise RequestError(
            "inputs[0].shape",
            expected=f"[{len(elements)}], as many as elements",
            got=str(tensor.shape)[:40],
            fix=_FIX,
        )
    return [_decoded(element, position) for position, element in enumerate(elements)]


def response_of(request: InferRequest, predictions: Sequence[object]) -> InferResponse:
    """Returns the V2 response to a request: one element per prediction."""
    output = InferOutput(
        OUTPUT_NAME,
        [len(predictions)],
        _DATATYPE,
        data=[orjson.dumps(prediction).decode() for prediction in predictions],
    )
    return InferResponse(
        response_id=request.id or str(uuid.uuid4()),
        model_name=request.model_name,
        infer_outputs=[output],
        from_grpc=request.from_grpc,
        use_binary_outputs=request.use_binary_outputs,
        requested_outputs=request.request_outputs,
    )


def _validated(text: bytes, kind: type[InferenceRequest]) -> InferenceRequest:
    try:
        return kind.model_validate(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise RequestError("body", expected="JSON", got=error.msg, fix=_FIX) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        is_missing = first["type"] == "missing"
        raise RequestError(
            ".".join(map(str, first["loc"])) or "body",
            expected="a value" if is_missing else first["msg"].removeprefix("Input should be "),
            got="nothing" if is_missing else shown(first["input"]),
            fix=_FIX,
        ) from error


def _check_addresses(request: InferRequest) -> None:
    """Checks everything but the tensors."""
    if request.model_version:
        raise RequestError(
            "model_version",
            expected="none",
            got=shown(request.model_version),
            fix="leave it out: the published release decides",
        )
    if not is_unicode(request.id or ""):
        raise RequestError("id", expected="valid Unicode", got=shown(request.id), fix="use UTF-8")
    for position, output in enumerate(request.request_outputs or ()):
        if output.name != OUTPUT_NAME:
            raise RequestError(
                f"outputs[{position}].name",
                expected=OUTPUT_NAME,
                got=shown(output.name),
                fix="leave `outputs` out",
            )


def _elements(tensor: InferInput) -> list[object]:
    raw: bytes | None = tensor._raw_data
    if raw is None:
        data = tensor.data
        return list(data) if isinstance(data, list) else []
    try:
        return _split(raw)
    except struct.error as error:
        raise RequestError(
            "inputs[0]",
            expected="elements that each begin with their length (4 bytes, little-endian)",
            got="bytes that break off",
            fix=_FIX,
        ) from error


def _split(raw: bytes) -> list[object]:
    elements: list[object] = []
    position = 0
    while position < len(raw):
        (length,) = struct.unpack_from("<I", raw, position)
        position += 4
        if position + length > len(raw):
            raise struct.error("an element breaks off")
        elements.append(raw[position : position + length])
        position += length
    return elements


def _decoded(element: object, position: int) -> object:
    where = f"inputs[0].data[{position}]"
    if not isinstance(element, bytes | str):
        raise RequestError(where, expected="one JSON text", got=shown(element), fix=_FIX)
    try:
        return orjson.loads(element)
    except orjson.JSONDecodeError as error:
        raise RequestError(where, expected="JSON", got=error.msg, fix=_FIX) from error
