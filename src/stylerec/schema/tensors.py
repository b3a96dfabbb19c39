"""Names, types and shapes of every served model's inputs and outputs.

Exporters, Triton configurations, the assembler and the Triton client all read this list, so a
tensor cannot be spelled in two ways. Dimension letters: B batch, L history, K context items,
C candidates, N items of an outfit, D embedding, all dynamic. A served outfit has a hero and at most
`MAX_OUTFIT_SLOTS` items.
"""

from dataclasses import dataclass
from typing import Literal

DType = Literal["INT64", "FP32"]

RANKING = "ranking"
NEXT_ITEM = "next_item"
OUTFIT = "outfit"
MODEL_NAMES = (RANKING, NEXT_ITEM, OUTFIT)

PADDING_INDEX = 0
UNKNOWN_INDEX = 1
FIRST_ITEM_INDEX = 2

HISTORY_ITEM_INDEX = "history_item_index"
HISTORY_EVENT_TYPE = "history_event_type"
HISTORY_AGE_DAYS = "history_age_days"
CONTEXT_ITEM_INDEX = "context_item_index"
CONTEXT_WEIGHT = "context_weight"
CANDIDATE_INDEX = "candidate_index"
SCORES = "scores"
QUERY_EMBEDDING = "query_embedding"
CUSTOMER_WEIGHT = "customer_weight"
OUTFIT_ITEM_INDEX = "outfit_item_index"
OUTFIT_SCORE = "outfit_score"
COMPATIBILITY = "compatibility"
PAIR_SCORES = "pair_scores"
CUSTOMER_SCORES = "customer_scores"
STYLE_EMBEDDING = "style_embedding"

MAX_OUTFIT_SLOTS = 5


@dataclass(frozen=True)
class TensorSpec:
    """One input or output. A dimension is a letter (dynamic) or a number (fixed)."""

    name: str
    dtype: DType
    dims: tuple[str | int, ...]


@dataclass(frozen=True)
class ModelSpec:
    """What one served model takes and returns."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


_HISTORY = (
    TensorSpec(HISTORY_ITEM_INDEX, "INT64", ("B", "L")),
    TensorSpec(HISTORY_EVENT_TYPE, "INT64", ("B", "L")),
    TensorSpec(HISTORY_AGE_DAYS, "FP32", ("B", "L")),
)
_SCORING_INPUTS = (
    *_HISTORY,
    TensorSpec(CONTEXT_ITEM_INDEX, "INT64", ("B", "K")),
    TensorSpec(CONTEXT_WEIGHT, "FP32", ("B", 1)),
    TensorSpec(CANDIDATE_INDEX, "INT64", ("B", "C")),
)
_SCORING_OUTPUTS = (
    TensorSpec(SCORES, "FP32", ("B", "C")),
    TensorSpec(QUERY_EMBEDDING, "FP32", ("B", "D")),
)

MODEL_SPECS: dict[str, ModelSpec] = {
    RANKING: ModelSpec(RANKING, _SCORING_INPUTS, _SCORING_OUTPUTS),
    NEXT_ITEM: ModelSpec(NEXT_ITEM, _SCORING_INPUTS, _SCORING_OUTPUTS),
    OUTFIT: ModelSpec(
        OUTFIT,
        (
            TensorSpec(OUTFIT_ITEM_INDEX, "INT64", ("B", "N")),
            TensorSpec(HISTORY_ITEM_INDEX, "INT64", ("B", "L")),
            TensorSpec(CUSTOMER_WEIGHT, "FP32", ("B", 1)),
        ),
        (
            TensorSpec(OUTFIT_SCORE, "FP32", ("B",)),
            TensorSpec(COMPATIBILITY, "FP32", ("B",)),
            TensorSpec(PAIR_SCORES, "FP32", ("B", "N", "N")),
            TensorSpec(CUSTOMER_SCORES, "FP32", ("B", "N")),
            TensorSpec(STYLE_EMBEDDING, "FP32", ("B", "N", "D")),
        ),
    ),
}
