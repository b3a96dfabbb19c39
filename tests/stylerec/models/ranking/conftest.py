from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from stylerec.data.histories import Histories
from stylerec.data.prepared import DatasetSummary, PreparedData
from stylerec.features.item_features import ItemFeatures
from stylerec.features.vocabulary import Vocabulary
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.train import train_ranking
from stylerec.schema.columns import CATEGORICAL_ITEM_COLUMNS
from stylerec.schema.events import EVENT_CODES

NUM_STYLES = 5
ITEMS_PER_STYLE = 8
NUM_SHOWN_PER_STYLE = 7
"""The last item of each style is new: it occurs in no history."""
NUM_CUSTOMERS = 240
DAY_S = 86_400


def make_features(num_styles: int = NUM_STYLES) -> ItemFeatures:
    """Content that names each item's style: a word, a category and a price; one word its own."""
    num_items = num_styles * ITEMS_PER_STYLE
    style = np.repeat(np.arange(num_styles), ITEMS_PER_STYLE)
    tokens = np.zeros((num_items + 2, 3), np.int32)
    tokens[2:, 0] = 1 + style
    tokens[2:, 1] = 1 + num_styles + np.arange(num_items)
    categorical = np.zeros((num_items + 2, len(CATEGORICAL_ITEM_COLUMNS)), np.int32)
    categorical[2:, 1] = 2 + style
    numeric = np.zeros((num_items + 2, 2), np.float32)
    numeric[2:, 0] = style - style.mean()
    return ItemFeatures(tokens, categorical, numeric, np.zeros((num_items + 2, 0), np.float32))


def make_histories(num_customers: int = NUM_CUSTOMERS, seed: int = 0) -> Histories:
    """Customers who keep to one style nine times in ten and prefer its first items."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 12, num_customers)
    items, events, times = [], [], []
    share = 1.0 / (1.0 + np.arange(NUM_SHOWN_PER_STYLE))
    for length in lengths:
        own = np.full(length, rng.integers(NUM_STYLES))
        style = np.where(rng.random(length) < 0.9, own, rng.integers(NUM_STYLES, size=length))
        place = rng.choice(NUM_SHOWN_PER_STYLE, length, p=share / share.sum())
        items.append(2 + style * ITEMS_PER_STYLE + place)
        events.append(rng.integers(1, len(EVENT_CODES) + 1, length))
        times.append(1_700_000_000 + np.sort(rng.integers(0, 100 * DAY_S, length)))
    return Histories(
        np.concatenate(items).astype(np.int32),
        np.concatenate(events).astype(np.int8),
        np.concatenate(times).astype(np.int64),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )


def write_prepared(folder: Path, histories: Histories, features: ItemFeatures) -> PreparedData:
    num_items = len(features.text_tokens)
    vocabulary = Vocabulary(tuple(f"i{i}" for i in range(2, num_items)))
    prepared = PreparedData(folder)
    prepared.write(
        summary=DatasetSummary(
            num_customers=histories.num_customers,
            num_items=num_items - 2,
            num_interactions=len(histories.item_index),
            num_outfits=0,
            has_timestamps=True,
            has_event_types=True,
            has_outfits=False,
            has_images=False,
            has_prices=True,
            markets=(),
            latest_timestamp_s=int(histories.timestamp_s.max()),
            dropped={},
            omitted={"outfit": "no outfits table"},
        ),
        vocabulary=vocabulary,
        items=pd.DataFrame({"item_id": vocabulary.item_ids, "item_index": range(2, num_items)}),
        item_features=features,
        histories=histories,
        customers=pd.DataFrame(
            {"customer_id": [f"c{c}" for c in range(histories.num_customers)], "market": ""}
        ),
        catalogue_arrays={"popularity": np.ones((1, num_items), np.float32)},
    )
    return prepared


@pytest.fixture(scope="session")
def write() -> Callable[[Path, Histories, ItemFeatures], PreparedData]:
    return write_prepared


@pytest.fixture(scope="session")
def histories() -> Histories:
    return make_histories()


@pytest.fixture(scope="session")
def features() -> ItemFeatures:
    return make_features()


@pytest.fixture(scope="session")
def other_features() -> ItemFeatures:
    """Content of a larger catalogue."""
    return make_features(NUM_STYLES + 1)


@pytest.fixture(scope="session")
def styles() -> NDArray[np.int64]:
    """Style of each item index, -1 for padding and unknown."""
    return np.concatenate([[-1, -1], np.repeat(np.arange(NUM_STYLES), ITEMS_PER_STYLE)])


@pytest.fixture(scope="session")
def new_items() -> NDArray[np.int64]:
    """Items that occur in no history, one of each style."""
    return 1 + ITEMS_PER_STYLE * np.arange(1, NUM_STYLES + 1)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, histories, features) -> PreparedData:
    return write_prepared(tmp_path_factory.mktemp("prepared"), histories, features)


@pytest.fixture(scope="session")
def config() -> RankingConfig:
    return RankingConfig(
        embedding_dim=8,
        match_dim=24,
        num_heads=2,
        max_history_len=10,
        max_epochs=12,
        batch_size=64,
        learning_rate=0.02,
        id_dropout=0.3,
    )


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, prepared, config) -> Path:
    """A model trained once for every test that only reads it."""
    folder = tmp_path_factory.mktemp("trained") / "ranking"
    train_ranking(prepared.folder, folder, config, progress=lambda line: None)
    return folder
