"""What the shop's own ranking thought of each impression, learnt from the positions alone.

n impressions, E content dimensions.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from stylerec.data.histories import Histories
from stylerec.data.propensities.impressions import Impressions

Float64Array = NDArray[np.float64]

_NUM_FOLDS = 2
_MIN_CUSTOMERS = 2 * _NUM_FOLDS
_NUM_TREES = 100
_ITEM_SHRINKAGE = 5.0
"""Pages added to an item's count, at which its rank is the page's mean."""


def expected_rank(
    impressions: Impressions, histories: Histories, content: NDArray[np.float32]
) -> Float64Array:
    """Returns how far down its page each impression was to be expected, `[n]`.

    A page is ranked by relevance, so that relevance decides both the position and the click: it
    confounds them, and propensities estimated without it are too steep (Luo et al., "Unbiased
    learning-to-rank needs unconfounded propensity estimation", SIGIR 2024, section 3). They adjust
    for it through the logging policy. This is the logging policy as a regression of the log
    position, less the page's mean, on what the ranking may have known. Given its value, what is
    left of the position is chance, as far as the regression knows what the ranking knew.

    Neither an impression's own position nor its click is used: the regression is fitted on other
    customers, and its inputs leave the impression's page out.

    Args:
        impressions: Of all touchpoints.
        histories: Of the customers that `impressions.customer` counts.
        content: Unit content vectors of all items, `[V, E]`.
    """
    relative_rank = _relative_rank(impressions)
    fold = impressions.customer % _NUM_FOLDS
    if len(np.unique(impressions.customer)) < _MIN_CUSTOMERS or len(np.unique(fold)) < _NUM_FOLDS:
        return np.zeros(len(impressions))
    inputs = _inputs(impressions, histories, content, relative_rank, fold)
    expected = np.zeros(len(impressions))
    for own in range(_NUM_FOLDS):
        model = HistGradientBoostingRegressor(
            max_iter=_NUM_TREES, early_stopping=False, random_state=0
        )
        is_own = fold == own
        model.fit(inputs[~is_own], relative_rank[~is_own])
        expected[is_own] = model.predict(inputs[is_own])
    return expected


def _relative_rank(impressions: Impressions) -> Float64Array:
    rank = np.log1p(impressions.position)
    mean = np.add.reduceat(rank, impressions.page_start) / impressions.page_size
    return np.asarray(rank - mean[impressions.page])


def _inputs(
    impressions: Impressions,
    histories: Histories,
    content: NDArray[np.float32],
    relative_rank: Float64Array,
    fold: NDArray[np.int64],
) -> Float64Array:
    """Returns the regression's inputs, `[n, 7]`."""
    item_rank = _item_rank(impressions, relative_rank, fold, num_items=len(content))
    num_rivals = np.maximum(impressions.page_size - 1, 1)[impressions.page]
    rivals_rank = _of_page(item_rank, impressions) - item_rank
    return np.column_stack(
        [
            item_rank,
            rivals_rank / num_rivals,
            _likeness_to_page(impressions, content),
            _likeness_to_history(impressions, histories, content),
            _likeness_to_ranked_elsewhere(impressions, content, relative_rank),
            impressions.touchpoint,
            impressions.page_size[impressions.page],
        ]
    )


def _of_page(values: Float64Array, impressions: Impressions) -> Float64Array:
    """Returns the sum over each impression's page, its own value included, `[n]`."""
    return np.asarray(np.add.reduceat(values, impressions.page_start)[impressions.page])


def _item_rank(
    impressions: Impressions,
    relative_rank: Float64Array,
    fold: NDArray[np.int64],
    *,
    num_items: int,
) -> Float64Array:
    """Returns the mean rank of each impression's item on other customers' pages, shrunk, `[n]`."""
    item, rank = impressions.item_index, np.zeros(len(impressions))
    for own in range(_NUM_FOLDS):
        is_other = fold != own
        total = np.bincount(item[is_other], relative_rank[is_other], num_items)
        count = np.bincount(item[is_other], minlength=num_items)
        rank[~is_other] = (total / (count + _ITEM_SHRINKAGE))[item[~is_other]]
    return rank


def _likeness_to_page(impressions: Impressions, content: NDArray[np.float32]) -> Float64Array:
    """Returns how alike each item is to the others on its page, `[n]`."""
    own = content[impressions.item_index]
    others = np.add.reduceat(own, impressions.page_start)[impressions.page] - own
    return _product_with_unit(own, others)


def _likeness_to_history(
    impressions: Impressions, histories: Histories, content: NDArray[np.float32]
) -> Float64Array:
    """Returns how alike each item is to what its customer chose besides it, `[n]`."""
    own = content[impressions.item_index]
    number, row = np.unique(impressions.customer, return_inverse=True)
    offsets = np.asarray(histories.offsets)
    chosen = np.zeros((len(number), content.shape[1]), dtype=np.float32)
    is_chosen = np.zeros(len(impressions), dtype=np.bool_)
    first = np.searchsorted(row, np.arange(len(number) + 1))
    for place, customer in enumerate(number):
        items = np.unique(histories.item_index[offsets[customer] : offsets[customer + 1]])
        chosen[place] = content[items].sum(axis=0)
        rows = slice(first[place], first[place + 1])
        is_chosen[rows] = np.isin(impressions.item_index[rows], items)
    others = chosen[row] - own * is_chosen[:, None]
    return _product_with_unit(own, others)


def _likeness_to_ranked_elsewhere(
    impressions: Impressions, content: NDArray[np.float32], relative_rank: Float64Array
) -> Float64Array:
    """Returns how alike each item is to what its customer's other pages ranked low, `[n]`."""
    own = content[impressions.item_index]
    ranked = np.add.reduceat(
        own * relative_rank[:, None].astype(np.float32), impressions.page_start
    )
    owner = impressions.customer[impressions.page_start]
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    num_pages = np.diff(first, append=len(owner))
    row = np.repeat(np.arange(len(first)), num_pages)
    elsewhere = np.add.reduceat(ranked, first)[row] - ranked
    elsewhere /= np.sqrt(np.maximum(num_pages - 1, 1))[row, None]
    return np.asarray(np.einsum("ne,ne->n", own, elsewhere[impressions.page]), dtype=np.float64)


def _product_with_unit(own: NDArray[np.float32], others: NDArray[np.float32]) -> Float64Array:
    norm = np.maximum(np.linalg.norm(others, axis=1), 1e-6)
    return np.asarray(np.einsum("ne,ne->n", own, others) / norm, dtype=np.float64)
