"""Exports a trained outfit model to ONNX, with what the search needs, and checks the graph."""

import json
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
from stylerec.data.outfits import split_outfits
from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError
from stylerec.models.outfit.artifacts import CONFIG_FILE, load_set_tables, load_trained
from stylerec.models.outfit.catalogue import department_names, product_type_names
from stylerec.models.outfit.scoring_graph import OutfitScorer
from stylerec.models.outfit.set_scorer import ScorerName
from stylerec.models.outfit.templates import learn_templates
from stylerec.schema.tensors import (
    MAX_OUTFIT_SLOTS,
    MODEL_SPECS,
    OUTFIT,
    PADDING_INDEX,
    TensorSpec,
)

ONNX_FILE = "model.onnx"
EMBEDDING_FILE = "style_embedding.safetensors"
EXPORT_FILE = "export.json"
TEMPLATES_FILE = "templates.json"
MAX_ABS_DIFFERENCE = 1e-4

_OPSET = 18
_SPEC = MODEL_SPECS[OUTFIT]
_CHECKED_ROWS = (1, 3, 8, 40)
"""B of the batches that the export is checked on."""

Inputs = dict[str, Tensor]


class ExportResult(BaseModel):
    """What was exported; written as `export.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    max_history_len: int
    max_abs_difference: float
    """Largest difference between ONNX Runtime's scores and PyTorch's over the checked batches."""
    num_items: int
    """V, padding and unknown included."""
    embedding_dim: int
    scorer: ScorerName
    """What scores whole outfits."""


def export_outfit(trained: Path, prepared: Path, output: Path) -> ExportResult:
    """Writes the served graph, the style embeddings and the templates into `output`.

    `model.onnx` (style embeddings of all items and the set scorer baked in; B, N and L dynamic),
    `style_embedding.safetensors` (`style_embedding` `[V, D]`; `scale`, `bias` and `customer_norm`
    `[1]`), `templates.json`, `config.json` and `export.json`; whole or not at all.

    Args:
        trained: Folder that `train_outfit` wrote.
        prepared: Folder of the data it was trained on.
        output: Folder to write.

    Raises:
        ReleaseError: `trained` is incomplete or of other data, or ONNX Runtime and PyTorch differ
            by more than 1e-4, or `output` cannot be written.
    """
    data = PreparedData(prepared)
    model, config = load_trained(trained, data)
    style_VD, scale, bias = model.style_table(), model.scale.detach(), model.bias.detach()
    tables = load_set_tables(trained, num_items=len(style_VD))
    graph = OutfitScorer(style_VD, scale=scale, bias=bias, tables=tables).eval()
    templates = learn_templates(
        split_outfits(data.outfits).train,
        product_type_names(data),
        department_names(data),
        max_slots=config.max_template_slots,
        max_templates=config.max_templates,
    )
    with written_aside(output, error=ReleaseError, write_errors=(SafetensorError,)) as folder:
        write_onnx(graph, folder / ONNX_FILE, max_len=config.max_history_len)
        result = ExportResult(
            model=OUTFIT,
            max_history_len=config.max_history_len,
            max_abs_difference=_checked(graph, folder / ONNX_FILE, config.max_history_len),
            num_items=style_VD.shape[0],
            embedding_dim=style_VD.shape[1],
            scorer="pairwise" if tables is None else "set",
        )
        embedding = {
            "style_embedding": style_VD,
            "scale": scale.view(1),
            "bias": bias.view(1),
            "customer_norm": graph.customer_norm.view(1),
        }
        save_file(embedding, folder / EMBEDDING_FILE)
        (folder / TEMPLATES_FILE).write_text(json.dumps(templates, ensure_ascii=False, indent=1))
        shutil.copyfile(trained / CONFIG_FILE, folder / CONFIG_FILE)
        (folder / EXPORT_FILE).write_text(result.model_dump_json(indent=2))
    return result


def write_onnx(graph: OutfitScorer, path: Path, *, max_len: int) -> None:
    """Writes the graph as one ONNX file with the tensor names of `MODEL_SPECS`."""
    example = random_inputs(num_items=graph.style_VD.shape[0], num_rows=3, max_len=max_len, seed=0)
    with _quiet_exporter():
        torch.onnx.export(
            graph,
            kwargs=dict(example),
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
    """Silences the exporter's notes on packages that it finds missing or deprecated."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _dynamic_dims(spec: TensorSpec) -> dict[int, object]:
    letters = [axis for axis, size in enumerate(spec.dims) if isinstance(size, str)]
    return dict.fromkeys(letters, torch.export.Dim.DYNAMIC)


def random_inputs(*, num_items: int, num_rows: int, max_len: int, seed: int) -> Inputs:
    """Returns inputs as a caller could send them.

    Outfits and histories hold padding, unknown and out-of-range indices and repeats; row 0 has no
    history and only a hero.
    """
    generator = np.random.default_rng(seed)
    beyond = num_items + 3

    def indices(*shape: int) -> NDArray[np.int64]:
        return generator.integers(-1, beyond, shape, dtype=np.int64)

    outfits = indices(num_rows, MAX_OUTFIT_SLOTS + 1)
    outfits[generator.random(outfits.shape) < 0.2] = PADDING_INDEX
    outfits[0, 1:] = PADDING_INDEX
    history = indices(num_rows, max_len)
    length = np.linspace(0, max_len, num_rows).astype(np.int64)
    history[np.arange(max_len) < max_len - length[:, None]] = PADDING_INDEX
    weight = np.linspace(1.0, 0.0, num_rows, dtype=np.float32)[:, None]
    return {
        spec.name: torch.from_numpy(array)
        for spec, array in zip(_SPEC.inputs, (outfits, history, weight), strict=True)
    }


def cpu_session(path: Path) -> onnxruntime.InferenceSession:
    """Returns a single-threaded CPU session for a model file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run_onnx(session: onnxruntime.InferenceSession, inputs: Inputs) -> list[NDArray[np.float32]]:
    """Returns the served graph's outputs in the order of `MODEL_SPECS`."""
    names = [spec.name for spec in _SPEC.outputs]
    outputs: list[NDArray[np.float32]] = session.run(
        names, {name: tensor.numpy() for name, tensor in inputs.items()}
    )
    return outputs


def largest_difference(graph: OutfitScorer, path: Path, *, max_len: int) -> float:
    """Returns the largest difference of ONNX Runtime's outputs to PyTorch's over several batches.

    Embeddings and products count relative to the largest one, scores as they are.
    """
    session = cpu_session(path)
    largest = 0.0
    for seed, num_rows in enumerate(_CHECKED_ROWS):
        inputs = random_inputs(
            num_items=graph.style_VD.shape[0], num_rows=num_rows, max_len=max_len, seed=seed
        )
        with torch.inference_mode():
            expected = [tensor.numpy() for tensor in graph(**inputs)]
        for one, other in zip(expected, run_onnx(session, inputs), strict=True):
            size = max(1.0, float(np.abs(one).max(initial=0.0)))
            largest = max(largest, float(np.abs(one - other).max(initial=0.0)) / size)
    return largest


def _checked(graph: OutfitScorer, path: Path, max_len: int) -> float:
    difference = largest_difference(graph, path, max_len=max_len)
    # Written so that a difference that is not a number fails too.
    if not difference <= MAX_ABS_DIFFERENCE:
        raise ReleaseError(
            f"{OUTFIT} {ONNX_FILE}",
            expected=f"PyTorch's scores within {MAX_ABS_DIFFERENCE}",
            got=f"a difference of {difference:.2g}",
            fix="train again with a smaller learning_rate or more weight_decay",
        )
    return difference
