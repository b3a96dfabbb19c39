"""Lets the customers of a block shop: page by page, all customers at once.

n customers act in a step, K candidates, P positions on a page, D style dimensions.
"""

from dataclasses import dataclass

import numpy as np

from stylerec.data.synthetic.affinity import Shop, affinity, shop_relevance
from stylerec.data.synthetic.customers import MAX_SLOTS, Profiles, Requests
from stylerec.data.synthetic.impressions import (
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
    Float64Array,
    FloatArray,
    IntArray,
    choose,
    gumbel,
    sigmoid,
    unit,
)
from stylerec.data.synthetic.truth import STYLE_DIM
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
        is_attractive: bool `[n, P]`, what would be clicked if all were looked at: ground truth.
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
    is_attractive: BoolArray
    is_clicked: BoolArray
    is_saved: BoolArray
    is_bagged: BoolArray
    is_purchased: BoolArray


class _State:
    """Who shops, and what changes meanwhile; one row per customer of the block."""

    def __init__(self, profiles: Profiles, requests: Requests) -> None:
        self.profiles, self.requests = profiles, requests
        num_customers = profiles.num_customers
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


@dataclass(frozen=True)
class _Turn:
    """The customers who act in one step: rows of the block and of the requests, `[n]` each."""

    customer: IntArray
    request: IntArray
    is_session_start: BoolArray


def shop_block(shop: Shop, profiles: Profiles, requests: Requests) -> Pages:
    """Returns every page of the block's customers, in order of the requests."""
    state = _State(profiles, requests)
    num_requests = np.diff(requests.offsets)
    steps = []
    for step in range(int(num_requests.max())):
        customer = np.flatnonzero(num_requests > step)
        request = requests.offsets[customer] + step
        turn = _Turn(customer, request, requests.is_session_start[request])
        _begin_sessions(state, turn)
        steps.append(_visit(shop, state, turn, has_moved=_move_on(state, turn)))
    order = np.argsort(np.concatenate([page.request for page in steps]), kind="stable")
    return Pages(
        **{
            name: np.concatenate([getattr(page, name) for page in steps])[order]
            for name in Pages.__dataclass_fields__
        }
    )


def _begin_sessions(state: _State, turn: _Turn) -> None:
    """Starts sessions: the style takes a small step, the mission stays or switches abruptly."""
    customer, row = turn.customer[turn.is_session_start], turn.request[turn.is_session_start]
    state.walk[customer] += WALK_STEP * (state.requests.draw("walk", row) - np.float32(0.5))
    uniform = state.requests.draw("mission", row)
    keep = np.where(state.has_purchased[customer], KEEP_MISSION_AFTER_PURCHASE, KEEP_MISSION)
    is_new = (state.mission[customer] < 0) | (uniform[:, 0] >= keep)
    state.has_bag[customer] = state.has_just_bagged[customer] = False
    state.has_purchased[customer] = False
    _begin_missions(state, customer[is_new], row[is_new], uniform[is_new, 1])


def _begin_missions(state: _State, customer: IntArray, row: IntArray, uniform: FloatArray) -> None:
    """Gives customers another mission, mostly in their own department, and a fresh start in it."""
    weight = state.profiles.mission_weight[customer].copy()
    has_mission = np.flatnonzero(state.mission[customer] >= 0)
    weight[has_mission, state.mission[customer[has_mission]]] = 0.0
    state.mission[customer] = choose(weight, uniform)
    own = state.profiles.department[customer]
    is_other = state.requests.draw("department", row)[:, 0] < OTHER_DEPARTMENT_RATE
    state.department[customer] = np.where(is_other, 1 - own, own)
    state.focus[customer] = 0
    state.last_item[customer] = NO_ITEM


def _move_on(state: _State, turn: _Turn) -> BoolArray:
    """Moves some customers on to their mission's next product type; returns which, `[n]`."""
    customer = turn.customer
    rate = np.where(state.has_just_bagged[customer], MOVE_ON_AFTER_BAG, MOVE_ON)
    moves = state.requests.draw("focus", turn.request)[:, 0] < rate
    moves &= ~turn.is_session_start
    length = RECIPE_LENGTH[state.mission[customer], state.department[customer]]
    state.focus[customer] = (state.focus[customer] + moves) % length
    return moves


