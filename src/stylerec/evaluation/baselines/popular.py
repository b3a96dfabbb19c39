"""What most customers chose, ever or lately. B customers of a block, V items."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from stylerec.data.splits import SECONDS_PER_DAY
from stylerec.evaluation.baselines.known import Known
from stylerec.evaluation.blocks import Block, BlockScorer


def popular_scorer(known: Known) -> BlockScorer:
    """Returns a scorer that gives every customer the items most customers met."""
    popularity = np.asarray(known.matrix.sum(axis=0), dtype=np.float32)

    def score(part: Block) -> NDArray[np.float32]:
        return np.broadcast_to(popularity, (len(part.lengths), len(popularity)))

    return score


def recent_popular_scorer(known: Known, *, days: int) -> BlockScorer:
    """Returns a scorer by interactions in the newest whole days before each customer's target.

    The window ends with the UTC day before the target's, so nothing later than the target counts,
    nor does any held-out interaction. Items that tie are ordered by all customers there ever were.

    Args:
        known: Interactions, with times.
        days: Length of the window.
    """
    per_day = known.counts_per_day
    popularity = np.asarray(known.matrix.sum(axis=0), dtype=np.float32)
    # Below 1, so that it only decides between equal counts.
    tie_break = popularity / (popularity.max(initial=0.0) + 1.0)

    def score(part: Block) -> NDArray[np.float32]:
        day, row = np.unique(part.as_of_s // SECONDS_PER_DAY, return_inverse=True)
        stop = np.clip(day - known.first_day, 0, per_day.shape[0])
        start = np.clip(day - days - known.first_day, 0, stop)
        window = _spans(start, stop, width=per_day.shape[0]) @ per_day
        return np.asarray(window.toarray()[row] + tie_break, dtype=np.float32)

    return score


def _spans(
    start: NDArray[np.int64], stop: NDArray[np.int64], *, width: int
) -> sparse.csr_array[np.float32]:
    """Returns rows that are 1 from `start` up to `stop` and 0 elsewhere."""
    lengths = stop - start
    ends = np.cumsum(lengths)
    column = np.arange(int(lengths.sum())) + np.repeat(start - (ends - lengths), lengths)
    return sparse.csr_array(
        (np.ones(len(column), np.float32), column, np.concatenate([[0], ends])),
        shape=(len(start), width),
    )
