"""A small retailer whose stylists match colours and moods across product types."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from stylerec.data.histories import Histories
from stylerec.data.prepared import IMAGE_SIZE, DatasetSummary, PreparedData
from stylerec.features.content import build_item_features
from stylerec.features.vocabulary import Vocabulary
from stylerec.models.outfit.catalogue import build_model
from stylerec.models.outfit.config import OutfitConfig
from stylerec.models.outfit.model import OutfitModel
from stylerec.models.outfit.train import TrainingResult, train_outfit
from stylerec.schema.columns import CATEGORICAL_ITEM_COLUMNS

TYPES = ("dress", "shoes", "bag", "hat")
MOODS = ("sober", "loud", "beach")
COLOURS = ("red", "green", "blue")
_PIXELS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200)}
NUM_ITEMS = 144
NUM_OUTFITS = 400


def _items(colours_used: tuple[str, ...]) -> pd.DataFrame:
    """Item i has type i % 4, colour (i // 4) % 3 and mood (i // 12) % 3."""
    number = np.arange(NUM_ITEMS)
    types = [TYPES[i % 4] for i in number]
    colours = [colours_used[i // 4 % len(colours_used)] for i in number]
    moods = [MOODS[i // 12 % 3] for i in number]
    return pd.DataFrame(
        {
            "item_id": [f"i{i}" for i in number],
            "title": [f"{m} {c} {t}" for m, c, t in zip(moods, colours, types, strict=True)],
            "product_type": types,
            "colour": colours,
            "item_index": number + 2,
        }
    )


def _images(items: pd.DataFrame, generator: np.random.Generator) -> np.ndarray:
    """A block of the item's colour, its place given by the type, on white; item 0 has none."""
    images = np.zeros((NUM_ITEMS + 2, IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.uint8)
    for index, name, colour in zip(
        items["item_index"], items["product_type"], items["colour"], strict=True
    ):
        top, left = divmod(TYPES.index(name), 2)
        picture = generator.integers(235, 256, images[0].shape, dtype=np.uint8)
        picture[32 * top : 32 * top + 24, 32 * left : 32 * left + 24] = _PIXELS[colour]
        images[index] = picture
    images[2] = 0
    return images


def _outfits(generator: np.random.Generator, count: int) -> pd.DataFrame:
    """An outfit has one item of each type, all of one mood and one colour."""
    rows = []
    for outfit in range(count):
        colour, mood = generator.integers(3, size=2)
        types = generator.permutation(4)[: generator.integers(3, 5)]
        copies = generator.integers(NUM_ITEMS // 36, size=len(types))
        rows += [
            (f"o{outfit}", 2 + 36 * copy + 12 * mood + 4 * colour + kind, place == 0)
            for place, (kind, copy) in enumerate(zip(types, copies, strict=True))
        ]
    return pd.DataFrame(rows, columns=["outfit_id", "item_index", "is_hero"])


def write_prepared(
    folder: Path,
    *,
    has_images: bool = True,
    has_text: bool = True,
    num_outfits: int = NUM_OUTFITS,
    colours: tuple[str, ...] = COLOURS,
) -> Path:
    """Writes the retailer's prepared data and returns its folder."""
    generator = np.random.default_rng(5)
    items = _items(colours)
    images = _images(items, generator) if has_images else None
    vocabulary = Vocabulary(
        tuple(items["item_id"]),
        {c: tuple(sorted(set(items.get(c, [])))) for c in CATEGORICAL_ITEM_COLUMNS},
    )
    outfits = _outfits(generator, num_outfits)
    PreparedData(folder).write(
        summary=DatasetSummary(
            num_customers=0,
            num_items=NUM_ITEMS,
            num_interactions=0,
            num_outfits=num_outfits,
            has_timestamps=False,
            has_event_types=False,
            has_outfits=True,
            has_images=has_images,
            has_prices=False,
            markets=(),
            latest_timestamp_s=0,
            dropped={},
            omitted={},
        ),
        vocabulary=vocabulary,
        items=items,
        item_features=build_item_features(
            items if has_text else items.drop(columns="title"), vocabulary, images
        ),
        histories=Histories(
            np.zeros(0, np.int32),
            np.zeros(0, np.int8),
            np.zeros(0, np.int64),
            np.zeros(1, np.int64),
        ),
        customers=pd.DataFrame({"customer_id": [], "market": []}),
        catalogue_arrays={},
        outfits=outfits,
        images=images,
    )
    return folder


@pytest.fixture(scope="session")
def retailer():
    """Writes variants of the retailer: see `write_prepared`."""
    return write_prepared


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The retailer with pictures and words."""
    return write_prepared(tmp_path_factory.mktemp("outfit") / "prepared")


@pytest.fixture(scope="session")
def config() -> OutfitConfig:
    """A model that trains in seconds."""
    return OutfitConfig(
        embedding_dim=16,
        part_dim=16,
        hidden_dim=32,
        dropout=0.1,
        picture_channels=20,
        picture_epochs=6,
        picture_batch_size=16,
        batch_size=32,
        max_epochs=12,
        patience=12,
        learning_rate=5e-3,
        max_history_len=6,
        scorer="set",
    )


@pytest.fixture(scope="session")
def trained(
    prepared: Path, config: OutfitConfig, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, TrainingResult, list[str]]:
    """Folder, result and progress lines of a training run."""
    folder = tmp_path_factory.mktemp("outfit") / "trained"
    lines: list[str] = []
    return folder, train_outfit(prepared, folder, config, progress=lines.append), lines


@pytest.fixture
def model(prepared: Path, config: OutfitConfig) -> OutfitModel:
    """An untrained model without pictures."""
    torch.manual_seed(1)
    return build_model(PreparedData(prepared), config, pictures=None).eval()
