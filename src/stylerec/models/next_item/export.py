"""Exports a trained next-item model to ONNX and checks it against the framework."""

import logging
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from stylerec.aside import written_aside
from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError
from stylerec.models.next_item.artifacts import (
    CONFIG_FILE,
    EMBEDDING_FILE,
    EMBEDDING_KEY,
    EXPORT_FILE,
    ONNX_FILE,
)
from stylerec.models.next_item.model import NextItemModel
from stylerec.models.next_item.scoring import ScoringGraph
from stylerec.schema.events import NUM_EVENT_CODES
from stylerec.schema.tensors import (
    MODEL_SPECS,
    NEXT_ITEM,
    PADDING_INDEX,
    TensorSpec,
)

MAX_ABS_DIFFERENCE = 1e-4
_OPSET = 18
_SPEC = MODEL_SPECS[NEXT_ITEM]

Inputs = dict[str, Tensor]


class ExportResult(BaseModel):
    """What was exported; written as `export.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    max_history_len: int
    max_abs_difference: float
    """Largest difference between ONNX Runtime and PyTorch over the checked batches."""
    num_items: int
    embedding_dim: int


def export_next_item(trained: Path, prepared: Path, output: Path) -> ExportResult:
    """Writes `model.onnx`, `item_embedding.safetensors`, `config.json` and `export.json`.

    The ONNX file is self-contained, with the item table as a constant and B, L, K and C dynamic;
    a history longer than the config's `max_len` is read, but positions beyond count as the last.
    All files appear at once; what was in `output` before is replaced.

    Args:
        trained: Folder that `train_next_item` wrote.
        prepared: Folder of the `PreparedData` it was trained on.
        output: Folder to write.

    Raises:
        ReleaseError: ONNX Runtime and PyTorch differ by more than 1e-4, or the output cannot be
            written.
    """
    model = NextItemModel.load(trained, PreparedData(prepared).item_features)
    graph = ScoringGraph(model).eval()
    with written_aside(output, error=ReleaseError, write_errors=(SafetensorError,)) as folder:
        path = folder / ONNX_FILE
        _write_onnx(graph, path, max_len=model.config.max_len)
        result = _checked(graph, path, max_len=model.config.max_len)
        save_file({EMBEDDING_KEY: graph.get_buffer("table")}, folder / EMBEDDING_FILE)
        shutil.copyfile(trained / CONFIG_FILE, folder / CONFIG_FILE)
        (folder / EXPORT_FILE).write_text(result.model_dump_json(indent=2))
    return result


def random_inputs(
    *,
    num_rows: int,
    history_len: int,
    num_context: int,
    num_candidates: int,
    num_items: int,
    generator: torch.Generator,
) -> Inputs:
    """Returns inputs as a caller could send them: left-padded histories, the first one empty.

    Some indices lie outside the catalogue, and some context weights are 0.
    """

    def integers(low: int, high: int, *shape: int) -> Tensor:
        return torch.randint(low, high, shape, generator=generator)

    length = integers(0, history_len + 1, num_rows, 1)
    length[0] = 0
    is_real = torch.arange(history_len) >= history_len - length
    age_days = torch.rand(num_rows, history_len, generator=generator) * 400.0
    weight = torch.rand(num_rows, 1, generator=generator)
    beyond = num_items + 3
    values = (
        torch.where(is_real, integers(1, beyond, num_rows, history_len), PADDING_INDEX),
        torch.where(is_real, integers(1, NUM_EVENT_CODES, num_rows, history_len), 0),
        torch.where(is_real, age_days.sort(dim=1, descending=True).values, 0.0),
        integers(0, beyond, num_rows, num_context),
        torch.where(weight < 0.3, 0.0, weight),
        integers(-1, beyond, num_rows, num_candidates),
    )
    return {spec.name: value for spec, value in zip(_SPEC.inputs, values, strict=True)}


def largest_difference(graph: ScoringGraph, path: Path, *, max_len: int) -> float:
    """Returns the largest absolute difference of ONNX Runtime to PyTorch over several batches.

    The batches have other B, K and C than the exported example, and each has an empty history.
    """
    generator = torch.Generator().manual_seed(0)
    session = cpu_session(path)
    num_items = graph.get_buffer("table").shape[0]
    largest = 0.0
    for num_rows, num_context, num_candidates in ((1, 1, 1), (3, 2, 50), (8, 5, 300), (1, 16, 7)):
        inputs = random_inputs(
            num_rows=num_rows,
            history_len=max_len,
            num_context=num_context,
            num_candidates=num_candidates,
            num_items=num_items,
            generator=generator,
        )
        with torch.inference_mode():
            expected = graph(**inputs)
        for mine, other in zip(run_onnx(session, inputs), expected, strict=True):
            largest = max(largest, float(np.abs(mine - other.numpy()).max()))
    return largest


def cpu_session(path: Path) -> onnxruntime.InferenceSession:
    """Returns a single-threaded CPU session for a model file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run_onnx(session: onnxruntime.InferenceSession, inputs: Inputs) -> list[NDArray[np.float32]]:
    """Returns the spec's outputs in order."""
    names = [spec.name for spec in _SPEC.outputs]
    outputs: list[NDArray[np.float32]] = session.run(
        names, {name: value.numpy() for name, value in inputs.items()}
    )
    return outputs


def _checked(graph: ScoringGraph, path: Path, *, max_len: int) -> ExportResult:
    difference = largest_difference(graph, path, max_len=max_len)
    # Written so that a difference that is not a number fails too.
    if not difference <= MAX_ABS_DIFFERENCE:
        raise ReleaseError(
            f"next_item {ONNX_FILE}",
            expected=f"PyTorch's outputs within {MAX_ABS_DIFFERENCE}",
            got=f"a difference of {difference:.2g}",
            fix="train again with a smaller learning_rate or more weight_decay",
        )
    num_items, embedding_dim = graph.get_buffer("table").shape
    return ExportResult(
        model=NEXT_ITEM,
        max_history_len=max_len,
        max_abs_difference=difference,
        num_items=num_items,
        embedding_dim=embedding_dim,
    )


def _write_onnx(graph: ScoringGraph, path: Path, *, max_len: int) -> None:
    example = random_inputs(
        num_rows=3,
        history_len=max_len,
        num_context=5,
        num_candidates=7,
        num_items=graph.get_buffer("table").shape[0],
        generator=torch.Generator().manual_seed(0),
    )
    with _quiet_exporter():
        torch.onnx.export(
            graph,
            kwargs=example,
            f=path,
            input_names=[spec.name for spec in _SPEC.inputs],
            output_names=[spec.name for spec in _SPEC.outputs],
            dynamic_shapes={spec.name: _dynamic_dims(spec) for spec in _SPEC.inputs},
            opset_version=_OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Silences warnings about torchvision, the exporter's own calls and axes sharing a name."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _dynamic_dims(spec: TensorSpec) -> dict[int, str]:
    """Returns the dynamic axes of a tensor by name; names shared by tensors stay equal."""
    return {axis: dim for axis, dim in enumerate(spec.dims) if isinstance(dim, str)}
