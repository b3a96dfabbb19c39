from dataclasses import replace

import numpy as np
import pytest

from stylerec.data.synthetic.affinity import affinity, shop_relevance
from stylerec.data.synthetic.assortment import MISSIONS, OCCASIONS
from stylerec.data.synthetic.catalogue import NEVER_S
from stylerec.data.synthetic.impressions import RECIPE, Asking
from stylerec.data.synthetic.truth import (
    WEIGHT_APPEAL,
    WEIGHT_FOCUS,
    WEIGHT_LAST,
    WEIGHT_MISSION,
    WEIGHT_OCCASION,
    WEIGHT_PRICE,
    WEIGHT_SALE,
    WEIGHT_STYLE,
)


def asking(*, last_item: int, time_s: int = 0) -> Asking:
    def one(value: int):
        return np.array([value])

    return Asking(
        touchpoint=one(0),
        department=one(0),
        mission=one(2),
        focus=one(1),
        last_item=one(last_item),
        looks=one(3),
        market=one(0),
        time_s=one(time_s),
        recent=np.full((1, 2), -1),
    )


class TestAffinity:
    def test_is_the_weighted_sum_of_its_parts(self, shop, world, catalogue):
        item = int(np.flatnonzero(catalogue.sale_from_s < NEVER_S)[0])
        time_s, last = int(catalogue.sale_from_s[item]), 7
        got = affinity(
            shop,
            asking(last_item=last, time_s=time_s),
            np.array([[item]]),
            style=world.aesthetic[:1],
            price_level=np.array([0.2]),
            thrift=np.array([0.5]),
        )[0, 0]
        style = catalogue.style[item]
        mismatch = shop.log_price[item] - 0.2
        discount = 1 - catalogue.sale_price[item] / catalogue.price[item]
        occasion = OCCASIONS.index(MISSIONS[2].occasion)
        expected = (
            WEIGHT_STYLE * (world.aesthetic[0] @ style)
            + WEIGHT_MISSION * (world.mission[2] @ style)
            + WEIGHT_LAST * (catalogue.style[last] @ style)
            + WEIGHT_OCCASION * (catalogue.occasion[item] == occasion)
            + WEIGHT_FOCUS * (catalogue.product_type[item] == RECIPE[2, 0, 1])
            + WEIGHT_APPEAL * np.log(catalogue.appeal[item])
            - WEIGHT_PRICE * min(mismatch**2, 4.0)
            + WEIGHT_SALE * 0.5 * discount / 0.5
        )
        assert got == pytest.approx(expected, abs=0.02)


class TestShopRelevance:
    def test_prefers_items_like_the_last_one(self, shop, catalogue):
        last = 3
        near, far = catalogue.neighbour[last, 0], (catalogue.style @ catalogue.style[last]).argmin()
        item = np.array([[near, far]])
        score = shop_relevance(shop, asking(last_item=last), item)
        blind = shop_relevance(shop, asking(last_item=-1), item)
        assert score[0, 0] - score[0, 1] > blind[0, 0] - blind[0, 1]


class TestPromotion:
    def test_adds_to_the_order_of_the_page_and_not_to_what_customers_want(self, shop):
        promotion = np.arange(len(shop.promotion), dtype=np.float32)
        promoting = replace(shop, promotion=promotion)
        item = np.array([[4, 9]])
        added = shop_relevance(promoting, asking(last_item=7), item) - shop_relevance(
            shop, asking(last_item=7), item
        )
        assert added == pytest.approx(np.array([[4.0, 9.0]]), abs=1e-5)

    def test_is_nothing_by_default(self, shop):
        assert not shop.promotion.any()
