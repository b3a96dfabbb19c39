"""What customers really want, and what the shop believes they want.

n requests, K candidates, D style dimensions, V items.
"""

from dataclasses import dataclass

import numpy as np

from stylerec.data.synthetic.assortment import MISSIONS, OCCASIONS, PRODUCT_TYPES
from stylerec.data.synthetic.catalogue import Catalogue
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.impressions import RECIPE, Asking, examination
from stylerec.data.synthetic.randomness import (
    Float64Array,
    FloatArray,
    IntArray,
    Stream,
    generator,
    on_grid,
)
from stylerec.data.synthetic.truth import (
    WEIGHT_APPEAL,
    WEIGHT_FOCUS,
    WEIGHT_LAST,
    WEIGHT_MISSION,
    WEIGHT_OCCASION,
    WEIGHT_PRICE,
    WEIGHT_SALE,
    WEIGHT_STYLE,
    World,
)

_MISSION_OCCASION = np.array([OCCASIONS.index(mission.occasion) for mission in MISSIONS])


@dataclass(frozen=True)
class Shop:
    """The world and the catalogue with what every step looks up."""

    world: World
    catalogue: Catalogue
    log_appeal: FloatArray
    log_price: Float64Array
    """Log of the full price over the type's median, `[V]`."""
    examination: Float64Array
    """Probability that a position is looked at, `[touchpoints, P]`."""
    promotion: FloatArray
    """What the shop adds to an item's relevance in its own interest, `[V]`."""
    click_threshold: float = 0.0
    """An item whose affinity equals it is clicked half of the times it is examined."""

    @classmethod
    def open(cls, world: World, catalogue: Catalogue, config: SyntheticConfig) -> "Shop":
        """Returns the shop with its look-ups."""
        median = np.array([kind.price_gbp for kind in PRODUCT_TYPES])[catalogue.product_type]
        return cls(
            world=world,
            catalogue=catalogue,
            log_appeal=np.log(catalogue.appeal).astype(np.float32),
            log_price=np.log(catalogue.price / median),
            examination=examination(config),
            promotion=_promotion(config),
        )


def _promotion(config: SyntheticConfig) -> FloatArray:
    drawn = generator(config.seed, Stream.PROMOTION).standard_normal(config.num_items)
    return np.asarray(config.promotion * drawn, dtype=np.float32)


def affinity(
    shop: Shop,
    asking: Asking,
    item: IntArray,
    *,
    style: FloatArray,
    price_level: Float64Array,
    thrift: Float64Array,
) -> FloatArray:
    """Returns how much each candidate attracts its customer, `[n, K]`.

    7 style + 1 mission + 2 last item (dot products with the item's style) + 1 if it suits the
    occasion + 2.5 if it is of the type looked for + 0.35 log appeal - 0.6 (price mismatch)^2
    + 0.8 thrift * discount / 0.5.
    """
    catalogue = shop.catalogue
    last = catalogue.style[np.maximum(asking.last_item, 0)] * (asking.last_item >= 0)[:, None]
    target = on_grid(
        WEIGHT_STYLE * style
        + WEIGHT_MISSION * shop.world.mission[asking.mission]
        + WEIGHT_LAST * last
    )
    liking = np.einsum("nd,nkd->nk", target, catalogue.style[item])
    focus_type = RECIPE[asking.mission, asking.department, asking.focus]
    suits = catalogue.occasion[item] == _MISSION_OCCASION[asking.mission][:, None]
    is_focus = catalogue.product_type[item] == focus_type[:, None]
    mismatch = shop.log_price[item] - price_level[:, None]
    discount = 1.0 - catalogue.price_at(item, asking.time_s[:, None]) / catalogue.price[item]
    total = (
        liking
        + WEIGHT_OCCASION * suits
        + WEIGHT_FOCUS * is_focus
        + WEIGHT_APPEAL * shop.log_appeal[item]
        - WEIGHT_PRICE * np.minimum(mismatch**2, 4.0)
        + WEIGHT_SALE * thrift[:, None] * discount / 0.5
    )
    return np.asarray(total, dtype=np.float32)


def shop_relevance(shop: Shop, asking: Asking, item: IntArray) -> FloatArray:
    """Returns the shop's own score of each candidate, `[n, K]`.

    What is popular, what is like what it knows of the customer, and what it wants to sell.
    """
    guess = shop.world.aesthetic[asking.looks] * np.float32(1.5)
    last = shop.catalogue.style[np.maximum(asking.last_item, 0)]
    guess = on_grid(guess + last * (asking.last_item >= 0)[:, None])
    likeness = np.einsum("nd,nkd->nk", guess, shop.catalogue.style[item])
    relevance = 2.0 * likeness + 0.4 * shop.log_appeal[item] + shop.promotion[item]
    return np.asarray(relevance, dtype=np.float32)
