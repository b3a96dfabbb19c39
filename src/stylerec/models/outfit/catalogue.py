"""Prepared data to the tensors the item embedder reads, and a model over them."""

import numpy as np
import torch
from numpy.typing import NDArray

from stylerec.data.outfits import ITEM_INDEX
from stylerec.data.prepared import PreparedData
from stylerec.features.content import NUM_TEXT_BUCKETS
from stylerec.features.item_features import ItemFeatures
from stylerec.models.outfit.config import OutfitConfig
from stylerec.models.outfit.images import PictureNetwork, localised_features
from stylerec.models.outfit.layers import ItemContent, ItemEmbedder
from stylerec.models.outfit.model import OutfitModel
from stylerec.schema.columns import CATEGORICAL_ITEM_COLUMNS, CATEGORY, DEPARTMENT, PRODUCT_TYPE

_CATEGORY = {CATEGORY, PRODUCT_TYPE, DEPARTMENT}
_TYPE_COLUMN = CATEGORICAL_ITEM_COLUMNS.index(PRODUCT_TYPE)


def product_type_index(features: ItemFeatures) -> NDArray[np.int64]:
    """Returns every item's product type, int64 `[V]`, 0 missing, 1 unknown."""
    return features.categorical[:, _TYPE_COLUMN].astype(np.int64)


def product_type_names(prepared: PreparedData) -> list[str | None]:
    """Returns every item's product type by index, None for missing, padding and unknown."""
    return _names(prepared, PRODUCT_TYPE)


def department_names(prepared: PreparedData) -> list[str | None]:
    """Returns every item's department by index, None for missing, padding and unknown."""
    return _names(prepared, DEPARTMENT)


def _names(prepared: PreparedData, column: str) -> list[str | None]:
    names: list[str | None] = [None] * prepared.vocabulary.num_items
    items = prepared.items
    if column in items:
        for index, name in zip(items[ITEM_INDEX], items[column], strict=True):
            names[int(index)] = name if isinstance(name, str) and name else None
    return names


def build_model(
    prepared: PreparedData,
    config: OutfitConfig,
    *,
    pictures: PictureNetwork | None,
    device: torch.device | None = None,
) -> OutfitModel:
    """Returns an untrained outfit model over the prepared catalogue.

    Args:
        prepared: Item features, vocabulary and pictures.
        config: Widths and dropout.
        pictures: A trained picture network, or None to go without pictures; kept with the model
            and not trained further.
        device: Where the model goes, the CPU by default.
    """
    features, vocabulary = prepared.item_features, prepared.vocabulary
    images = prepared.images
    if pictures is None or images is None:
        localised = np.zeros((len(features.text_tokens), 0), dtype=np.float32)
    else:
        localised = localised_features(pictures, images, product_type_index(features))
    is_kept_F = [config.use_attributes or name in _CATEGORY for name in CATEGORICAL_ITEM_COLUMNS]
    content = ItemContent(
        text_UT=torch.from_numpy(features.text_tokens.astype(np.int64) * config.use_attributes),
        categories_UF=torch.from_numpy(features.categorical.astype(np.int64) * is_kept_F),
        numeric_U2=torch.from_numpy(features.numeric.astype(np.float32) * config.use_attributes),
        picture_UG=torch.from_numpy(localised),
    )
    embedder = ItemEmbedder(
        config,
        num_text_buckets=NUM_TEXT_BUCKETS,
        category_sizes=[vocabulary.category_size(column) for column in CATEGORICAL_ITEM_COLUMNS],
        num_picture_features=localised.shape[1],
    )
    device = device or torch.device("cpu")
    return OutfitModel(embedder, content.to(device), pictures=pictures).to(device)