def _visit(shop: Shop, state: _State, turn: _Turn, *, has_moved: BoolArray) -> Pages:
    """Shows one page to each of n customers and records what they do with it."""
    style = _style_now(state, turn)
    asking = _asking(shop, state, turn, has_moved=has_moved, style=style)
    requests, row = state.requests, turn.request
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
        price_level=state.profiles.price_level[turn.customer],
        thrift=state.profiles.thrift[turn.customer],
    )
    noise = requests.draw("shop", row)
    relevance = shop_relevance(shop, asking, candidate)
    column, is_shown = arrange(relevance, can_be_shown, noise, asking.touchpoint)
    _go_straight(column, is_shown, turn.is_session_start, can_be_shown, wish + gumbel(noise))
    page = _act(
        requests,
        row,
        item=np.take_along_axis(candidate, column, axis=1),
        is_shown=is_shown,
        wish=np.take_along_axis(wish, column, axis=1),
        touchpoint=np.where(turn.is_session_start, NO_ITEM, asking.touchpoint),
        mission=asking.mission,
        examination=shop.examination,
        click_threshold=shop.click_threshold,
    )
    _remember(shop, state, turn.customer, page)
    return page


def _go_straight(
    column: IntArray,
    is_shown: BoolArray,
    is_direct: BoolArray,
    can_be_shown: BoolArray,
    noisy_wish: FloatArray,
) -> None:
    """Replaces the page of those who come from outside by the one item they come for, in place."""
    wanted = np.where(can_be_shown, noisy_wish, -np.inf).argmax(axis=1)[is_direct]
    column[is_direct, 0] = wanted
    is_shown[is_direct] = False
    is_shown[is_direct, 0] = can_be_shown[is_direct, wanted]


def _style_now(state: _State, turn: _Turn) -> FloatArray:
    """Returns the customers' styles, `[n, D]`: a slow drift plus a random walk over sessions."""
    progress = state.requests.progress[turn.request][:, None]
    start = state.profiles.style_start[turn.customer]
    end = state.profiles.style_end[turn.customer]
    return unit((1.0 - progress) * start + progress * end + state.walk[turn.customer])


def _asking(
    shop: Shop, state: _State, turn: _Turn, *, has_moved: BoolArray, style: FloatArray
) -> Asking:
    """Returns where the customers meet the shop now, and what it can know about them."""
    customer = turn.customer
    situation = np.where(state.has_bag[customer], 2, np.where(has_moved, 1, 0))
    uniform = state.requests.draw("touchpoint", turn.request)[:, 0]
    touchpoint = choose(TOUCHPOINT_WEIGHTS[situation], uniform)
    last_item = state.last_item[customer]
    is_unset = turn.is_session_start | ((last_item < 0) & _NEEDS_LAST_ITEM[touchpoint])
    return Asking(
        touchpoint=np.where(is_unset, _CATEGORY_PAGE, touchpoint),
        department=state.department[customer],
        mission=state.mission[customer],
        focus=state.focus[customer],
        last_item=last_item,
        looks=(style @ shop.world.aesthetic.T).argmax(axis=1),
        market=state.profiles.market[customer],
        time_s=state.requests.time_s[turn.request],
        recent=state.recent[customer],
    )


def _act(
    requests: Requests,
    row: IntArray,
    *,
    item: IntArray,
    is_shown: BoolArray,
    wish: FloatArray,
    touchpoint: IntArray,
    mission: IntArray,
    examination: Float64Array,
    click_threshold: float,
) -> Pages:
    """Lets customers examine, click, save, add to bag and buy what a page shows."""
    is_direct = (touchpoint == NO_ITEM)[:, None]
    keenness = sigmoid(wish - np.float32(click_threshold))
    is_examined = requests.draw("examine", row) < examination[touchpoint]
    is_attractive = is_shown & (is_direct | (requests.draw("click", row) < keenness))
    is_clicked = is_attractive & (is_direct | is_examined)
    is_saved = is_clicked & (requests.draw("save", row) < SAVE_RATE * keenness)
    is_bagged = is_clicked & (requests.draw("add_to_bag", row) < BAG_RATE * keenness)
    return Pages(
        request=row,
        mission=mission,
        touchpoint=touchpoint,
        item=item,
        is_shown=is_shown,
        is_attractive=is_attractive,
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
