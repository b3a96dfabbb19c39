"""Puts stylists' outfits together: a hero, a template for its type, items that go together."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stylerec.data.arrow_types import arrow_schema
from stylerec.data.synthetic.assortment import DEPARTMENTS, OUTFIT_TEMPLATES, TYPE_INDEX
from stylerec.data.synthetic.catalogue import NUM_TYPES, Catalogue
from stylerec.data.synthetic.event_tables import item_ids, outfit_ids
from stylerec.data.synthetic.randomness import (
    FloatArray,
    IntArray,
    Stream,
    choose,
    generator,
    gumbel,
)
from stylerec.data.synthetic.truth import World, pair_compatibility
from stylerec.schema import columns
from stylerec.schema.tensors import MAX_OUTFIT_SLOTS

NO_ITEM = -1
NUM_OPTIONS = 48
"""Items a stylist looks through for each slot."""
_BLOCK = 4_096
_TEMPLATE_DECAY = 0.6


@dataclass(frozen=True)
class _Templates:
    """Every hero pool with its templates, flattened. H rows, S slots.

    Attributes:
        pool: int64 `[H]`, pool of the hero.
        slots: int64 `[H, S]`, product types of the other items, `NO_ITEM` beyond the last.
        weight: float64 `[H]`, how usual the row is.
    """

    pool: IntArray
    slots: IntArray
    weight: np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def _templates(catalogue: Catalogue) -> _Templates:
    """Returns all templates, each weighted by its place and its hero pool's number of items."""
    pools, slots, weights = [], [], []
    for number, department in enumerate(DEPARTMENTS):
        for hero, templates in OUTFIT_TEMPLATES[department].items():
            pool = number * NUM_TYPES + TYPE_INDEX[hero]
            size = catalogue.pool_start[pool + 1] - catalogue.pool_start[pool]
            for place, template in enumerate(templates):
                empty = [NO_ITEM] * (MAX_OUTFIT_SLOTS - len(template))
                pools.append(pool)
                slots.append([TYPE_INDEX[name] for name in template] + empty)
                weights.append(float(size) * _TEMPLATE_DECAY**place)
    return _Templates(np.array(pools), np.array(slots), np.array(weights))


def draw_outfits(
    world: World, catalogue: Catalogue, *, seed: int, num_outfits: int
) -> Iterator[IntArray]:
    """Yields blocks of outfits, int64 `[n, 1 + S]`: hero first, `NO_ITEM` for unused slots.

    Each slot is filled in turn from items drawn by appeal, with probability proportional to
    exp(summed compatibility with the items already chosen).
    """
    templates = _templates(catalogue)
    for block, first in enumerate(range(0, num_outfits, _BLOCK)):
        rng = generator(seed, Stream.OUTFITS, block)
        yield _draw_block(world, catalogue, templates, rng, min(_BLOCK, num_outfits - first))


def _draw_block(
    world: World,
    catalogue: Catalogue,
    templates: _Templates,
    rng: np.random.Generator,
    size: int,
) -> IntArray:
    drawn = choose(np.tile(templates.weight, (size, 1)), rng.random(size))
    pool, slots = templates.pool[drawn], templates.slots[drawn]
    hero = _by_appeal(catalogue, pool[:, None], rng.random((size, 1)))
    outfit = np.full((size, 1 + MAX_OUTFIT_SLOTS), NO_ITEM)
    outfit[:, 0] = hero[:, 0]
    department = catalogue.department[hero[:, 0]]
    for slot in range(MAX_OUTFIT_SLOTS):
        uniform = rng.random((size, NUM_OPTIONS))
        noise = gumbel(rng.random((size, NUM_OPTIONS), dtype=np.float32))
        used = np.flatnonzero(slots[:, slot] != NO_ITEM)
        slot_pool = department[used] * NUM_TYPES + slots[used, slot]
        option = _by_appeal(catalogue, slot_pool[:, None], uniform[used])
        fit = _summed_compatibility(world, catalogue, outfit[used, : slot + 1], option)
        best = (fit + noise[used]).argmax(axis=1)
        outfit[used, slot + 1] = option[np.arange(len(used)), best]
    return outfit


def _by_appeal(
    catalogue: Catalogue, pool: IntArray, uniform: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> IntArray:
    """Returns items of the pools, drawn in proportion to appeal; the arguments broadcast."""
    start, stop = catalogue.pool_start[pool], catalogue.pool_start[pool + 1]
    low, high = catalogue.cumulative_appeal[start], catalogue.cumulative_appeal[stop]
    cut = low + uniform * (high - low)
    found = np.searchsorted(catalogue.cumulative_appeal, cut, side="right") - 1
    return np.clip(found, start, stop - 1)


def _summed_compatibility(
    world: World, catalogue: Catalogue, chosen: IntArray, option: IntArray
) -> FloatArray:
    """Returns each option's compatibility with all chosen items, `[n, options]`.

    Args:
        world: The rules of compatibility.
        catalogue: The items.
        chosen: Items already in each outfit, `[n, k]`, none of them missing.
        option: Items to judge, `[n, options]`.
    """
    total = np.zeros(option.shape, dtype=np.float32)
    for column in chosen.T:
        total += pair_compatibility(
            world,
            styles=(catalogue.style[column][:, None, :], catalogue.style[option]),
            colours=(catalogue.colour[column][:, None], catalogue.colour[option]),
            occasions=(catalogue.occasion[column][:, None], catalogue.occasion[option]),
        )
    return total


def outfits_table(catalogue: Catalogue, outfits: IntArray, *, first: int) -> pa.Table:
    """Returns the rows of a block of outfits, `first` being the number of those before it."""
    row, place = np.nonzero(outfits != NO_ITEM)
    return pa.table(
        {
            columns.OUTFIT_ID: outfit_ids(first + row + 1),
            columns.ITEM_ID: item_ids(catalogue.item_number[outfits[row, place]]),
            columns.IS_HERO: place == 0,
        },
        schema=arrow_schema(columns.OUTFITS),
    )
