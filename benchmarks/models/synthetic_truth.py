"""What the customers of a synthetic retailer really want: its shopping, simulated again.

n customers, C candidates, P positions on a page.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from stylerec.data.synthetic.affinity import Shop, affinity
from stylerec.data.synthetic.calibration import calibrated
from stylerec.data.synthetic.catalogue import NUM_TYPES, draw_catalogue
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.customers import MAX_SLOTS, Profiles, Requests, draw_customers
from stylerec.data.synthetic.impressions import RECIPE, Asking
from stylerec.data.synthetic.randomness import sigmoid, unit
from stylerec.data.synthetic.shopping import NO_ITEM, WALK_STEP, Pages, shop_block
from stylerec.data.synthetic.truth import draw_world

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Retailer:
    """One synthetic retailer's ground truth; the generator's seed makes it the tables' own.

    Attributes:
        shop: Catalogue and world.
        profiles: Of all customers.
        requests: Of all customers.
        pages: In order of the requests.
    """

    shop: Shop
    profiles: Profiles
    requests: Requests
    pages: Pages

    @classmethod
    def simulate(cls, config: SyntheticConfig) -> Self:
        """Returns the retailer that `generate` writes for this config."""
        world = draw_world(config.seed)
        shop = calibrated(Shop.open(world, draw_catalogue(world, config), config), config)
        profiles, requests = draw_customers(world, config, first=0, count=config.num_customers)
        return cls(shop, profiles, requests, shop_block(shop, profiles, requests))


@dataclass(frozen=True)
class Wishes:
    """What n customers want next, right after their last page.

    Attributes:
        customer: int64 `[n]`, row in `Profiles`.
        time_s: int64 `[n]`, unix seconds.
        item: int64 `[n, C]`, catalogue rows, distinct within a customer.
        attraction: float64 `[n, C]`, probability of a click on the item once it is looked at.
    """

    customer: IntArray
    time_s: IntArray
    item: IntArray
    attraction: NDArray[np.float64]


def last_wishes(retailer: Retailer, *, num_candidates: int, seed: int) -> Wishes:
    """Returns how attractive random items on sale are to each customer after their last page.

    The candidates are of the department they shop in and of the product types of what they came
    for. Left out are customers who clicked nothing on their last page, as what they were after may
    have changed unseen, whose click there was on another type, or who have too few candidates.
    """
    asking, style, customer = _last_asking(retailer)
    catalogue = retailer.shop.catalogue
    recipe = RECIPE[asking.mission, asking.department]
    is_type = np.zeros((len(customer), NUM_TYPES), dtype=np.bool_)
    np.put_along_axis(is_type, recipe, True, axis=1)
    can_be_shown = is_type[:, catalogue.product_type]
    can_be_shown &= catalogue.department == asking.department[:, None]
    can_be_shown &= catalogue.is_sold_in[:, asking.market].T
    can_be_shown &= catalogue.launch_s <= asking.time_s[:, None]
    can_be_shown &= asking.time_s[:, None] < catalogue.sold_out_s
    order = np.random.default_rng(seed).random(can_be_shown.shape)
    item = np.argsort(np.where(can_be_shown, order, 2.0), axis=1)[:, :num_candidates]
    wish = affinity(
        retailer.shop,
        asking,
        item,
        style=style,
        price_level=retailer.profiles.price_level[customer],
        thrift=retailer.profiles.thrift[customer],
    )
    has_enough = can_be_shown.sum(axis=1) >= num_candidates
    attraction = sigmoid(wish - np.float32(retailer.shop.click_threshold)).astype(np.float64)
    return Wishes(
        customer[has_enough],
        asking.time_s[has_enough],
        item[has_enough],
        attraction[has_enough],
    )


def _last_asking(retailer: Retailer) -> tuple[Asking, NDArray[np.float32], IntArray]:
    """The state after the last page, as `shopping` leaves it, the style, and whose it is."""
    profiles, requests, pages = retailer.profiles, retailer.requests, retailer.pages
    catalogue = retailer.shop.catalogue
    last_request = requests.offsets[1:] - 1
    last_item = _last_clicked(retailer)
    mission = pages.mission[last_request]
    department = catalogue.department[np.maximum(last_item, 0)]
    place = RECIPE[mission, department] == catalogue.product_type[last_item][:, None]
    customer = np.flatnonzero((last_item != NO_ITEM) & place.any(axis=1))
    row = last_request[customer]
    style = _style(retailer, customer, row)
    asking = Asking(
        touchpoint=np.zeros(len(customer), dtype=np.int64),
        department=department[customer],
        mission=mission[customer],
        focus=place.argmax(axis=1)[customer],
        last_item=last_item[customer],
        looks=np.zeros(len(customer), dtype=np.int64),
        market=profiles.market[customer],
        time_s=requests.session_end_s[row],
        recent=np.zeros((len(customer), 0), dtype=np.int64),
    )
    return asking, style, customer


def _last_clicked(retailer: Retailer) -> IntArray:
    """Returns the item clicked last on each customer's last page, `NO_ITEM` without any."""
    pages, last = retailer.pages, retailer.requests.offsets[1:] - 1
    position = MAX_SLOTS - 1 - pages.is_clicked[last, ::-1].argmax(axis=1)
    return np.where(pages.is_clicked[last].any(axis=1), pages.item[last, position], NO_ITEM)


def _style(retailer: Retailer, customer: IntArray, request: IntArray) -> NDArray[np.float32]:
    profiles, requests = retailer.profiles, retailer.requests
    start = np.flatnonzero(requests.is_session_start)
    walk = np.zeros_like(profiles.style_start)
    steps = WALK_STEP * (requests.draw("walk", start) - np.float32(0.5))
    np.add.at(walk, requests.customer[start], steps)
    progress = requests.progress[request][:, None]
    start_style, end_style = profiles.style_start[customer], profiles.style_end[customer]
    return unit((1.0 - progress) * start_style + progress * end_style + walk[customer])
