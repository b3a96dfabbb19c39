"""Draws the items: attributes, styles, prices, sales, stock, launches, popularity.

The arrays are sorted by department, product type and aesthetic, so that a pool (all items of a
department and type) and a cell (the pool's items of one aesthetic) are contiguous ranges.
V items, D style dimensions, A aesthetics, G pools.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stylerec.data.synthetic.assortment import (
    COLOURS,
    DEPARTMENTS,
    METALS,
    MISSIONS,
    OCCASIONS,
    PATTERNS,
    PRODUCT_TYPES,
)
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.randomness import (
    BoolArray,
    Float64Array,
    FloatArray,
    IntArray,
    Stream,
    choose,
    generator,
    unit,
)
from stylerec.data.synthetic.truth import STYLE_DIM, World
from stylerec.data.synthetic.wording import AESTHETICS, BRANDS

NUM_TYPES = len(PRODUCT_TYPES)
NUM_AESTHETICS = len(AESTHETICS)
NUM_POOLS = len(DEPARTMENTS) * NUM_TYPES
NUM_NEIGHBOURS = 12
SECONDS_PER_DAY = 86_400
NEVER_S = 2**62
_NEIGHBOUR_BLOCK = 1_024


@dataclass(frozen=True)
class Catalogue:
    """All items, sorted by pool and cell.

    Attributes:
        department: int64 `[V]`.
        product_type: int64 `[V]`.
        aesthetic: int64 `[V]`.
        brand: int64 `[V]`.
        colour: int64 `[V]`.
        pattern: int64 `[V]`.
        occasion: int64 `[V]`.
        style: float32 `[V, D]`, unit length.
        price: float64 `[V]`, full price in GBP.
        sale_price: float64 `[V]`, lower price while the item is on sale.
        sale_from_s: int64 `[V]`, unix seconds; `NEVER_S` for items that are never reduced.
        launch_s: int64 `[V]`, unix seconds; nobody sees the item before.
        sold_out_s: int64 `[V]`, unix seconds; nobody sees it after. `NEVER_S` for most.
        is_sold_in: bool `[V, num_markets]`.
        appeal: float64 `[V]`, popularity weight, long-tailed.
        cumulative_appeal: float64 `[V + 1]`, for weighted draws from a range.
        pool_start: int64 `[G + 1]`; pool `department * NUM_TYPES + product_type`.
        cell_start: int64 `[G * A + 1]`; cell `pool * A + aesthetic`.
        neighbour: int64 `[V, NUM_NEIGHBOURS]`, nearest styles in the pool, the item itself to pad.
        item_number: int64 `[V]`, number in the item's id, in order of launch.
    """

    department: IntArray
    product_type: IntArray
    aesthetic: IntArray
    brand: IntArray
    colour: IntArray
    pattern: IntArray
    occasion: IntArray
    style: FloatArray
    price: Float64Array
    sale_price: Float64Array
    sale_from_s: IntArray
    launch_s: IntArray
    sold_out_s: IntArray
    is_sold_in: BoolArray
    appeal: Float64Array
    cumulative_appeal: Float64Array
    pool_start: IntArray
    cell_start: IntArray
    neighbour: IntArray
    item_number: IntArray

    @property
    def num_items(self) -> int:
        """V."""
        return len(self.price)

    def price_at(self, item: IntArray, time_s: IntArray) -> Float64Array:
        """Returns what items cost at given times, in GBP; the arguments broadcast."""
        return np.where(time_s >= self.sale_from_s[item], self.sale_price[item], self.price[item])


def end_s(config: SyntheticConfig) -> int:
    """Returns the end of the logged period, 00:00 UTC of `config.end`, in unix seconds."""
    return int(datetime.combine(config.end, time(0), UTC).timestamp())


def draw_catalogue(world: World, config: SyntheticConfig) -> Catalogue:
    """Returns the items of a seed."""
    rng = generator(config.seed, Stream.CATALOGUE)
    department, product_type = _shared_out(config.num_items)
    brand, aesthetic = _brands(world, department, rng)
    pool = department * NUM_TYPES + product_type
    order = np.lexsort((np.arange(len(pool)), aesthetic, pool))
    department, product_type, pool = department[order], product_type[order], pool[order]
    brand, aesthetic = brand[order], aesthetic[order]
    colour = _colours(product_type, aesthetic, rng)
    pattern = _patterns(product_type, aesthetic, rng)
    style = _styles(world, department, aesthetic, brand, colour, pattern, rng)
    appeal = np.exp(rng.normal(0.0, 1.0, config.num_items))
    pool_start = np.searchsorted(pool, np.arange(NUM_POOLS + 1))
    cell = pool * NUM_AESTHETICS + aesthetic
    price, sale_price = _prices(world, product_type, brand, rng)
    launch_s, sale_from_s, sold_out_s = _lives(config, rng)
    return Catalogue(
        department=department,
        product_type=product_type,
        aesthetic=aesthetic,
        brand=brand,
        colour=colour,
        pattern=pattern,
        occasion=_occasions(world, product_type, style, rng),
        style=style,
        price=price,
        sale_price=sale_price,
        launch_s=launch_s,
        sale_from_s=sale_from_s,
        sold_out_s=sold_out_s,
        is_sold_in=_markets(config, rng),
        appeal=appeal,
        cumulative_appeal=np.concatenate([[0.0], np.cumsum(appeal)]),
        pool_start=pool_start,
        cell_start=np.searchsorted(cell, np.arange(NUM_POOLS * NUM_AESTHETICS + 1)),
        neighbour=_neighbours(style, pool_start),
        item_number=np.argsort(np.argsort(launch_s, kind="stable"), kind="stable") + 1,
    )


def _shared_out(num_items: int) -> tuple[IntArray, IntArray]:
    """Returns department and product type of every item: shares by type, two of each at least."""
    share = np.array(
        [
            [kind.share if name in kind.departments else 0.0 for kind in PRODUCT_TYPES]
            for name in DEPARTMENTS
        ]
    ) * np.array([[1.2], [0.9]])
    share = share.ravel() / share.sum()
    spare = num_items - 2 * int((share > 0).sum())
    exact = share * spare
    count = np.floor(exact).astype(np.int64) + 2 * (share > 0)
    largest_rest = np.argsort(-(exact - np.floor(exact)), kind="stable")
    count[largest_rest[: num_items - int(count.sum())]] += 1
    pool = np.repeat(np.arange(NUM_POOLS), count)
    return pool // NUM_TYPES, pool % NUM_TYPES


def _brands(
    world: World, department: IntArray, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Returns brand and aesthetic: mostly the brand's main one, sometimes any."""
    size = np.exp(-0.06 * np.arange(len(BRANDS)))
    brand = choose(world.brand_departments.T[department] * size, rng.random(len(department)))
    draw = rng.random(len(department))
    anything = rng.integers(0, NUM_AESTHETICS, len(department))
    look = world.brand_look[brand]
    return brand, np.where(draw < 0.65, look[:, 0], np.where(draw < 0.9, look[:, 1], anything))


