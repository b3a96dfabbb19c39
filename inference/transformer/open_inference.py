"""Open Inference Protocol tensors to JSON instances and back.

One BYTES input `request` of shape `[n]`, each element one JSON instance as in V1; one BYTES
output `prediction` of shape `[n]`, each element one JSON prediction as in V1.
"""

import struct
import uuid
from collections.abc import Sequence

import orjson
from kserve import InferInput, InferOutput, InferRequest, InferResponse

from stylerec.errors import RequestError
from stylerec.serving.request_fields import shown

INPUT_NAME = "request"
OUTPUT_NAME = "prediction"
_DATATYPE = "BYTES"
_FIX = f'send one input "{INPUT_NAME}" of datatype {_DATATYPE}, each element one JSON instance'

INPUT_TYPES = [{"name": INPUT_NAME, "datatype": _DATATYPE, "shape": [-1]}]
OUTPUT_TYPES = [{"name": OUTPUT_NAME, "datatype": _DATATYPE, "shape": [-1]}]


def instances_of(request: InferRequest) -> list[object]:
    """Returns the decoded instances of a V2 request.

    Raises:
        RequestError: Another input, type or shape, or an element that is not JSON.
    """
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
