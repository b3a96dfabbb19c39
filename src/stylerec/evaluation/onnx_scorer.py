"""Scores all items by an exported ranking or next-item model. B customers, D embedding, V items."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from safetensors.numpy import load_file

from stylerec.errors import ReleaseError
from stylerec.evaluation.blocks import Block, BlockScorer
from stylerec.features.assemble import assemble_history
from stylerec.schema.tensors import (
    CANDIDATE_INDEX,
    CONTEXT_ITEM_INDEX,
    CONTEXT_WEIGHT,
    PADDING_INDEX,
    QUERY_EMBEDDING,
)

_FILES = ("model.onnx", "item_embedding.safetensors", "export.json")


def onnx_scorer(exported: Path, num_items: int) -> BlockScorer:
    """Returns a scorer that runs the exported graph's query side and multiplies by all items.

    Histories are padded to the longest of the block only, which changes no score.

    Args:
        exported: Folder with `model.onnx`, `item_embedding.safetensors` and `export.json`.
        num_items: V, rows that the item embedding must have.

    Raises:
        ReleaseError: The export is incomplete or belongs to another catalogue.
    """
    session, embedding, max_len = _load_export(exported)
    if len(embedding) != num_items:
        raise ReleaseError(
            str(exported / "item_embedding.safetensors"),
            expected=f"{num_items} rows, one per catalogue item",
            got=f"{len(embedding)}",
            fix="export the model that was trained on this prepared data",
        )
    item_DV = np.ascontiguousarray(embedding.T)

    def score(part: Block) -> NDArray[np.float32]:
        inputs: dict[str, NDArray[Any]] = dict(
            assemble_history(
                item_index=part.item_index,
                event_type=part.event_type,
                timestamp_s=part.timestamp_s,
                lengths=part.lengths,
                as_of_s=part.as_of_s,
                max_len=min(max_len, max(1, int(part.lengths.max()))),
            )
        )
        nothing = np.full((len(part.lengths), 1), PADDING_INDEX, dtype=np.int64)
        inputs[CONTEXT_ITEM_INDEX] = inputs[CANDIDATE_INDEX] = nothing
        inputs[CONTEXT_WEIGHT] = np.zeros((len(part.lengths), 1), dtype=np.float32)
        (query_BD,) = session.run([QUERY_EMBEDDING], inputs)
        return np.asarray(query_BD @ item_DV, dtype=np.float32)

    return score


def _load_export(
    exported: Path,
) -> tuple[onnxruntime.InferenceSession, NDArray[np.float32], int]:
    missing = [name for name in _FILES if not (exported / name).exists()]
    if missing:
        raise ReleaseError(
            str(exported),
            expected="an exported model",
            got=f"no {', '.join(missing)}",
            fix="run the export step first",
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        exported / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    embedding = load_file(exported / "item_embedding.safetensors")["item_embedding"]
    max_len = json.loads((exported / "export.json").read_text())["max_history_len"]
    return session, embedding, int(max_len)
