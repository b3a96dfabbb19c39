"""How well a model knows what the customers of a synthetic retailer want.

n customers or pages, m shown items, C candidates, V items.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from benchmarks.models.position_cases import SPLIT, Case
from benchmarks.models.synthetic_truth import Wishes
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import SECONDS_PER_DAY
from stylerec.data.synthetic.shopping import NO_ITEM
from stylerec.evaluation.blocks import Block, BlockScorer
from stylerec.evaluation.metrics import ndcg_gains
from stylerec.evaluation.ranks import hide_items

MIN_PROPENSITY = 0.1
CUTOFF = 10
_PER_BLOCK = 256
FloatArray = NDArray[np.floating]
IntArray = NDArray[np.int64]


def kendall_tau(scores: FloatArray, attraction: FloatArray) -> float:
    """Returns Kendall's tau-b of scores and attraction, mean over customers; both `[n, C]`."""
    taus = [kendalltau(s, a).statistic for s, a in zip(scores, attraction, strict=True)]
    # A customer whose scores are all equal has been given no order.
    return float(np.nan_to_num(taus).mean())


def preference_ndcg(scores: FloatArray, attraction: FloatArray, k: int = CUTOFF) -> float:
    """Returns NDCG at k with the attraction as gain, mean over customers; both `[n, C]`."""
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    gained = (np.take_along_axis(attraction, order, axis=1) * discount).sum(axis=1)
    best = (-np.sort(-attraction, axis=1)[:, :k] * discount).sum(axis=1)
    return float((gained / best).mean())


def preference_figures(case: Case, wishes: Wishes, scorer: BlockScorer) -> dict[str, float]:
    """Returns how near a model's order of the candidates is to the customers' own."""
    offsets = np.asarray(case.data.histories.offsets)
    rows = case.customer_rows()[wishes.customer]
    is_known = rows >= 0
    customer, place = rows[is_known], offsets[rows[is_known] + 1]
    scores = _scores(case.data, customer, place, scorer, as_of_s=wishes.time_s[is_known])
    own = np.take_along_axis(scores, case.item_indices()[wishes.item[is_known]], axis=1)
    attraction = wishes.attraction[is_known]
    return {
        "kendall_tau": kendall_tau(own, attraction),
        "ndcg_at_10": preference_ndcg(own, attraction),
        "num_customers": float(is_known.sum()),
    }


@dataclass(frozen=True)
class ShownItems:
    """Items that the pages of the test window showed, new to their customers; m of them.

    Attributes:
        page: int64 `[m]`, row of the asked pages.
        item_index: int64 `[m]`.
        touchpoint: int64 `[m]`.
        position: int64 `[m]`.
        is_attractive: bool `[m]`, would be clicked if it were looked at.
        is_clicked: bool `[m]`.
    """

    page: IntArray
    item_index: IntArray
    touchpoint: IntArray
    position: IntArray
    is_attractive: NDArray[np.bool_]
    is_clicked: NDArray[np.bool_]


def metric_figures(case: Case, scorer: BlockScorer) -> dict[str, float]:
    """Returns NDCG@10 of the test window's clicks: without position bias, as logged, corrected.

    Each page is predicted from what its customer did before it. `unbiased` counts every item that
    would be clicked if all were looked at; `logged` the clicks; `estimated` and `true` the clicks
    weighted by the inverse of the propensities.
    """
    page, customer, place = _asked_pages(case)
    as_of_s = case.retailer.requests.time_s[case.retailer.pages.request[page]]
    scores = _scores(case.data, customer, place, scorer, as_of_s=as_of_s, hides_seen=True)
    shown = _shown_items(case, page, scores)
    own = scores[shown.page, shown.item_index]
    rank = 1 + np.array(
        [np.count_nonzero(scores[p] > s) for p, s in zip(shown.page, own, strict=True)]
    )
    gain = ndcg_gains(rank, CUTOFF)
    clicked, spot = gain[shown.is_clicked], (shown.touchpoint, shown.position)
    estimated, true = case.estimated_propensity()[spot], case.retailer.shop.examination[spot]
    return {
        "unbiased": float(gain[shown.is_attractive].mean()),
        "logged": float(clicked.mean()),
        "estimated": corrected_mean(clicked, estimated[shown.is_clicked]),
        "true": corrected_mean(clicked, true[shown.is_clicked]),
        "num_clicks": float(len(clicked)),
    }


def corrected_mean(values: FloatArray, propensity: FloatArray) -> float:
    """Returns the mean weighted by `1 / max(propensity, 0.1)`."""
    return float(np.average(values, weights=1.0 / np.maximum(propensity, MIN_PROPENSITY)))


def _asked_pages(case: Case) -> tuple[IntArray, IntArray, IntArray]:
    """Returns the test window's pages, their customers, and where each one's history ends."""
    pages, requests = case.retailer.pages, case.retailer.requests
    times = case.data.histories.timestamp_s
    offsets = np.asarray(case.data.histories.offsets)
    from_s = int(times.max()) - SPLIT.test_days * SECONDS_PER_DAY
    customer = case.customer_rows()[requests.customer[pages.request]]
    time_s = requests.time_s[pages.request]
    page = np.flatnonzero((pages.touchpoint != NO_ITEM) & (time_s >= from_s) & (customer >= 0))
    place = np.array(
        [
            offsets[c] + np.searchsorted(times[offsets[c] : offsets[c + 1]], t)
            for c, t in zip(customer[page], time_s[page], strict=True)
        ]
    )
    has_history = place > offsets[customer[page]]
    page, place = page[has_history], place[has_history]
    return page, customer[page], place


def _shown_items(case: Case, page: IntArray, scores: FloatArray) -> ShownItems:
    pages = case.retailer.pages
    row, position = np.nonzero(pages.is_shown[page])
    item_index = case.item_indices()[pages.item[page[row], position]]
    is_new = np.isfinite(scores[row, item_index])
    row, position, item_index = row[is_new], position[is_new], item_index[is_new]
    return ShownItems(
        page=row,
        item_index=item_index,
        touchpoint=pages.touchpoint[page[row]],
        position=position,
        is_attractive=pages.is_attractive[page[row], position],
        is_clicked=pages.is_clicked[page[row], position],
    )


def _scores(
    data: PreparedData,
    customer: IntArray,
    place: IntArray,
    scorer: BlockScorer,
    *,
    as_of_s: IntArray,
    hides_seen: bool = False,
) -> NDArray[np.float32]:
    """Returns the scores of all items from what each customer did before a place, `[n, V]`."""
    histories, offsets = data.histories, np.asarray(data.histories.offsets)
    blocks = []
    for first in range(0, len(customer), _PER_BLOCK):
        some = slice(first, first + _PER_BLOCK)
        starts, stops = offsets[customer[some]], place[some]
        rows = np.concatenate([np.arange(a, b) for a, b in zip(starts, stops, strict=True)])
        block = Block(
            item_index=histories.item_index[rows].astype(np.int64),
            event_type=histories.event_type[rows].astype(np.int64),
            timestamp_s=histories.timestamp_s[rows].astype(np.int64),
            lengths=stops - starts,
            targets=np.zeros(len(starts), dtype=np.int64),
            as_of_s=as_of_s[some],
        )
        scores = np.array(scorer(block), dtype=np.float32)
        if hides_seen:
            hide_items(scores, block.row(), block.item_index)
        blocks.append(scores)
    return np.concatenate(blocks)
