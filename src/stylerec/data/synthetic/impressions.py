"""What the shop shows: touchpoints, candidates, the order on the page, and who looks how far.

n is the number of requests handled at once, K candidates, P positions on a page.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stylerec.data.synthetic.assortment import (
    LITTLE_EXTRAS,
    MISSIONS,
    TYPE_INDEX,
)
from stylerec.data.synthetic.catalogue import NUM_AESTHETICS, NUM_NEIGHBOURS, NUM_TYPES, Catalogue
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.customers import MAX_SLOTS, NUM_CANDIDATES
from stylerec.data.synthetic.randomness import (
    BoolArray,
    Float64Array,
    FloatArray,
    IntArray,
    gumbel,
)
from stylerec.schema.touchpoints import Touchpoint

TOUCHPOINTS = tuple(Touchpoint)
LITTLE_EXTRA = TOUCHPOINTS.index(Touchpoint.LITTLE_SOMETHING_EXTRA)


@dataclass(frozen=True)
class _Surface:
    """Slots of a touchpoint, how fast attention fades along them, and how often it is used.

    The last three are the weights of the touchpoint while the customer stays with a product type,
    right after they move on to the next one, and once there is something in the bag.
    """

    slots: int
    fading: float
    staying: float
    moving: float
    with_bag: float


_SURFACES = {
    Touchpoint.CATEGORY_PAGE: _Surface(16, 0.35, 0.40, 0.35, 0.25),
    Touchpoint.SEARCH_PAGE: _Surface(16, 0.45, 0.20, 0.15, 0.10),
    Touchpoint.YOU_MIGHT_ALSO_LIKE: _Surface(16, 0.60, 0.25, 0.0, 0.10),
    Touchpoint.PEOPLE_ALSO_BOUGHT: _Surface(8, 0.70, 0.0, 0.20, 0.15),
    Touchpoint.LITTLE_SOMETHING_EXTRA: _Surface(6, 0.80, 0.0, 0.0, 0.25),
    Touchpoint.FOR_YOU: _Surface(12, 0.55, 0.15, 0.0, 0.0),
    Touchpoint.COMPLETE_THE_LOOK: _Surface(5, 0.50, 0.0, 0.30, 0.15),
}
SLOTS = np.array([_SURFACES[touchpoint].slots for touchpoint in TOUCHPOINTS])

EXAMINATION = np.array(
    [
        [
            round((1.0 + place) ** -_SURFACES[touchpoint].fading, 6)
            if place < _SURFACES[touchpoint].slots
            else 0.0
            for place in range(MAX_SLOTS)
        ]
        for touchpoint in TOUCHPOINTS
    ]
)
"""Probability that a position is looked at, float64 `[touchpoints, P]`: (1 + position)^-fading.

The position-based click model: clicked = examined and attractive
(Craswell et al., An Experimental Comparison of Click Position-Bias Models, 2008, section 3).
"""


def examination(config: SyntheticConfig) -> Float64Array:
    """Returns a retailer's `EXAMINATION`, float64 `[touchpoints, P]`."""
    is_slot = np.arange(MAX_SLOTS) < SLOTS[:, None]
    return np.where(is_slot, EXAMINATION**config.position_bias, 0.0)


TOUCHPOINT_WEIGHTS = np.array(
    [
        [getattr(_SURFACES[touchpoint], state) for touchpoint in TOUCHPOINTS]
        for state in ("staying", "moving", "with_bag")
    ]
)

_IS_MIXED = np.isin(
    np.arange(len(TOUCHPOINTS)),
    [
        TOUCHPOINTS.index(touchpoint)
        for touchpoint in (
            Touchpoint.PEOPLE_ALSO_BOUGHT,
            Touchpoint.FOR_YOU,
            Touchpoint.COMPLETE_THE_LOOK,
        )
    ],
)
"""Touchpoints that show several product types at once."""

MAX_RECIPE = 4
RECIPE_LENGTH = np.array([[len(recipe) for recipe in mission.recipes] for mission in MISSIONS])
RECIPE = np.array(
    [
        [
            [TYPE_INDEX[recipe[place % len(recipe)]] for place in range(MAX_RECIPE)]
            for recipe in mission.recipes
        ]
        for mission in MISSIONS
    ]
)
"""Product types of each mission and department in shopping order, `[M, departments, 4]`."""
_EXTRAS = np.array([TYPE_INDEX[name] for name in LITTLE_EXTRAS])

_FROM_POOL = 12
"""The first candidates are the pool's popular items, the next suit the customer."""
_NEIGHBOUR_FROM = 20
"""From here on they are like the last item."""
_MIXED_FOCUS_SHARE = 0.4


@dataclass(frozen=True)
class Asking:
    """Who asks for a page and what the shop knows; one row per request.

    Attributes:
        touchpoint: int64 `[n]`.
        department: int64 `[n]`.
        mission: int64 `[n]`.
        focus: int64 `[n]`, place in the mission's recipe.
        last_item: int64 `[n]`, -1 before the first.
        looks: int64 `[n]`, the aesthetic nearest to the customer.
        market: int64 `[n]`.
        time_s: int64 `[n]`.
        recent: int64 `[n, R]`, items seen lately, not offered again; -1 for none.
    """

    touchpoint: IntArray
    department: IntArray
    mission: IntArray
    focus: IntArray
    last_item: IntArray
    looks: IntArray
    market: IntArray
    time_s: IntArray
    recent: IntArray


