"""A map of the style space: a sample of items, laid out so that items of one style lie together.

Bettaney et al., ECML PKDD 2020, figure 5, look at t-SNE projections of their style space. Here the
map also tells per item what the model makes of it: its nearest neighbours, and its best matches of
other product types, which is what outfits are made of.

Legend: V rows of the vocabulary, D style, M items of the sample, K neighbours, 2 map coordinates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from stylerec.data.prepared import PreparedData
from stylerec.models.outfit.catalogue import product_type_names
from stylerec.models.outfit.style_space_page import page, save_picture
from stylerec.schema.columns import TITLE
from stylerec.schema.tensors import FIRST_ITEM_INDEX

HTML_FILE = "style_space.html"
PICTURE_FILE = "style_space.png"
MAX_ITEMS = 1_000
MAX_TYPES = 12
"""Product types on the map: those with the most items; more colours could not be told apart."""
NUM_NEIGHBOURS = 5
_PERPLEXITY = 30.0
_MIN_ITEMS = 5
_NO_SPREAD = 1e-6
_TINY = 1e-12


@dataclass(frozen=True)
class StyleSpace:
    """A sample of items and their place on the map.

    Attributes:
        item_M: int64 item indices.
        type_M: int64, place of each item's product type in `types`.
        types: Names of product types, most items first.
        place_M2: float32 map coordinates, each axis from 0 to 1.
        neighbour_MK: int64, places in the sample of the nearest items by cosine, best first.
        match_MK: int64, places of the best item of each of the K best other types by dot product;
            -1 where there are fewer other types.
        match_score_MK: float32, the model's scaled dot products of those matches.
    """

    item_M: NDArray[np.int64]
    type_M: NDArray[np.int64]
    types: tuple[str, ...]
    place_M2: NDArray[np.float32]
    neighbour_MK: NDArray[np.int64]
    match_MK: NDArray[np.int64]
    match_score_MK: NDArray[np.float32]


def write_style_space(
    style_VD: NDArray[np.float32],
    prepared: PreparedData,
    folder: Path,
    *,
    scale: float,
    seed: int,
    max_items: int = MAX_ITEMS,
) -> None:
    """Writes `style_space.html`, self-contained and interactive, and `style_space.png`.

    Args:
        style_VD: Style embedding of every item, float32 `[V, D]`.
        prepared: Names, product types and pictures of the items.
        folder: Where both files go.
        scale: The model's factor of dot products, so that shown scores are those that outfits add.
        seed: Of the sample and the projection; the same inputs give the same files.
        max_items: Most items on the map.
    """
    space = map_styles(
        style_VD, product_type_names(prepared), scale=scale, seed=seed, max_items=max_items
    )
    images = prepared.images
    pictures = None if images is None else images[space.item_M]
    (folder / HTML_FILE).write_text(page(space, _titles(prepared, space), pictures), "utf-8")
    save_picture(space, folder / PICTURE_FILE)


def map_styles(
    style_VD: NDArray[np.float32],
    product_types: Sequence[str | None],
    *,
    scale: float,
    seed: int,
    max_items: int = MAX_ITEMS,
) -> StyleSpace:
    """Returns the map of a sample of items, the same for the same arguments.

    Args:
        style_VD: Style embedding of every item, float32 `[V, D]`.
        product_types: Product type per item index, None for none.
        scale: The model's factor of dot products.
        seed: Of the sample and the projection.
        max_items: Most items on the map, shared out evenly among the product types.
    """
    names = np.array([name or "" for name in product_types], dtype=object)
    names[:FIRST_ITEM_INDEX] = ""
    found, counts = np.unique(names[names != ""].astype(str), return_counts=True)
    types = tuple(found[np.argsort(-counts, kind="stable")][:MAX_TYPES].tolist())
    generator = np.random.default_rng(seed)
    item_M = _sample(names, types, generator, max_items)
    place_of = {name: place for place, name in enumerate(types)}
    type_M = np.array([place_of[names[item]] for item in item_M], dtype=np.int64)
    style_MD = style_VD[item_M]
    norm_M1 = np.linalg.norm(style_MD, axis=1, keepdims=True)
    unit_MD = (style_MD / np.maximum(norm_M1, _TINY)).astype(np.float32)
    match_MK, match_score_MK = _matches(scale * (style_MD @ style_MD.T), type_M, len(types))
    return StyleSpace(
        item_M=item_M,
        type_M=type_M,
        types=types,
        place_M2=_projection(unit_MD, seed),
        neighbour_MK=_neighbours(unit_MD),
        match_MK=match_MK,
        match_score_MK=match_score_MK,
    )


def _sample(
    names: NDArray[np.object_],
    types: Sequence[str],
    generator: np.random.Generator,
    max_items: int,
) -> NDArray[np.int64]:
    """Returns at most `max_items` items, as evenly from the types as their sizes allow."""
    chosen: list[NDArray[np.int64]] = []
    room = max_items
    # The smallest types first: what they leave over goes to the larger ones.
    for num_left, name in zip(range(len(types), 0, -1), reversed(types), strict=True):
        items = np.flatnonzero(names == name)
        count = min(len(items), room // num_left)
        chosen.append(np.sort(generator.permutation(items)[:count]))
        room -= count
    return np.concatenate([np.zeros(0, np.int64), *reversed(chosen)]).astype(np.int64)


def _projection(unit_MD: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Returns map coordinates in 0 to 1.

    What t-SNE cannot lay out, few items or items all of one style, stands on a circle: from points
    without any spread scikit-learn's PCA start divides by zero, and its t-SNE then crashes.
    """
    num_items = len(unit_MD)
    if num_items < _MIN_ITEMS or unit_MD.std(axis=0).max() < _NO_SPREAD:
        angle = 2 * np.pi * np.arange(num_items) / max(num_items, 1)
        return (0.5 + 0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)).astype(np.float32)
    projection = TSNE(
        n_components=2,
        perplexity=min(_PERPLEXITY, (num_items - 1) / 3),
        # On unit rows the squared distance is twice one minus the cosine.
        init="random" if unit_MD.shape[1] < 2 else "pca",
        random_state=seed,
        n_jobs=1,
    ).fit_transform(unit_MD.astype(np.float64))
    low, high = projection.min(axis=0), projection.max(axis=0)
    place_M2: NDArray[np.float32] = (projection - low) / np.maximum(high - low, _TINY)
    return place_M2.astype(np.float32)


