"""Draws customers, one random stream each: who they are, how their style drifts, when they come.

A customer's draws depend on the seed and their number alone, so neither the block they are computed
in nor the number of other customers changes them. B customers of a block, N their page requests.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stylerec.data.synthetic.assortment import MISSIONS
from stylerec.data.synthetic.catalogue import NUM_AESTHETICS, SECONDS_PER_DAY, end_s
from stylerec.data.synthetic.config import LATEST_JOIN, SyntheticConfig
from stylerec.data.synthetic.randomness import (
    Float64Array,
    FloatArray,
    IntArray,
    Stream,
    choose,
    generator,
    unit,
)
from stylerec.data.synthetic.truth import STYLE_DIM, World

NUM_CANDIDATES = 32
"""Items a page is put together from."""
MAX_SLOTS = 16
"""Most items on a page."""
MAX_REQUESTS_PER_SESSION = 12
NEW_SESSION_RATE = 0.3

REQUEST_S = 180
"""Shortest time between two requests of a session; all clicks on a page fall into it."""
_MAX_BROWSING_S = 240
CHECKOUT_S = 120
PAUSE_S = 1_800

_PROFILE = {
    "activity": 1, "market": 1, "department": 1, "join": 1, "looks": 3, "blend": 2,
    "price_level": 2, "thrift": 1, "personal": 2 * STYLE_DIM,
}  # fmt: skip
_REQUEST = {
    "session": 1, "gap": 1, "start": 1, "mission": 2, "department": 1, "walk": STYLE_DIM,
    "focus": 2, "touchpoint": 1, "candidate_type": NUM_CANDIDATES, "candidate": NUM_CANDIDATES,
    "cell": NUM_CANDIDATES, "shop": NUM_CANDIDATES, "examine": MAX_SLOTS, "click": MAX_SLOTS,
    "save": MAX_SLOTS, "add_to_bag": MAX_SLOTS, "purchase": MAX_SLOTS, "logged": 1,
}  # fmt: skip


def _slices(widths: dict[str, int]) -> dict[str, slice]:
    """Returns where each kind of draw lies in a row of draws."""
    ends = np.cumsum(list(widths.values()))
    return {
        name: slice(int(end) - width, int(end))
        for (name, width), end in zip(widths.items(), ends, strict=True)
    }


_PROFILE_SLICES = _slices(_PROFILE)
_REQUEST_SLICES = _slices(_REQUEST)


@dataclass(frozen=True)
class Profiles:
    """Who the customers of a block are; rows in order of their number.

    Attributes:
        first: Number of the first customer.
        market: int64 `[B]`, index into `config.markets`.
        department: int64 `[B]`, the one they mostly shop in.
        style_start: float32 `[B, D]`, style when they join.
        style_end: float32 `[B, D]`, where their style drifts to by the end of the period.
        price_level: float64 `[B]`, preferred log factor on a type's median price.
        thrift: float64 `[B]`, 0 to 1, how much a reduced price attracts.
        mission_weight: float64 `[B, M]`, how readily each mission comes up.
    """

    first: int
    market: IntArray
    department: IntArray
    style_start: FloatArray
    style_end: FloatArray
    price_level: Float64Array
    thrift: Float64Array
    mission_weight: Float64Array

    @property
    def num_customers(self) -> int:
        """B."""
        return len(self.market)


@dataclass(frozen=True)
class Requests:
    """When the customers of a block ask for pages; customer b owns rows offsets[b] to offsets[b+1].

    Attributes:
        offsets: int64 `[B + 1]`.
        customer: int64 `[N]`, row of the customer in the block.
        session: int64 `[N]`, number of the customer's session, from 0.
        is_session_start: bool `[N]`.
        time_s: int64 `[N]`, unix seconds.
        session_end_s: int64 `[N]`, when the session's checkout can begin.
        progress: float64 `[N]`, 0 when the customer joined to 1 at the end of the period.
        draws: float32 `[N, W]`, uniforms in [0, 1), read by `draw`.
    """

    offsets: IntArray
    customer: IntArray
    session: IntArray
    is_session_start: NDArray[np.bool_]
    time_s: IntArray
    session_end_s: IntArray
    progress: Float64Array
    draws: FloatArray

    def draw(self, name: str, rows: IntArray) -> FloatArray:
        """Returns the uniforms of one kind for the given requests, `[n, width of that kind]`."""
        return self.draws[rows, _REQUEST_SLICES[name]]


def draw_customers(
    world: World, config: SyntheticConfig, *, first: int, count: int
) -> tuple[Profiles, Requests]:
    """Returns `count` customers from number `first` on, and their page requests."""
    profile = np.empty((count, sum(_PROFILE.values())))
    requests: list[FloatArray] = []
    num_draws = sum(_REQUEST.values())
    for row in range(count):
        rng = generator(config.seed, Stream.CUSTOMER, first + row)
        profile[row] = rng.random(profile.shape[1])
        num_requests = _num_requests(config, float(profile[row, 0]))
        requests.append(rng.random((num_requests, num_draws), dtype=np.float32))
    join = LATEST_JOIN * np.maximum(0.0, profile[:, _PROFILE_SLICES["join"]][:, 0] * 2.0 - 1.0)
    profiles = _profiles(world, config, profile, first=first)
    return profiles, _schedule(config, join, requests)


def _num_requests(config: SyntheticConfig, uniform: float) -> int:
    """Returns a customer's number of requests: Weibull with shape 0.9, so a few are very busy.

    The mean is `config.mean_requests` before the bounds of 2 and `config.max_requests`.
    """
    shape = 0.9
    scale = config.mean_requests / math.gamma(1.0 + 1.0 / shape)
    drawn = scale * (-math.log(1.0 - uniform)) ** (1.0 / shape)
    return int(min(max(2, math.ceil(drawn)), config.max_requests))


def _profiles(
    world: World, config: SyntheticConfig, profile: Float64Array, *, first: int
) -> Profiles:
    def part(name: str) -> Float64Array:
        return profile[:, _PROFILE_SLICES[name]]

    looks = np.minimum((part("looks") * NUM_AESTHETICS).astype(np.int64), NUM_AESTHETICS - 1)
    main, side, later = (world.aesthetic[looks[:, place]] for place in range(3))
    # A centred uniform has variance 1/12: this noise has length of about 1.
    personal = (part("personal") - 0.5) * math.sqrt(12.0 / STYLE_DIM)
    blend = part("blend")
    style_start = unit(main + blend[:, :1] * side + 0.5 * personal[:, :STYLE_DIM])
    drift = 0.4 + 1.2 * blend[:, 1:]
    style_end = unit(style_start + drift * later + 0.5 * personal[:, STYLE_DIM:])
    market_size = np.array([0.6**place for place in range(len(config.markets))])
    level = part("price_level")
    fancy = 0.5 * (style_start @ world.mission.T).astype(np.float64)
    return Profiles(
        first=first,
        market=choose(np.tile(market_size, (len(profile), 1)), part("market")[:, 0]),
        department=(part("department")[:, 0] > 0.58).astype(np.int64),
        style_start=style_start,
        style_end=style_end,
        price_level=(level.sum(axis=1) - 1.0) * 0.7,
        thrift=part("thrift")[:, 0],
        mission_weight=np.array([mission.weight for mission in MISSIONS]) * np.exp(4.0 * fancy),
    )


def _schedule(config: SyntheticConfig, join: Float64Array, requests: list[FloatArray]) -> Requests:
    """Returns the requests with their times: sessions at random, pages minutes apart within."""
    count = np.array([len(draws) for draws in requests])
    offsets = np.concatenate([[0], np.cumsum(count)])
    draws = np.concatenate(requests)
    customer = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(draws)) - offsets[customer]
    is_start = _session_starts(draws[:, _REQUEST_SLICES["session"]][:, 0], place)
    session_row = np.cumsum(is_start) - 1
    starts = np.flatnonzero(is_start)

    gap = REQUEST_S + (draws[:, _REQUEST_SLICES["gap"]][:, 0] * _MAX_BROWSING_S).astype(np.int64)
    ends = np.append(starts[1:], len(draws))
    before = np.concatenate([[0], np.cumsum(gap)])
    browsing = before[ends] - before[starts]
    taken = browsing + CHECKOUT_S + PAUSE_S
    when = draws[:, _REQUEST_SLICES["start"]][starts, 0].astype(np.float64)
    session_time = _session_times(config, join, customer[starts], when, taken)
    return Requests(
        offsets=offsets,
        customer=customer,
        session=session_row - session_row[offsets[:-1]][customer],
        is_session_start=is_start,
        time_s=session_time[session_row] + before[:-1] - before[starts][session_row],
        session_end_s=(session_time + browsing)[session_row],
        progress=_progress(config, join[customer], session_time[session_row]),
        draws=draws,
    )


def _session_starts(uniform: FloatArray, place: IntArray) -> NDArray[np.bool_]:
    """Returns which requests begin a session: a coin each, and at the latest every twelfth."""
    is_start = (place == 0) | (uniform < NEW_SESSION_RATE)
    position = np.arange(len(place))
    since = position - np.maximum.accumulate(np.where(is_start, position, 0))
    return np.asarray(is_start | (since % MAX_REQUESTS_PER_SESSION == 0))


def _joined_s(config: SyntheticConfig, join: Float64Array) -> IntArray:
    period_s = config.num_days * SECONDS_PER_DAY
    return end_s(config) - period_s + (join * period_s).astype(np.int64)


def _session_times(
    config: SyntheticConfig,
    join: Float64Array,
    customer: IntArray,
    uniform: Float64Array,
    taken: IntArray,
) -> IntArray:
    """Returns when each session starts; sessions of a customer never overlap.

    Sorted uniforms share out the time that the customer's sessions leave free.
    """
    num_customers = len(join)
    joined = _joined_s(config, join)
    total = np.bincount(customer, weights=taken, minlength=num_customers).astype(np.int64)
    free = end_s(config) - joined - total
    ordered = uniform[np.lexsort((uniform, customer))]
    earlier = np.cumsum(taken) - taken
    first_row = np.searchsorted(customer, np.arange(num_customers))
    earlier -= earlier[first_row][customer]
    return joined[customer] + (ordered * free[customer]).astype(np.int64) + earlier


def _progress(config: SyntheticConfig, join: Float64Array, time_s: IntArray) -> Float64Array:
    joined = _joined_s(config, join)
    return (time_s - joined) / (end_s(config) - joined)