def draw_candidates(
    catalogue: Catalogue,
    asking: Asking,
    *,
    type_draw: FloatArray,
    item_draw: FloatArray,
    cell_draw: FloatArray,
) -> tuple[IntArray, BoolArray]:
    """Returns K items per request, `[n, K]`, and which of them can be shown (no repeats either)."""
    product_type = _candidate_types(asking, type_draw)
    pool = asking.department[:, None] * NUM_TYPES + product_type
    cell = pool * NUM_AESTHETICS + _candidate_looks(catalogue, asking, cell_draw)
    start, stop = catalogue.cell_start[cell], catalogue.cell_start[cell + 1]
    is_pool = (np.arange(NUM_CANDIDATES) < _FROM_POOL) | (start == stop)
    start = np.where(is_pool, catalogue.pool_start[pool], start)
    stop = np.where(is_pool, catalogue.pool_start[pool + 1], stop)
    item = _weighted_item(catalogue, start, stop, item_draw)

    last = np.maximum(asking.last_item, 0)
    is_near = (np.arange(NUM_CANDIDATES) >= _NEIGHBOUR_FROM) & (asking.last_item >= 0)[:, None]
    is_near &= product_type == catalogue.product_type[last][:, None]
    is_near &= asking.department[:, None] == catalogue.department[last][:, None]
    rank = (item_draw * NUM_NEIGHBOURS).astype(np.int64)
    item = np.where(is_near, catalogue.neighbour[last[:, None], rank], item)
    return item, _can_be_shown(catalogue, asking, item)


def _candidate_types(asking: Asking, draw: FloatArray) -> IntArray:
    """Returns the product type each candidate is drawn from, `[n, K]`."""
    length = RECIPE_LENGTH[asking.mission, asking.department][:, None]
    spread = np.maximum(draw - _MIXED_FOCUS_SHARE, 0.0) / (1.0 - _MIXED_FOCUS_SHARE)
    step = np.where(_IS_MIXED[asking.touchpoint][:, None], (spread * length).astype(np.int64), 0)
    place = (asking.focus[:, None] + step) % length
    wanted = RECIPE[asking.mission[:, None], asking.department[:, None], place]
    extra = _EXTRAS[(draw * len(_EXTRAS)).astype(np.int64)]
    return np.where((asking.touchpoint == LITTLE_EXTRA)[:, None], extra, wanted)


def _candidate_looks(catalogue: Catalogue, asking: Asking, draw: FloatArray) -> IntArray:
    """Returns the aesthetic each candidate is drawn from: the last item's, the customer's, any."""
    last = np.maximum(asking.last_item, 0)
    near = np.where(asking.last_item >= 0, catalogue.aesthetic[last], asking.looks)
    anything = (draw * 4.0 % 1.0 * NUM_AESTHETICS).astype(np.int64)
    own = np.where(
        np.arange(NUM_CANDIDATES) < _NEIGHBOUR_FROM, asking.looks[:, None], near[:, None]
    )
    return np.where(draw < 0.25, anything, own)


def _weighted_item(
    catalogue: Catalogue, start: IntArray, stop: IntArray, draw: FloatArray
) -> IntArray:
    """Returns one item of each range, drawn in proportion to its appeal."""
    low, high = catalogue.cumulative_appeal[start], catalogue.cumulative_appeal[stop]
    found = np.searchsorted(catalogue.cumulative_appeal, low + draw * (high - low), side="right")
    return np.clip(found - 1, start, stop - 1)


def _can_be_shown(catalogue: Catalogue, asking: Asking, item: IntArray) -> BoolArray:
    """Returns which candidates are on sale there and then, new to the customer, and no repeat."""
    time_s = asking.time_s[:, None]
    shown: NDArray[np.bool_] = catalogue.is_sold_in[item, asking.market[:, None]]
    shown = shown & (catalogue.launch_s[item] <= time_s) & (time_s < catalogue.sold_out_s[item])
    shown &= ~(item[:, :, None] == asking.recent[:, None, :]).any(axis=2)
    order = np.argsort(item, axis=1, kind="stable")
    ordered = np.take_along_axis(item, order, axis=1)
    is_repeat = np.zeros(item.shape, dtype=np.bool_)
    np.put_along_axis(is_repeat, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    return shown & ~is_repeat


def arrange(
    relevance: FloatArray, can_be_shown: BoolArray, draw: FloatArray, touchpoint: IntArray
) -> tuple[IntArray, BoolArray]:
    """Returns the candidates on the page, best first, `[n, P]` columns of K, and which are real.

    The shop ranks by its own idea of relevance `[n, K]` plus noise, so positions are neither
    random nor perfect: position and attractiveness are confounded, as in a real log.
    """
    score = np.where(can_be_shown, relevance + gumbel(draw), -np.inf)
    column = np.argsort(-score, axis=1, kind="stable")[:, :MAX_SLOTS]
    is_shown = np.take_along_axis(can_be_shown, column, axis=1)
    return column, is_shown & (np.arange(MAX_SLOTS) < SLOTS[touchpoint][:, None])
