"""Lets the customers of a block shop: page by page, all customers at once.

n customers act in a step, K candidates, P positions on a page, D style dimensions.
"""

from dataclasses import dataclass

import numpy as np

from stylerec.data.synthetic.affinity import Shop, affinity, shop_relevance
from stylerec.data.synthetic.customers import Profiles, Requests
from stylerec.data.synthetic.impressions import (
    EXAMINATION,
    MAX_SLOTS,
    RECIPE,
    RECIPE_LENGTH,
    TOUCHPOINT_WEIGHTS,
    TOUCHPOINTS,
    Asking,
    arrange,
    draw_candidates,
)
from stylerec.data.synthetic.randomness import (
    BoolArray,
    FloatArray,
    IntArray,
    choose,
    gumbel,
    sigmoid,
    unit,
)
from stylerec.data.synthetic.truth import CLICK_THRESHOLD, STYLE_DIM
from stylerec.schema.touchpoints import Touchpoint

NO_ITEM = -1
NUM_RECENT = 24
"""Items a page does not offer again."""
OTHER_DEPARTMENT_RATE = 0.06
KEEP_MISSION, KEEP_MISSION_AFTER_PURCHASE = 0.55, 0.15
MOVE_ON, MOVE_ON_AFTER_BAG = 0.3, 0.85
WALK_STEP = 0.12
SAVE_RATE, BAG_RATE, PURCHASE_RATE = 0.18, 0.22, 0.7

_CATEGORY_PAGE = TOUCHPOINTS.index(Touchpoint.CATEGORY_PAGE)
_NEEDS_LAST_ITEM = np.isin(
    np.arange(len(TOUCHPOINTS)),
    [
        TOUCHPOINTS.index(Touchpoint.YOU_MIGHT_ALSO_LIKE),
        TOUCHPOINTS.index(Touchpoint.PEOPLE_ALSO_BOUGHT),
        TOUCHPOINTS.index(Touchpoint.COMPLETE_THE_LOOK),
    ],
)


@dataclass(frozen=True)
class Pages:
    """What the requests of one block or one step showed. n requests, P positions.

    Attributes:
        request: int64 `[n]`, row of the request.
        mission: int64 `[n]`, what the customer came for: ground truth.
        touchpoint: int64 `[n]`, `NO_ITEM` for a visit straight to an item from outside.
        item: int64 `[n, P]`.
        is_shown: bool `[n, P]`.
        is_clicked: bool `[n, P]`.
        is_saved: bool `[n, P]`, among the clicked.
        is_bagged: bool `[n, P]`, among the clicked.
        is_purchased: bool `[n, P]`, among the bagged.
    """

    request: IntArray
    mission: IntArray
    touchpoint: IntArray
    item: IntArray
    is_shown: BoolArray
    is_clicked: BoolArray
    is_saved: BoolArray
    is_bagged: BoolArray
    is_purchased: BoolArray


class _State:
    """What changes while customers shop; one row per customer of the block."""

    def __init__(self, num_customers: int) -> None:
        self.mission = np.full(num_customers, -1)
        self.department = np.zeros(num_customers, dtype=np.int64)
        self.focus = np.zeros(num_customers, dtype=np.int64)
        self.last_item = np.full(num_customers, NO_ITEM)
        self.recent = np.full((num_customers, NUM_RECENT), NO_ITEM)
        self.num_seen = np.zeros(num_customers, dtype=np.int64)
        self.walk = np.zeros((num_customers, STYLE_DIM), dtype=np.float32)
        self.has_bag = np.zeros(num_customers, dtype=np.bool_)
        self.has_just_bagged = np.zeros(num_customers, dtype=np.bool_)
        self.has_purchased = np.zeros(num_customers, dtype=np.bool_)


