"""Exports a trained ranking model to ONNX and checks it against TensorFlow."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from safetensors.numpy import save_file

from stylerec.aside import written_aside
from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError
from stylerec.models.ranking.artifacts import CONFIG_FILE, load_trained
from stylerec.models.ranking.model import ScoringGraph
from stylerec.schema.events import NUM_EVENT_CODES
from stylerec.schema.tensors import MODEL_SPECS, RANKING, TensorSpec

ONNX_FILE = "model.onnx"
EMBEDDING_FILE = "item_embedding.safetensors"
EXPORT_FILE = "export.json"
MAX_ABS_DIFFERENCE = 1e-4

_OPSET = 17
_CHECKED_SIZES = ((1, 1, 1), (3, 2, 7), (8, 5, 64), (2, 1, 1000))
"""(B, K, C) of the batches that the export is checked on."""

_DTYPES = {"INT64": tf.int64, "FP32": tf.float32}

Inputs = dict[str, NDArray[np.int64] | NDArray[np.float32]]


class ExportResult(BaseModel):
    """What was exported; written as `export.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    max_history_len: int
    max_abs_difference: float
    """Largest difference between ONNX Runtime's outputs and TensorFlow's."""
    num_items: int
    """V, padding and unknown included."""
    embedding_dim: int
    """D, the bias dimension included."""


def export_ranking(trained: Path, prepared: Path, output: Path) -> ExportResult:
    """Exports a trained model, with the embeddings of all items baked in.

    Writes `model.onnx`, `item_embedding.safetensors` (key `item_embedding`, float32 `[V, D]`, whose
    product with `query_embedding` is the score), `config.json` and `export.json` into `output`,
    whole or not at all.

    Raises:
        ReleaseError: `trained` is incomplete or of other data, or ONNX Runtime and TensorFlow
            differ by more than 1e-4, or `output` cannot be written.
    """
    model = load_trained(trained, PreparedData(prepared))
    graph = ScoringGraph(model)
    with written_aside(output, error=ReleaseError, write_errors=(SafetensorError,)) as folder:
        _write_onnx(graph, folder / ONNX_FILE)
        difference = max_abs_difference(
            graph,
            folder / ONNX_FILE,
            num_items=model.num_items,
            max_len=model.config.max_history_len,
        )
        if not difference <= MAX_ABS_DIFFERENCE:
            raise ReleaseError(
                f"{RANKING} {ONNX_FILE}",
                expected=f"TensorFlow's outputs within {MAX_ABS_DIFFERENCE}",
                got=f"a difference of {difference:.2g}",
                fix="train again with a smaller learning_rate, or report it with the config",
            )
        embedding = graph.item_embedding_VD.numpy()
        save_file({"item_embedding": embedding}, folder / EMBEDDING_FILE)
        result = ExportResult(
            model=RANKING,
            max_history_len=model.config.max_history_len,
            max_abs_difference=difference,
            num_items=model.num_items,
            embedding_dim=embedding.shape[1],
        )
        (folder / CONFIG_FILE).write_text(model.config.model_dump_json(indent=2))
        (folder / EXPORT_FILE).write_text(json.dumps(result.model_dump(), indent=2))
    return result


def max_abs_difference(
    graph: ScoringGraph, onnx_path: Path, *, num_items: int, max_len: int
) -> float:
    """Returns the largest difference of any output over batches of several sizes.

    The batches hold empty and full histories, rows with and without context, padding, unknown and
    out-of-range indices.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(onnx_path), options, providers=["CPUExecutionProvider"]
    )
    rng = np.random.default_rng(0)
    largest = 0.0
    for batch, num_context, num_candidates in _CHECKED_SIZES:
        sizes = {"B": batch, "L": max_len, "K": num_context, "C": num_candidates}
        inputs = _example_inputs(sizes, num_items=num_items, rng=rng)
        expected = graph(**inputs)
        found = session.run(list(expected), inputs)
        for value, tensor in zip(found, expected.values(), strict=True):
            difference = np.abs(value - tensor.numpy()).max()
            # NaN compares false: report it as the difference instead of losing it in max().
            largest = max(largest, float("inf") if np.isnan(difference) else float(difference))
    return largest


def _write_onnx(graph: ScoringGraph, path: Path) -> None:
    spec = MODEL_SPECS[RANKING]

    def served(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = graph(*inputs)
        return {output.name: tf.identity(outputs[output.name]) for output in spec.outputs}

    signature = [_tensor_spec(tensor) for tensor in spec.inputs]
    proto, _ = tf2onnx.convert.from_function(
        tf.function(served, input_signature=signature), input_signature=signature, opset=_OPSET
    )
    outputs = {output.name: output for output in proto.graph.output}
    del proto.graph.output[:]
    proto.graph.output.extend(outputs[tensor.name] for tensor in spec.outputs)
    onnx.checker.check_model(proto)
    path.write_bytes(proto.SerializeToString())


def _tensor_spec(tensor: TensorSpec) -> tf.TensorSpec:
    shape = [size if isinstance(size, int) else None for size in tensor.dims]
    return tf.TensorSpec(shape, _DTYPES[tensor.dtype], name=tensor.name)


def _example_inputs(sizes: dict[str, int], *, num_items: int, rng: np.random.Generator) -> Inputs:
    def indices(letter: str) -> NDArray[np.int64]:
        return rng.integers(0, num_items, (sizes["B"], sizes[letter]), dtype=np.int64)

    # Row b has b interactions more than the one before, the first none at all.
    length = np.linspace(0, sizes["L"], sizes["B"]).astype(np.int64)
    is_real = np.arange(sizes["L"]) >= sizes["L"] - length[:, None]
    history, candidates, context = indices("L"), indices("C"), indices("K")
    candidates[-1, -1], context[0, 0] = num_items + 5, 0
    events = rng.integers(0, NUM_EVENT_CODES, history.shape, dtype=np.int64)
    ages = rng.exponential(30.0, history.shape).astype(np.float32)
    weight = np.linspace(0.0, 1.0, sizes["B"], dtype=np.float32)[:, None]
    arrays = (
        np.where(is_real, history, 0),
        np.where(is_real, events, 0),
        np.where(is_real, ages, np.float32(0.0)),
        context,
        weight,
        candidates,
    )
    names = [tensor.name for tensor in MODEL_SPECS[RANKING].inputs]
    return dict(zip(names, arrays, strict=True))
