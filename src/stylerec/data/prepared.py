"""What the `prepare` step writes and every later step reads."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from safetensors.numpy import load_file, save_file

from stylerec.data.histories import Histories
from stylerec.data.propensities.table import Propensities
from stylerec.data.splits import Split, leave_one_out
from stylerec.features.item_features import ItemFeatures
from stylerec.features.vocabulary import Vocabulary

IMAGE_SIZE = 64


class DatasetSummary(BaseModel):
    """What the retailer's tables hold, and which branches they leave out and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_customers: int
    num_items: int
    num_interactions: int
    num_outfits: int
    has_timestamps: bool
    has_event_types: bool
    has_outfits: bool
    has_images: bool
    has_prices: bool
    markets: tuple[str, ...]
    latest_timestamp_s: int
    dropped: dict[str, int]
    """Rows left out while preparing, by reason, such as interactions with unknown items."""
    omitted: dict[str, str]
    """Branch left out (`outfit`, `event_types`, `time_gaps`, `markets`, ...) to the reason."""


class PreparedData:
    """A folder of prepared arrays, each loaded when first asked for.

    Files: `dataset.json`, `vocabulary.json`, `items.parquet` (canonical columns plus `item_index`,
    in index order), `item_features.safetensors`, `histories/*.npy`, `split/*.npy`,
    `customers.parquet` (`customer_id`, `market`; row c owns history c), `catalogue.safetensors`,
    and where the retailer has them `outfits.parquet` (`outfit_id`, `item_index`, `is_hero`),
    `images.npy` (uint8 `[V, 64, 64, 3]`, zeros where an item has no picture), `propensities.json`
    and `propensity.npy`.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    @property
    def summary(self) -> DatasetSummary:
        """Counts, flags and omitted branches."""
        return DatasetSummary.model_validate_json((self.folder / "dataset.json").read_text())

    @property
    def vocabulary(self) -> Vocabulary:
        """Item ids and categorical values."""
        return Vocabulary.load(self.folder / "vocabulary.json")

    @property
    def items(self) -> pd.DataFrame:
        """Canonical item columns plus `item_index`, in index order from 2."""
        return pd.read_parquet(self.folder / "items.parquet")

    @property
    def item_features(self) -> ItemFeatures:
        """Content features, rows in index order from 0."""
        return ItemFeatures.load(self.folder / "item_features.safetensors")

    @property
    def histories(self) -> Histories:
        """Every customer's interactions, memory-mapped."""
        return Histories.load(self.folder / "histories")

    @property
    def split(self) -> Split:
        """Which interactions train, validate and test, memory-mapped."""
        return Split.load(self.folder / "split")

    @property
    def propensity(self) -> NDArray[np.float32] | None:
        """Probability that the position at which an interaction's item was shown is examined.

        float32 `[num_interactions]` memory-mapped, relative to the first position of its
        touchpoint, so that it may exceed 1; 1 where unknown. None without impressions with
        positions.
        """
        path = self.folder / "propensity.npy"
        return np.load(path, mmap_mode="r", allow_pickle=False) if path.exists() else None

    @property
    def propensities(self) -> Propensities | None:
        """Propensities per touchpoint and position, or None without impressions."""
        path = self.folder / "propensities.json"
        return Propensities.load(path) if path.exists() else None

    @property
    def customers(self) -> pd.DataFrame:
        """`customer_id` and `market` (empty string without markets), one row per history."""
        return pd.read_parquet(self.folder / "customers.parquet")

    @property
    def catalogue_arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for candidate rules and fallback rungs, V rows in index order.

        `popularity` float32 `[M + 1, V]` (row 0 all markets, then `summary.markets`),
        `neighbour_index` int32 `[V, K]` and `neighbour_score` float32 `[V, K]` (bought together,
        best first, 0 padded), `content_embedding` float32 `[V, E]` (unit rows, zero if no content).
        """
        return load_file(self.folder / "catalogue.safetensors")

    @property
    def outfits(self) -> pd.DataFrame:
        """`outfit_id`, `item_index`, `is_hero`; empty without outfits."""
        path = self.folder / "outfits.parquet"
        if not path.exists():
            return pd.DataFrame({"outfit_id": [], "item_index": [], "is_hero": []})
        return pd.read_parquet(path)

    @property
    def images(self) -> NDArray[np.uint8] | None:
        """Pictures, uint8 `[V, 64, 64, 3]` memory-mapped, or None without pictures."""
        path = self.folder / "images.npy"
        return np.load(path, mmap_mode="r", allow_pickle=False) if path.exists() else None

    def write(
        self,
        *,
        summary: DatasetSummary,
        vocabulary: Vocabulary,
        items: pd.DataFrame,
        item_features: ItemFeatures,
        histories: Histories,
        customers: pd.DataFrame,
        catalogue_arrays: dict[str, NDArray[Any]],
        split: Split | None = None,
        propensity: NDArray[np.float32] | None = None,
        propensities: Propensities | None = None,
        outfits: pd.DataFrame | None = None,
        images: NDArray[np.uint8] | None = None,
    ) -> None:
        """Writes every file; `dataset.json` last, so a folder that has it is whole.

        Without a split it is leave-one-out.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        vocabulary.save(self.folder / "vocabulary.json")
        items.to_parquet(self.folder / "items.parquet", index=False)
        item_features.save(self.folder / "item_features.safetensors")
        histories.save(self.folder / "histories")
        (split or leave_one_out(histories)).save(self.folder / "split")
        customers.to_parquet(self.folder / "customers.parquet", index=False)
        save_file(
            {name: np.ascontiguousarray(array) for name, array in catalogue_arrays.items()},
            self.folder / "catalogue.safetensors",
        )
        if propensities is not None:
            propensities.save(self.folder / "propensities.json")
        if propensity is not None:
            np.save(self.folder / "propensity.npy", propensity, allow_pickle=False)
        if outfits is not None:
            outfits.to_parquet(self.folder / "outfits.parquet", index=False)
        if images is not None:
            np.save(self.folder / "images.npy", images, allow_pickle=False)
        (self.folder / "dataset.json").write_text(summary.model_dump_json(indent=2))