def shop_block(shop: Shop, profiles: Profiles, requests: Requests) -> Pages:
    """Returns every page of the block's customers, in order of the requests."""
    state = _State(profiles.num_customers)
    num_requests = np.diff(requests.offsets)
    steps = []
    for step in range(int(num_requests.max())):
        customer = np.flatnonzero(num_requests > step)
        row = requests.offsets[customer] + step
        _begin_sessions(state, profiles, requests, customer, row)
        has_moved = _move_on(state, requests, customer, row)
        steps.append(_visit(shop, state, profiles, requests, customer, row, has_moved))
    order = np.argsort(np.concatenate([page.request for page in steps]), kind="stable")
    return Pages(
        **{
            name: np.concatenate([getattr(page, name) for page in steps])[order]
            for name in Pages.__dataclass_fields__
        }
    )


def _begin_sessions(
    state: _State, profiles: Profiles, requests: Requests, customer: IntArray, row: IntArray
) -> None:
    """Starts sessions: the style takes a small step, the mission stays or switches abruptly."""
    is_start = requests.is_session_start[row]
    customer, row = customer[is_start], row[is_start]
    state.walk[customer] += WALK_STEP * (requests.draw("walk", row) - np.float32(0.5))
    uniform = requests.draw("mission", row)
    keep = np.where(state.has_purchased[customer], KEEP_MISSION_AFTER_PURCHASE, KEEP_MISSION)
    is_new = (state.mission[customer] < 0) | (uniform[:, 0] >= keep)
    state.has_bag[customer] = state.has_just_bagged[customer] = False
    state.has_purchased[customer] = False

    customer, row, uniform = customer[is_new], row[is_new], uniform[is_new, 1]
    weight = profiles.mission_weight[customer].copy()
    has_mission = np.flatnonzero(state.mission[customer] >= 0)
    weight[has_mission, state.mission[customer[has_mission]]] = 0.0
    state.mission[customer] = choose(weight, uniform)
    is_other = requests.draw("department", row)[:, 0] < OTHER_DEPARTMENT_RATE
    state.department[customer] = np.where(
        is_other, 1 - profiles.department[customer], profiles.department[customer]
    )
    state.focus[customer] = 0
    state.last_item[customer] = NO_ITEM


def _move_on(state: _State, requests: Requests, customer: IntArray, row: IntArray) -> BoolArray:
    """Moves some customers on to their mission's next product type; returns which, `[n]`."""
    rate = np.where(state.has_just_bagged[customer], MOVE_ON_AFTER_BAG, MOVE_ON)
    moves = ~requests.is_session_start[row] & (requests.draw("focus", row)[:, 0] < rate)
    length = RECIPE_LENGTH[state.mission[customer], state.department[customer]]
    state.focus[customer] = (state.focus[customer] + moves) % length
    return moves


def _visit(
    shop: Shop,
    state: _State,
    profiles: Profiles,
    requests: Requests,
    customer: IntArray,
    row: IntArray,
    has_moved: BoolArray,
) -> Pages:
    """Shows one page to each of n customers and records what they do with it."""
    is_direct = requests.is_session_start[row]
    style = _style_now(profiles, state, requests, customer, row)
    asking = _asking(shop, state, profiles, requests, customer, row, has_moved, style)
    candidate, can_be_shown = draw_candidates(
        shop.catalogue,
        asking,
        type_draw=requests.draw("candidate_type", row),
        item_draw=requests.draw("candidate", row),
        cell_draw=requests.draw("cell", row),
    )
    wish = affinity(
        shop,
        asking,
        candidate,
        style=style,
        price_level=profiles.price_level[customer],
        thrift=profiles.thrift[customer],
    )
    noise = requests.draw("shop", row)
    column, is_shown = arrange(
        shop_relevance(shop, asking, candidate), can_be_shown, noise, asking.touchpoint
    )
    wanted = np.where(can_be_shown, wish + gumbel(noise), -np.inf).argmax(axis=1)
    column[is_direct, 0] = wanted[is_direct]
    is_shown[is_direct] = False
    is_shown[is_direct, 0] = can_be_shown[is_direct, wanted[is_direct]]
    item = np.take_along_axis(candidate, column, axis=1)
    page = _act(
        requests,
        row,
        item=item,
        is_shown=is_shown,
        affinity=np.take_along_axis(wish, column, axis=1),
        touchpoint=np.where(is_direct, NO_ITEM, asking.touchpoint),
        mission=asking.mission,
    )
    _remember(shop, state, customer, page)
    return page