def _neighbours(unit_MD: NDArray[np.float32]) -> NDArray[np.int64]:
    cosine_MM = unit_MD @ unit_MD.T
    np.fill_diagonal(cosine_MM, -np.inf)
    count = min(NUM_NEIGHBOURS, max(len(unit_MD) - 1, 0))
    order = np.argsort(-cosine_MM, axis=1, kind="stable")[:, :count]
    return order.astype(np.int64)


def _matches(
    score_MM: NDArray[np.float32], type_M: NDArray[np.int64], num_types: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns the best item of each of the best other types, and its score, `[M, K]`."""
    num_items = len(type_M)
    best_MT = np.full((num_items, num_types), -1, dtype=np.int64)
    value_MT = np.full((num_items, num_types), -np.inf, dtype=np.float32)
    for kind in range(num_types):
        members = np.flatnonzero(type_M == kind)
        if len(members):
            place = score_MM[:, members].argmax(axis=1)
            best_MT[:, kind] = members[place]
            value_MT[:, kind] = score_MM[np.arange(num_items), members[place]]
    own = np.arange(num_items), type_M
    best_MT[own], value_MT[own] = -1, -np.inf
    order = np.argsort(-value_MT, axis=1, kind="stable")[:, :NUM_NEIGHBOURS]
    best_MK = np.take_along_axis(best_MT, order, axis=1)
    value_MK = np.take_along_axis(value_MT, order, axis=1)
    return best_MK, np.where(best_MK < 0, 0.0, value_MK).astype(np.float32)


def _titles(prepared: PreparedData, space: StyleSpace) -> list[str]:
    """Returns what each item of the sample is called: its title, else its id."""
    items = prepared.items
    rows = space.item_M - FIRST_ITEM_INDEX
    ids = prepared.vocabulary.item_ids
    titles = items[TITLE].tolist() if TITLE in items else [None] * len(items)
    return [
        titles[row] if isinstance(titles[row], str) and titles[row].strip() else ids[row]
        for row in rows
    ]
