"""Full ranking of every item for every customer, in blocks. B customers of a block, V items."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from safetensors.numpy import load_file

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import leave_one_out
from stylerec.errors import ReleaseError
from stylerec.evaluation.metrics import (
    hit_rate_at_k,
    mrr_at_k,
    ndcg_at_k,
    ndcg_gains,
    ranks_of_targets,
)
from stylerec.features.assemble import assemble_history
from stylerec.schema.tensors import (
    CANDIDATE_INDEX,
    CONTEXT_ITEM_INDEX,
    CONTEXT_WEIGHT,
    PADDING_INDEX,
    QUERY_EMBEDDING,
)

SplitName = Literal["validation", "test"]
CUTOFF = 10
TARGET_OFFSETS: dict[SplitName, int] = {"validation": 2, "test": 1}
"""Position of each split's target from the end of a history."""
_SUBSET_SEED = 0


class RankingMetrics(BaseModel):
    """How well a model ranks the item a customer chose next. Every item is a candidate.

    Items the customer has seen are filtered and ties count against the target.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hit_rate_at_10: float = Field(ge=0.0, le=1.0)
    ndcg_at_10: float = Field(ge=0.0, le=1.0)
    mrr_at_10: float = Field(ge=0.0, le=1.0)
    ndcg_at_10_standard_error: float = Field(ge=0.0)
    """Standard error of the mean over customers."""
    num_customers: int = Field(ge=0)
    num_repeat_targets: int = Field(ge=0)
    """Customers left out because their target was in their history, where it is filtered."""
    candidate_set: Literal["full"] = "full"


@dataclass(frozen=True)
class Block:
    """Some customers' histories before their targets, one after another, oldest first.

    Attributes:
        item_index: int64 `[sum(lengths)]`.
        event_type: int64 `[sum(lengths)]`.
        timestamp_s: int64 `[sum(lengths)]`.
        lengths: int64 `[B]`, interactions before the target.
        targets: int64 `[B]`, item index of the target.
        as_of_s: int64 `[B]`, unix time of the target.
    """

    item_index: NDArray[np.int64]
    event_type: NDArray[np.int64]
    timestamp_s: NDArray[np.int64]
    lengths: NDArray[np.int64]
    targets: NDArray[np.int64]
    as_of_s: NDArray[np.int64]

    def seen(self) -> NDArray[np.int64]:
        """Returns each customer's whole history, int64 `[B, longest]`, left padded with 0."""
        seen = np.full((len(self.lengths), int(self.lengths.max())), PADDING_INDEX, dtype=np.int64)
        is_real = np.arange(seen.shape[1]) >= (seen.shape[1] - self.lengths)[:, None]
        seen[is_real] = self.item_index
        return seen


BlockScorer = Callable[[Block], NDArray[np.floating]]
"""Returns the scores of all items for a block's customers, `[B, V]`."""


def evaluate_ranking(
    exported: Path,
    prepared: PreparedData,
    *,
    split: SplitName,
    block: int = 256,
    max_customers: int | None = None,
) -> RankingMetrics:
    """Returns the metrics of an exported ranking or next-item model.

    Args:
        exported: Folder with `model.onnx`, `item_embedding.safetensors` and `export.json`.
        prepared: The data the model was trained on.
        split: Which held-out interaction is the target.
        block: Customers scored at a time; memory grows with `block * V`.
        max_customers: Evaluates a fixed random subset of that size; None for all.

    Raises:
        ReleaseError: The export is incomplete or belongs to another catalogue.
    """
    scorer = _onnx_scorer(exported, num_items=prepared.vocabulary.num_items)
    return evaluate_scorer(
        scorer, prepared.histories, split=split, block=block, max_customers=max_customers
    )