def _style_now(
    profiles: Profiles, state: _State, requests: Requests, customer: IntArray, row: IntArray
) -> FloatArray:
    """Returns the customers' styles, `[n, D]`: a slow drift plus a random walk over sessions."""
    progress = requests.progress[row][:, None]
    start, end = profiles.style_start[customer], profiles.style_end[customer]
    return unit((1.0 - progress) * start + progress * end + state.walk[customer])


def _asking(
    shop: Shop,
    state: _State,
    profiles: Profiles,
    requests: Requests,
    customer: IntArray,
    row: IntArray,
    has_moved: BoolArray,
    style: FloatArray,
) -> Asking:
    situation = np.where(state.has_bag[customer], 2, np.where(has_moved, 1, 0))
    touchpoint = choose(
        TOUCHPOINT_WEIGHTS[situation], requests.draw("touchpoint", row)[:, 0].astype(np.float64)
    )
    last_item = state.last_item[customer]
    is_unset = requests.is_session_start[row] | ((last_item < 0) & _NEEDS_LAST_ITEM[touchpoint])
    return Asking(
        touchpoint=np.where(is_unset, _CATEGORY_PAGE, touchpoint),
        department=state.department[customer],
        mission=state.mission[customer],
        focus=state.focus[customer],
        last_item=last_item,
        looks=(style @ shop.world.aesthetic.T).argmax(axis=1),
        market=profiles.market[customer],
        time_s=requests.time_s[row],
        recent=state.recent[customer],
    )


def _act(
    requests: Requests,
    row: IntArray,
    *,
    item: IntArray,
    is_shown: BoolArray,
    affinity: FloatArray,
    touchpoint: IntArray,
    mission: IntArray,
) -> Pages:
    """Lets customers examine, click, save, add to bag and buy what a page shows."""
    is_direct = (touchpoint == NO_ITEM)[:, None]
    keenness = sigmoid(affinity - np.float32(CLICK_THRESHOLD))
    is_examined = requests.draw("examine", row) < EXAMINATION[touchpoint]
    is_attractive = requests.draw("click", row) < keenness
    is_clicked = is_shown & (is_direct | (is_examined & is_attractive))
    is_saved = is_clicked & (requests.draw("save", row) < SAVE_RATE * keenness)
    is_bagged = is_clicked & (requests.draw("add_to_bag", row) < BAG_RATE * keenness)
    return Pages(
        request=row,
        mission=mission,
        touchpoint=touchpoint,
        item=item,
        is_shown=is_shown,
        is_clicked=is_clicked,
        is_saved=is_saved,
        is_bagged=is_bagged,
        is_purchased=is_bagged & (requests.draw("purchase", row) < PURCHASE_RATE * keenness),
    )


def _remember(shop: Shop, state: _State, customer: IntArray, page: Pages) -> None:
    """Updates what the customers saw last, what is in their bag and what they are after."""
    state.has_just_bagged[customer] = page.is_bagged.any(axis=1)
    state.has_bag[customer] |= state.has_just_bagged[customer]
    state.has_purchased[customer] |= page.is_purchased.any(axis=1)

    acting, position = np.nonzero(page.is_clicked)
    order = np.cumsum(page.is_clicked, axis=1)[acting, position] - 1
    seen_by = customer[acting]
    ring = (state.num_seen[seen_by] + order) % NUM_RECENT
    state.recent[seen_by, ring] = page.item[acting, position]
    state.num_seen[customer] += page.is_clicked.sum(axis=1)

    has_clicked = page.is_clicked.any(axis=1)
    last_position = MAX_SLOTS - 1 - page.is_clicked[:, ::-1].argmax(axis=1)
    last_item = page.item[np.arange(len(page.item)), last_position][has_clicked]
    customer = customer[has_clicked]
    state.last_item[customer] = last_item
    recipe = RECIPE[state.mission[customer], state.department[customer]]
    is_place = recipe == shop.catalogue.product_type[last_item][:, None]
    state.focus[customer] = np.where(
        is_place.any(axis=1), is_place.argmax(axis=1), state.focus[customer]
    )
