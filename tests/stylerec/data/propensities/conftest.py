"""A shop that ranks by how well a page's items suit the customer, and clicks by position."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.propensities.impressions import Impressions

NUM_CUSTOMERS, PAGES, SLOTS, NUM_ITEMS = 400, 6, 5, 60
EXAMINATION = (1.0 + np.arange(SLOTS)) ** -0.7


@dataclass(frozen=True)
class Shop:
    impressions: Impressions
    histories: Histories
    content: NDArray[np.float32]


def make_shop(*, seed: int = 0) -> Shop:
    """Two kinds of items and of customers; whose kind fits is shown higher and clicked more."""
    rng = np.random.default_rng(seed)
    kind = np.concatenate([[0, 0], np.arange(NUM_ITEMS) % 2])
    content = np.zeros((NUM_ITEMS + 2, 3), np.float32)
    content[np.arange(2, NUM_ITEMS + 2), kind[2:]] = 1.0
    customer = np.repeat(np.arange(NUM_CUSTOMERS), PAGES)
    items = np.stack([rng.permutation(NUM_ITEMS)[:SLOTS] + 2 for _ in customer])
    suits = kind[items] == (customer % 2)[:, None]
    order = np.argsort(-(2.0 * suits + rng.gumbel(size=items.shape)), axis=1)
    items, suits = np.take_along_axis(items, order, 1), np.take_along_axis(suits, order, 1)
    is_clicked = rng.random(items.shape) < np.where(suits, 0.6, 0.1) * EXAMINATION
    chosen = [items[customer == c][is_clicked[customer == c]] for c in range(NUM_CUSTOMERS)]
    lengths = [len(some) for some in chosen]
    histories = Histories(
        item_index=np.concatenate(chosen).astype(np.int32),
        event_type=np.ones(sum(lengths), np.int8),
        timestamp_s=np.zeros(sum(lengths), np.int64),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
    )
    size = items.size
    impressions = Impressions(
        page=np.repeat(np.arange(len(customer)), SLOTS),
        customer=np.repeat(customer, SLOTS),
        item_index=items.ravel(),
        touchpoint=np.zeros(size, np.int64),
        position=np.tile(np.arange(SLOTS), len(customer)),
        is_clicked=is_clicked.ravel(),
        touchpoint_names=("for-you",),
    )
    return Shop(impressions, histories, content)


@pytest.fixture(scope="session")
def shop() -> Shop:
    return make_shop()


@pytest.fixture(scope="session")
def examination() -> NDArray[np.float64]:
    return EXAMINATION
