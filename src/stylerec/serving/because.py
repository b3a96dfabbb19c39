"""Why an item is shown: the customer's own item that it goes with."""

import numpy as np
from numpy.typing import NDArray

from stylerec.schema.tensors import PADDING_INDEX
from stylerec.schema.touchpoints import Rung
from stylerec.serving.candidates import CandidateSet
from stylerec.serving.catalogue import Catalogue
from stylerec.serving.resolved import ResolvedRequest

_NOBODY = -1


def sources_of(resolved: ResolvedRequest, found: CandidateSet, *, rung: Rung) -> NDArray[np.int64]:
    """Returns the items that can be named as the reason for a candidate.

    `popular` looks at nobody's history, so it only names what the candidates were found from.
    """
    if found.sources is not None:
        return found.sources
    return resolved.context if rung == Rung.POPULAR else resolved.sources()


def reason_items(
    catalogue: Catalogue, items: NDArray[np.int64], sources: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns for each item the source it goes with best, int64, 0 where there is none.

    That is the source with which it was bought together most strongly, else the one with the
    most similar content. An item is never its own reason.
    """
    if not len(sources) or not len(items):
        return np.full(len(items), PADDING_INDEX, dtype=np.int64)
    best = _bought_together(catalogue, sources)[items]
    similarity = catalogue.content[items] @ catalogue.content[sources].T
    similarity[items[:, None] == sources[None, :]] = -1.0
    alike = np.where(similarity.max(axis=1) > 0, similarity.argmax(axis=1), _NOBODY)
    is_itself = sources[best] == items
    best = np.where((best == _NOBODY) | is_itself, alike, best)
    return np.where(best == _NOBODY, PADDING_INDEX, sources[best])


def _bought_together(catalogue: Catalogue, sources: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns per item the position of the source whose neighbour it is, `[V]`, -1 for none."""
    score = catalogue.neighbour_score[sources].ravel()
    neighbour = catalogue.neighbour_index[sources].ravel()
    position = np.repeat(np.arange(len(sources)), catalogue.neighbour_index.shape[1])
    # Written weakest first, so that the strongest source stays; a stable order breaks ties.
    weakest_first = np.argsort(score, kind="stable")
    best = np.full(catalogue.num_items, _NOBODY, dtype=np.int64)
    best[neighbour[weakest_first]] = position[weakest_first]
    best[PADDING_INDEX] = _NOBODY
    return best