def _favoured_weights(names: tuple[str, ...], kind: str) -> Float64Array:
    """Returns `[A, len(names)]` weights: an aesthetic's favourites count most."""
    weights = np.full((NUM_AESTHETICS, len(names)), 0.06)
    for row, look in zip(weights, AESTHETICS, strict=True):
        for place, value in enumerate(getattr(look, kind)):
            row[names.index(value)] += 0.75**place
    return weights


def _colours(product_type: IntArray, aesthetic: IntArray, rng: np.random.Generator) -> IntArray:
    names = tuple(COLOURS)
    is_metal = np.array([name in METALS for name in names])
    weights = _favoured_weights(names, "colours")[aesthetic]
    of_metal = np.array([kind.is_metal for kind in PRODUCT_TYPES])[product_type]
    return choose(
        np.where(of_metal[:, None], is_metal * 1.0, weights * ~is_metal), rng.random(len(weights))
    )


def _patterns(product_type: IntArray, aesthetic: IntArray, rng: np.random.Generator) -> IntArray:
    drawn = choose(_favoured_weights(PATTERNS, "patterns")[aesthetic], rng.random(len(aesthetic)))
    has_pattern = np.array([kind.has_pattern for kind in PRODUCT_TYPES])[product_type]
    return np.where(has_pattern, drawn, PATTERNS.index("plain"))


