import numpy as np
import pytest

from stylerec.data.synthetic.affinity import Shop
from stylerec.data.synthetic.assortment import MISSIONS, TYPE_INDEX
from stylerec.data.synthetic.calibration import calibrated
from stylerec.data.synthetic.catalogue import draw_catalogue, end_s
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.customers import draw_customers
from stylerec.data.synthetic.impressions import EXAMINATION, TOUCHPOINTS
from stylerec.data.synthetic.shopping import NO_ITEM, shop_block
from stylerec.schema.touchpoints import Touchpoint

CATEGORY_PAGE = TOUCHPOINTS.index(Touchpoint.CATEGORY_PAGE)


class TestShopBlock:
    def test_has_one_page_per_request(self, pages, block):
        np.testing.assert_array_equal(pages.request, np.arange(len(block[1].time_s)))

    def test_does_not_depend_on_the_block(self, world, shop, config, pages, block):
        part = draw_customers(world, config, first=100, count=7)
        alone = shop_block(shop, *part)
        rows = slice(block[1].offsets[100], block[1].offsets[107])
        for name in ("item", "is_clicked", "is_purchased", "touchpoint", "mission"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(pages, name)[rows])

    def test_shows_only_what_is_on_sale_there_and_then(self, pages, block, catalogue):
        profiles, requests = block
        page, position = np.nonzero(pages.is_shown)
        item, request = pages.item[page, position], pages.request[page]
        time_s = requests.time_s[request]
        assert (catalogue.launch_s[item] <= time_s).all()
        assert (time_s < catalogue.sold_out_s[item]).all()
        assert catalogue.is_sold_in[item, profiles.market[requests.customer[request]]].all()

    def test_page_shows_no_item_twice(self, pages):
        for row, is_shown in zip(pages.item[:500], pages.is_shown[:500], strict=True):
            shown = row[is_shown]
            assert len(np.unique(shown)) == len(shown)

    def test_funnel_narrows(self, pages):
        assert not (pages.is_clicked & ~pages.is_shown).any()
        assert not (pages.is_saved & ~pages.is_clicked).any()
        assert not (pages.is_bagged & ~pages.is_clicked).any()
        assert not (pages.is_purchased & ~pages.is_bagged).any()
        assert 0 < pages.is_purchased.sum() < pages.is_bagged.sum() < pages.is_clicked.sum() / 4

    def test_session_starts_with_one_item_from_outside(self, pages, block):
        is_direct = pages.touchpoint == NO_ITEM
        np.testing.assert_array_equal(is_direct, block[1].is_session_start)
        assert (pages.is_shown[is_direct].sum(axis=1) <= 1).all()
        np.testing.assert_array_equal(pages.is_clicked[is_direct], pages.is_shown[is_direct])

    def test_mission_holds_within_a_session(self, pages, block):
        continues = ~block[1].is_session_start[1:]
        assert (np.diff(pages.mission)[continues] == 0).all()

    def test_mission_switches_abruptly_between_sessions(self, pages, block):
        _, requests = block
        begins = requests.is_session_start[1:] & (np.diff(requests.customer) == 0)
        share = (np.diff(pages.mission)[begins] != 0).mean()
        assert 0.4 < share < 0.65

    def test_mission_decides_what_is_looked_at(self, pages, catalogue):
        gym = next(n for n, mission in enumerate(MISSIONS) if mission.name == "gym start")
        kinds = [TYPE_INDEX[name] for recipe in MISSIONS[gym].recipes for name in recipe]
        page, position = np.nonzero(pages.is_clicked)
        kind = catalogue.product_type[pages.item[page, position]]
        is_gym = pages.mission[page] == gym
        assert np.isin(kind[is_gym], kinds).mean() > 0.9
        assert np.isin(kind[~is_gym], kinds).mean() < 0.3

    def test_clicks_over_examination_are_unbiased(self, pages, block):
        """With the true propensities the position bias can be undone."""
        _, requests = block
        shown = pages.is_shown & (pages.touchpoint == CATEGORY_PAGE)[:, None]
        page, position = np.nonzero(shown)
        is_examined = (
            requests.draw("examine", pages.request)[page, position]
            < EXAMINATION[CATEGORY_PAGE, position]
        )
        clicked = pages.is_clicked[page, position]
        assert not clicked[~is_examined].any()
        # Both sides estimate the attractiveness of everything shown, seen or not.
        weighted = clicked / EXAMINATION[CATEGORY_PAGE, position]
        error = 4 * weighted.std() / np.sqrt(len(weighted))
        assert weighted.mean() == pytest.approx(
            np.average(
                clicked[is_examined], weights=1 / EXAMINATION[CATEGORY_PAGE, position][is_examined]
            ),
            abs=error,
        )


@pytest.fixture(scope="module")
def closeness(world):
    """Mean closeness, beyond the mission's, of items looked at on different missions.

    By the same customer at about the same time, by the same customer much later, by strangers.
    """
    config = SyntheticConfig(num_customers=400)
    shop = calibrated(Shop.open(world, draw_catalogue(world, config), config), config)
    _, requests = customers = draw_customers(world, config, first=0, count=400)
    pages = shop_block(shop, *customers)
    page, position = np.nonzero(pages.is_clicked)
    mission, request = pages.mission[page], pages.request[page]
    style = shop.catalogue.style[pages.item[page, position]].astype(np.float64)
    total = np.stack([np.bincount(mission, weights=column) for column in style.T], axis=1)
    own = style - (total / np.bincount(mission)[:, None])[mission]
    near, far = [], []
    changes = np.flatnonzero(np.diff(requests.customer[request])) + 1
    for rows in np.split(np.arange(len(page)), changes):
        first, second = rows[:, None], rows
        is_other = mission[first] != mission[second]
        gap = np.abs(requests.progress[request[first]] - requests.progress[request[second]])
        pairs = own[rows] @ own[rows].T
        near.append(pairs[is_other & (gap < 0.15)])
        far.append(pairs[is_other & (gap > 0.5)])
    strangers = own[np.random.default_rng(0).permutation(len(own))]
    return (
        np.concatenate(near).mean(),
        np.concatenate(far).mean(),
        (own * strangers).sum(axis=1).mean(),
    )


class TestStyle:
    """The slow effect: what a customer looks at resembles what they looked at on other missions."""

    def test_outlasts_a_mission(self, closeness):
        near, _, strangers = closeness
        assert near > strangers + 0.08

    def test_drifts_slowly(self, closeness):
        near, far, strangers = closeness
        assert near > 1.2 * far
        assert far > strangers + 0.04


class TestPeriod:
    def test_pages_end_with_the_period(self, block, config):
        assert block[1].time_s.max() < end_s(config)
