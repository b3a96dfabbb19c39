"""A small retailer whose customers walk through the catalogue in order, and a model of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from stylerec.data.histories import Histories
from stylerec.data.prepared import DatasetSummary, PreparedData
from stylerec.features.item_features import ItemFeatures
from stylerec.features.vocabulary import Vocabulary
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.export import export_next_item
from stylerec.models.next_item.model import NextItemModel
from stylerec.models.next_item.train import train_next_item
from stylerec.models.records import TrainingResult

NUM_WARM = 40
COLD_INDEX = 2 + NUM_WARM
WARM_TWIN_INDEX = 7


def _features(rng: np.random.Generator) -> ItemFeatures:
    num_rows = NUM_WARM + 3
    index = np.arange(num_rows)
    features = ItemFeatures(
        text_tokens=np.stack([index, 50 + index % 8, 0 * index], axis=1).astype(np.int32),
        categorical=np.stack([2 + index % 5, 2 + index // 10, 0 * index], axis=1).astype(np.int32),
        numeric=rng.normal(size=(num_rows, 2)).astype(np.float32),
        image=rng.normal(size=(num_rows, 4)).astype(np.float32),
    )
    for array in vars(features).values():
        array[:2] = 0
        array[COLD_INDEX] = array[WARM_TWIN_INDEX]
    return features


def _histories(rng: np.random.Generator, num_customers: int) -> Histories:
    lengths = rng.integers(1, 24, size=num_customers)
    walks = [(rng.integers(NUM_WARM) + np.arange(length)) % NUM_WARM for length in lengths]
    gaps_s = [rng.choice([60, 7_200, 900_000], size=length) for length in lengths]
    return Histories(
        item_index=(np.concatenate(walks) + 2).astype(np.int32),
        event_type=rng.integers(1, 5, size=lengths.sum()).astype(np.int8),
        timestamp_s=np.concatenate([1_700_000_000 + np.cumsum(gap) for gap in gaps_s]),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Item i is followed by item i + 1; the last item is cold and looks like item 7."""
    rng = np.random.default_rng(3)
    item_ids = tuple(f"i{number}" for number in range(NUM_WARM + 1))
    histories = _histories(rng, num_customers=240)
    folder = tmp_path_factory.mktemp("next_item") / "prepared"
    PreparedData(folder).write(
        summary=DatasetSummary(
            num_customers=histories.num_customers,
            num_items=len(item_ids),
            num_interactions=len(histories.item_index),
            num_outfits=0,
            has_timestamps=True,
            has_event_types=True,
            has_outfits=False,
            has_images=True,
            has_prices=True,
            markets=(),
            latest_timestamp_s=int(histories.timestamp_s.max()),
            dropped={},
            omitted={},
        ),
        vocabulary=Vocabulary(item_ids=item_ids),
        items=pd.DataFrame({"item_id": item_ids, "item_index": range(2, 2 + len(item_ids))}),
        item_features=_features(rng),
        histories=histories,
        customers=pd.DataFrame({"customer_id": [f"c{c}" for c in range(240)], "market": ""}),
        catalogue_arrays={"popularity": np.zeros((1, NUM_WARM + 3), dtype=np.float32)},
    )
    return folder


@pytest.fixture(scope="session")
def features(prepared: Path) -> ItemFeatures:
    return PreparedData(prepared).item_features


@pytest.fixture(scope="session")
def small_config() -> NextItemConfig:
    return NextItemConfig(
        max_len=12,
        embedding_dim=16,
        match_dim=24,
        num_layers=2,
        num_heads=2,
        dropout=0.1,
        batch_targets=128,
        learning_rate=0.01,
        max_epochs=10,
        patience=10,
    )


@dataclass(frozen=True)
class Trained:
    folder: Path
    result: TrainingResult
    progress: list[str]


@pytest.fixture(scope="session")
def trained(prepared: Path, small_config: NextItemConfig) -> Trained:
    torch.set_num_threads(1)
    folder = prepared.parent / "trained"
    lines: list[str] = []
    result = train_next_item(prepared, folder, small_config, device="cpu", progress=lines.append)
    return Trained(folder, result, lines)


@pytest.fixture(scope="session")
def model(trained: Trained, features: ItemFeatures) -> NextItemModel:
    return NextItemModel.load(trained.folder, features)


@pytest.fixture(scope="session")
def exported(trained: Trained, prepared: Path) -> Path:
    folder = prepared.parent / "exported"
    export_next_item(trained.folder, prepared, folder)
    return folder