def _styles(
    world: World,
    department: IntArray,
    aesthetic: IntArray,
    brand: IntArray,
    colour: IntArray,
    pattern: IntArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Returns what an item's attributes say of its style, and a part that is its own alone."""
    own = rng.normal(0.0, STYLE_DIM**-0.5, (len(brand), STYLE_DIM))
    return unit(
        0.9 * world.aesthetic[aesthetic]
        + 0.5 * world.brand[brand]
        + 0.5 * world.colour[colour]
        + 0.4 * world.pattern[pattern]
        + 0.2 * world.department[department]
        + 0.6 * own
    )


def _occasions(
    world: World, product_type: IntArray, style: FloatArray, rng: np.random.Generator
) -> IntArray:
    """Returns what each item is made for: an occasion of its type that suits its style."""
    suits = np.zeros((NUM_TYPES, len(OCCASIONS)))
    suits[:, OCCASIONS.index("everyday")] = 0.5
    for mission in MISSIONS:
        for number, kind in enumerate(PRODUCT_TYPES):
            if any(kind.name in recipe for recipe in mission.recipes):
                suits[number, OCCASIONS.index(mission.occasion)] = 1.0
    return choose(
        suits[product_type] * np.exp(4.0 * (style @ world.occasion.T).astype(np.float64)),
        rng.random(len(style)),
    )


def _prices(
    world: World, product_type: IntArray, brand: IntArray, rng: np.random.Generator
) -> tuple[Float64Array, Float64Array]:
    """Returns full and reduced prices, ending in .00, .50 or .99."""
    median = np.array([kind.price_gbp for kind in PRODUCT_TYPES])[product_type]
    raw = median * world.brand_price[brand] * np.exp(rng.normal(0.0, 0.25, len(brand)))
    endings = np.array([0.0, 0.5, 0.99])
    price = np.maximum(np.floor(raw), 3.0) + endings[rng.integers(0, 3, len(raw))]
    cut = np.array([0.8, 0.7, 0.6, 0.5])[rng.integers(0, 4, len(raw))]
    return price, np.round(price * cut, 2)


def _lives(
    config: SyntheticConfig, rng: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray]:
    """Returns launch, start of the sale and time of selling out, in unix seconds."""
    end, count = end_s(config), config.num_items
    start = end - config.num_days * SECONDS_PER_DAY
    is_new = rng.random(count) < 0.35
    # Newest launches fall days before the end, so some items have hardly any interaction yet.
    inside = start + rng.random(count) ** 0.8 * config.num_days * SECONDS_PER_DAY
    before = start - rng.random(count) * 400 * SECONDS_PER_DAY
    launch = (np.where(is_new, inside, before) // 3_600 * 3_600).astype(np.int64)
    reduced_after = rng.uniform(60, 500, count) * SECONDS_PER_DAY
    is_reduced = rng.random(count) < 0.5
    sale_from = (launch + reduced_after).astype(np.int64)
    sold_out_before = (rng.random(count) ** 2 * config.num_days / 2 * SECONDS_PER_DAY).astype(
        np.int64
    )
    is_sold_out = (rng.random(count) < 0.06) & (end - sold_out_before > launch)
    return (
        launch,
        np.where(is_reduced & (sale_from < end), sale_from, NEVER_S),
        np.where(is_sold_out, end - sold_out_before, NEVER_S),
    )


def _markets(config: SyntheticConfig, rng: np.random.Generator) -> BoolArray:
    """Returns where items are sold: the first market has all, each other about 85 %."""
    sold = rng.random((config.num_items, len(config.markets))) < 0.85
    sold[:, 0] = True
    return sold


def _neighbours(style: FloatArray, pool_start: IntArray) -> IntArray:
    """Returns each item's nearest styles within its pool, best first, `[V, NUM_NEIGHBOURS]`."""
    nearest = np.repeat(np.arange(len(style))[:, None], NUM_NEIGHBOURS, axis=1)
    for first, last in pairwise(pool_start.tolist()):
        width = min(NUM_NEIGHBOURS, last - first - 1)
        for begin in range(first, last, _NEIGHBOUR_BLOCK):
            rows: NDArray[np.int64] = np.arange(begin, min(begin + _NEIGHBOUR_BLOCK, last))
            closeness = style[rows] @ style[first:last].T
            closeness[np.arange(len(rows)), rows - first] = -np.inf
            best = np.sort(np.argpartition(-closeness, width - 1, axis=1)[:, :width], axis=1)
            order = np.argsort(-np.take_along_axis(closeness, best, axis=1), axis=1, kind="stable")
            nearest[rows, :width] = np.take_along_axis(best, order, axis=1) + first
    return nearest
