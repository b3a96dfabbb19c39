"""The peer's data and metrics on numpy alone: it shares no code with what it is compared with.

B customers of a block, M targets, L items of history, V items of the catalogue.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FIRST_ITEM_INDEX = 2
"""Item indices below it are padding and the unknown item, in the prepared data's numbering."""
CUTOFF = 10


@dataclass(frozen=True)
class Targets:
    """M held-out interactions: int64 `[M]` customers and their rows in the flat arrays."""

    customer: NDArray[np.int64]
    place: NDArray[np.int64]


@dataclass(frozen=True)
class Data:
    """Customer `c` owns the interactions `offsets[c]` to `offsets[c + 1]`, oldest first.

    Attributes:
        item_index: int32 `[interactions]`.
        offsets: int64 `[customers + 1]`.
        train_lengths: int64 `[customers]`, leading interactions of each customer that train.
        validation: Targets that choose the epoch.
        test: Targets of the reported figures.
    """

    item_index: NDArray[np.int32]
    offsets: NDArray[np.int64]
    train_lengths: NDArray[np.int64]
    validation: Targets
    test: Targets

    @property
    def num_items(self) -> int:
        """V; items that nobody met cannot be targets, and no model of ids alone knows them."""
        return int(self.item_index.max()) + 1

    def training(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Returns customer, item and rank in the history of every training interaction."""
        customer = np.repeat(np.arange(len(self.train_lengths)), self.train_lengths)
        start = np.cumsum(self.train_lengths) - self.train_lengths
        order = np.arange(len(customer)) - np.repeat(start, self.train_lengths)
        return customer, self.item_index[self.offsets[customer] + order].astype(np.int64), order


def load(folder: Path) -> Data:
    """Reads `histories/*.npy` and `split/*.npy` as the prepared data has them."""

    def array(name: str) -> NDArray[np.integer]:
        return np.load(folder / f"{name}.npy", allow_pickle=False)

    return Data(
        item_index=array("histories/item_index"),
        offsets=array("histories/offsets"),
        train_lengths=array("split/train_lengths"),
        **{
            name: Targets(array(f"split/{name}_customer"), array(f"split/{name}_place"))
            for name in ("validation", "test")
        },
    )


def blocks(
    data: Data, targets: Targets, size: int
) -> Iterator[tuple[list[NDArray[np.int64]], NDArray[np.int64]]]:
    """Yields the histories before the targets, and the targets' items `[B]`."""
    for begin in range(0, len(targets.customer), size):
        customer = targets.customer[begin : begin + size]
        place = targets.place[begin : begin + size]
        starts = data.offsets[customer]
        yield (
            [data.item_index[a:b].astype(np.int64) for a, b in zip(starts, place, strict=True)],
            data.item_index[place].astype(np.int64),
        )


def ranks(
    scores: NDArray[np.floating], histories: list[NDArray[np.int64]], targets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns the rank of each target among all items, 1 = best, int64 `[at most B]`.

    Seen items do not compete and ties count against the target. A customer who has seen the target
    is left out, since no model could find what is filtered.

    Args:
        scores: `[B, V]`, minus infinity for items the model does not know.
        histories: Item indices per customer.
        targets: Item indices `[B]`.
    """
    found = []
    for row, history, target in zip(scores, histories, targets, strict=True):
        if target in history:
            continue
        is_ahead = ~(row < row[target])
        is_ahead[:FIRST_ITEM_INDEX] = False
        is_ahead[history] = False
        is_ahead[target] = False
        found.append(1 + int(is_ahead.sum()))
    return np.array(found, dtype=np.int64)


def metrics(rank: NDArray[np.int64]) -> dict[str, float]:
    """Returns NDCG@10 (one relevant item: `1 / log2(rank + 1)`) and hit rate@10."""
    is_hit = rank <= CUTOFF
    return {
        "ndcg_at_10": float((is_hit / np.log2(rank + 1.0)).mean()),
        "hit_rate_at_10": float(is_hit.mean()),
        "num_customers": len(rank),
    }
