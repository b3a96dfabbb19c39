from dataclasses import fields

import numpy as np
import pytest

from stylerec.data.synthetic.catalogue import end_s
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.customers import (
    MAX_REQUESTS_PER_SESSION,
    PAUSE_S,
    Profiles,
    draw_customers,
)


class TestDrawCustomers:
    def test_customer_does_not_depend_on_the_block(self, world, config, block):
        profiles, requests = draw_customers(world, config, first=40, count=3)
        for field in fields(Profiles):
            if field.name != "first":
                np.testing.assert_array_equal(
                    getattr(profiles, field.name), getattr(block[0], field.name)[40:43]
                )
        rows = slice(block[1].offsets[40], block[1].offsets[43])
        for name in ("time_s", "session", "session_end_s", "progress", "draws"):
            np.testing.assert_array_equal(getattr(requests, name), getattr(block[1], name)[rows])

    def test_first_customers_stay_when_more_are_added(self, world, config):
        more = config.model_copy(update={"num_customers": 10 * config.num_customers})
        first, _ = draw_customers(world, config, first=0, count=5)
        second, _ = draw_customers(world, more, first=0, count=5)
        np.testing.assert_array_equal(first.style_start, second.style_start)

    def test_style_drifts_but_stays_related(self, block):
        profiles, _ = block
        closeness = (profiles.style_start * profiles.style_end).sum(axis=1)
        assert 0.6 < closeness.mean() < 0.95

    def test_requests_of_a_customer_follow_each_other(self, block):
        _, requests = block
        same = np.diff(requests.customer) == 0
        assert (np.diff(requests.time_s)[same] > 0).all()

    def test_sessions_leave_a_pause(self, block):
        _, requests = block
        begins = requests.is_session_start[1:] & (np.diff(requests.customer) == 0)
        pause = requests.time_s[1:][begins] - requests.session_end_s[:-1][begins]
        assert (pause >= PAUSE_S).all()

    def test_everything_happens_inside_the_period(self, block, config):
        _, requests = block
        start = end_s(config) - config.num_days * 86_400
        assert (requests.time_s >= start).all()
        assert (requests.session_end_s + PAUSE_S <= end_s(config)).all()

    def test_sessions_are_bounded(self, block):
        _, requests = block
        size = np.bincount(np.cumsum(requests.is_session_start) - 1)
        assert size.max() <= MAX_REQUESTS_PER_SESSION

    def test_busiest_possible_customers_still_fit(self, world):
        config = SyntheticConfig(num_customers=400, num_days=14, events_per_customer=27)
        _, requests = draw_customers(world, config, first=0, count=400)
        assert np.diff(requests.offsets).max() == config.max_requests
        assert (np.diff(requests.time_s)[np.diff(requests.customer) == 0] > 0).all()
        assert (requests.session_end_s + PAUSE_S <= end_s(config)).all()

    def test_number_of_requests_has_the_configured_mean(self, world):
        config = SyntheticConfig(num_customers=2_000)
        _, requests = draw_customers(world, config, first=0, count=2_000)
        count = np.diff(requests.offsets)
        tolerance = 4 * count.std() / np.sqrt(2_000)
        # Rounding up adds half a request, the lower bound a little more.
        assert count.mean() == pytest.approx(config.mean_requests + 0.5, abs=tolerance)
