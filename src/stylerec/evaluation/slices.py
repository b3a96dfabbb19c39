"""The metrics of parts of the targets: who was asked, and what they chose. M targets, V items."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from stylerec.evaluation.context import EvaluationContext
from stylerec.evaluation.metrics import hits, ndcg_gains, standard_error, weighted_mean
from stylerec.evaluation.ranked_targets import RankedTargets
from stylerec.schema.tensors import FIRST_ITEM_INDEX

SHORT_HISTORY = 5
"""Fewer interactions than this are a short history."""
LONG_HISTORY = 15
"""This many interactions or more are a long history."""
HEAD_SHARE = 0.2
"""Share of the catalogue, the most popular items, that is its head."""
MIN_CUSTOMERS = 30
"""Below this a slice says nothing."""
MAX_NAMED = 10
"""Departments and markets that are shown, those of the most targets."""

CUSTOMERS_NEW = "customers_new"
HISTORY_SHORT, HISTORY_MEDIUM, HISTORY_LONG = "history_short", "history_medium", "history_long"
ITEMS_HEAD, ITEMS_TAIL, ITEMS_COLD = "items_head", "items_tail", "items_cold"
DEPARTMENT_PREFIX = "department="
MARKET_PREFIX = "market="


class SliceMetrics(BaseModel):
    """How well a model ranks the targets of one slice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_customers: int = Field(ge=1)
    hit_rate_at_10: float = Field(ge=0.0, le=1.0)
    hit_rate_at_10_standard_error: float = Field(ge=0.0)
    ndcg_at_10: float = Field(ge=0.0, le=1.0)
    ndcg_at_10_standard_error: float = Field(ge=0.0)
    is_too_small: bool
    """Fewer than 30 customers: not to be read."""


def slice_metrics(ranked: RankedTargets, context: EvaluationContext) -> dict[str, SliceMetrics]:
    """Returns the metrics of every slice that has a target.

    A target is in several slices: by its customer's training (`customers_new` have none), history
    length (`history_short`, `history_medium`, `history_long`), item (`items_cold` never trained;
    the others are the fifth of the catalogue that trained most, `items_head`, or `items_tail`),
    the item's department (`department=...`) and the customer's market (`market=...`).
    """
    return {
        name: _metrics(ranked, is_in) for name, is_in in _slices(ranked, context) if is_in.any()
    }


def _slices(
    ranked: RankedTargets, context: EvaluationContext
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    length, item, customer = ranked.history_length, ranked.item, ranked.targets.customer
    yield CUSTOMERS_NEW, context.train_lengths[customer] == 0
    yield HISTORY_SHORT, length < SHORT_HISTORY
    yield HISTORY_MEDIUM, (length >= SHORT_HISTORY) & (length < LONG_HISTORY)
    yield HISTORY_LONG, length >= LONG_HISTORY
    is_cold = context.train_counts[item] == 0
    is_head = _is_head(context.train_counts)[item]
    yield ITEMS_HEAD, is_head & ~is_cold
    yield ITEMS_TAIL, ~is_head & ~is_cold
    yield ITEMS_COLD, is_cold
    yield from _named(DEPARTMENT_PREFIX, context.department[item], context.departments)
    yield from _named(MARKET_PREFIX, context.market[customer], context.markets)


def _is_head(train_counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns which items are the catalogue's head, bool `[V]`; of equal ones the lower index."""
    num_head = round(HEAD_SHARE * (len(train_counts) - FIRST_ITEM_INDEX))
    order = FIRST_ITEM_INDEX + np.argsort(-train_counts[FIRST_ITEM_INDEX:], kind="stable")
    is_head = np.zeros(len(train_counts), dtype=np.bool_)
    is_head[order[:num_head]] = True
    return is_head


def _named(
    prefix: str, code: NDArray[np.int64], names: tuple[str, ...]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    counts = np.bincount(code[code >= 0], minlength=len(names))
    for place in np.argsort(-counts, kind="stable")[:MAX_NAMED]:
        yield prefix + names[place], code == place


def _metrics(ranked: RankedTargets, is_in: NDArray[np.bool_]) -> SliceMetrics:
    rank = ranked.rank[is_in]
    weights = None if ranked.weights is None else ranked.weights[is_in]
    hit, gain = hits(rank, 10), ndcg_gains(rank, 10)
    return SliceMetrics(
        num_customers=len(rank),
        hit_rate_at_10=weighted_mean(hit, weights),
        hit_rate_at_10_standard_error=standard_error(hit, weights),
        ndcg_at_10=weighted_mean(gain, weights),
        ndcg_at_10_standard_error=standard_error(gain, weights),
        is_too_small=len(rank) < MIN_CUSTOMERS,
    )