def evaluate_scorer(
    scorer: BlockScorer,
    histories: Histories,
    *,
    split: SplitName,
    block: int = 256,
    max_customers: int | None = None,
) -> RankingMetrics:
    """Returns the metrics of anything that scores all items; see `evaluate_ranking`.

    A customer whose target is already in the history is counted but not evaluated: seen items are
    filtered, so no model could find it.
    """
    ranks: list[NDArray[np.int64]] = []
    num_repeats = 0
    for part in _blocks(histories, split, block, max_customers):
        seen = part.seen()
        is_new = ~(seen == part.targets[:, None]).any(axis=1)
        num_repeats += int((~is_new).sum())
        ranks.append(ranks_of_targets(scorer(part), part.targets, seen)[is_new])
    return _metrics(np.concatenate(ranks) if ranks else np.zeros(0, np.int64), num_repeats)


def _metrics(ranks: NDArray[np.int64], num_repeats: int) -> RankingMetrics:
    gains = ndcg_gains(ranks, CUTOFF)
    return RankingMetrics(
        hit_rate_at_10=hit_rate_at_k(ranks, CUTOFF),
        ndcg_at_10=ndcg_at_k(ranks, CUTOFF),
        mrr_at_10=mrr_at_k(ranks, CUTOFF),
        ndcg_at_10_standard_error=float(gains.std(ddof=1) / np.sqrt(len(gains)))
        if len(gains) > 1
        else 0.0,
        num_customers=len(ranks),
        num_repeat_targets=num_repeats,
    )


def _blocks(
    histories: Histories, split: SplitName, block: int, max_customers: int | None
) -> Iterator[Block]:
    customers = leave_one_out(histories).evaluated
    if max_customers is not None and max_customers < len(customers):
        generator = np.random.default_rng(_SUBSET_SEED)
        customers = np.sort(generator.choice(customers, max_customers, replace=False))
    for start in range(0, len(customers), block):
        yield _block(histories, customers[start : start + block], split)


def _block(histories: Histories, customers: NDArray[np.int64], split: SplitName) -> Block:
    first = np.asarray(histories.offsets[customers])
    target = np.asarray(histories.offsets[customers + 1]) - TARGET_OFFSETS[split]
    rows = np.concatenate([np.arange(a, b) for a, b in zip(first, target, strict=True)])
    return Block(
        item_index=histories.item_index[rows].astype(np.int64),
        event_type=histories.event_type[rows].astype(np.int64),
        timestamp_s=histories.timestamp_s[rows].astype(np.int64),
        lengths=target - first,
        targets=histories.item_index[target].astype(np.int64),
        as_of_s=histories.timestamp_s[target].astype(np.int64),
    )


def _onnx_scorer(exported: Path, *, num_items: int) -> BlockScorer:
    """Returns a scorer that runs the exported graph's query side and multiplies by all items."""
    session, embedding, max_len = _load_export(exported)
    if len(embedding) != num_items:
        raise ReleaseError(
            str(exported / "item_embedding.safetensors"),
            expected=f"{num_items} rows, one per catalogue item",
            got=f"{len(embedding)}",
            fix="export the model that was trained on this prepared data",
        )

    def score(part: Block) -> NDArray[np.float32]:
        inputs: dict[str, NDArray[Any]] = dict(
            assemble_history(
                item_index=part.item_index,
                event_type=part.event_type,
                timestamp_s=part.timestamp_s,
                lengths=part.lengths,
                as_of_s=part.as_of_s,
                max_len=max_len,
            )
        )
        nothing = np.full((len(part.lengths), 1), PADDING_INDEX, dtype=np.int64)
        inputs[CONTEXT_ITEM_INDEX] = inputs[CANDIDATE_INDEX] = nothing
        inputs[CONTEXT_WEIGHT] = np.zeros((len(part.lengths), 1), dtype=np.float32)
        (query,) = session.run([QUERY_EMBEDDING], inputs)
        return np.asarray(query @ embedding.T, dtype=np.float32)

    return score


def _load_export(
    exported: Path,
) -> tuple[onnxruntime.InferenceSession, NDArray[np.float32], int]:
    names = ("model.onnx", "item_embedding.safetensors", "export.json")
    missing = [name for name in names if not (exported / name).exists()]
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
