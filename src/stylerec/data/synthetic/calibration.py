"""How picky customers are: set so that a page leads to as many interactions as configured.

In a small range good matches are rare, in a large one they are many. Without this the length of a
history would depend on the number of items.
"""

from dataclasses import replace

from stylerec.data.synthetic.affinity import Shop
from stylerec.data.synthetic.config import EVENTS_PER_REQUEST, SyntheticConfig
from stylerec.data.synthetic.customers import Profiles, Requests, draw_customers
from stylerec.data.synthetic.shopping import shop_block

_NUM_PILOTS = 200
_PILOT_EVENTS = 30.0
_LOWEST, _HIGHEST = 2.0, 14.0
_NUM_HALVINGS = 6


def calibrated(shop: Shop, config: SyntheticConfig) -> Shop:
    """Returns the shop with the click threshold that gives `EVENTS_PER_REQUEST`.

    Bisection over pilot customers; they depend on the seed, the catalogue and the markets, not on
    the number of customers.
    """
    pilot = config.model_copy(update={"events_per_customer": _PILOT_EVENTS})
    customers = draw_customers(shop.world, pilot, first=0, count=_NUM_PILOTS)
    low, high = _LOWEST, _HIGHEST
    for _ in range(_NUM_HALVINGS):
        shop = replace(shop, click_threshold=(low + high) / 2)
        if _events_per_request(shop, *customers) > EVENTS_PER_REQUEST:
            low = shop.click_threshold
        else:
            high = shop.click_threshold
    return replace(shop, click_threshold=(low + high) / 2)


def _events_per_request(shop: Shop, profiles: Profiles, requests: Requests) -> float:
    pages = shop_block(shop, profiles, requests)
    stages = (pages.is_clicked, pages.is_saved, pages.is_bagged, pages.is_purchased)
    return sum(int(happened.sum()) for happened in stages) / len(pages.request)
