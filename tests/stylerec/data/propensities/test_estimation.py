from dataclasses import replace

import numpy as np
import pytest

from stylerec.data.propensities.estimation import (
    MIN_CLICKS,
    estimate_propensities,
    position_groups,
)


def click_rates(impressions):
    clicks = np.bincount(impressions.position, impressions.is_clicked)
    rate = clicks / np.bincount(impressions.position)
    return rate / rate[0]


class TestEstimatePropensities:
    def test_is_nearer_to_the_truth_than_click_rates(self, shop, examination):
        found = estimate_propensities(shop.impressions, shop.histories, shop.content)
        estimated = np.array(found.touchpoints["for-you"])
        naive_error = np.abs(click_rates(shop.impressions) - examination).mean()
        assert np.abs(estimated - examination).mean() < 0.5 * naive_error
        assert estimated[0] == 1.0

    def test_same_impressions_give_the_same_propensities(self, shop):
        first, second = (
            estimate_propensities(shop.impressions, shop.histories, shop.content) for _ in range(2)
        )
        assert first == second

    def test_too_few_clicks_leave_a_touchpoint_out(self, shop):
        is_clicked = shop.impressions.is_clicked.copy()
        is_clicked[np.flatnonzero(is_clicked)[MIN_CLICKS - 1 :]] = False
        found = estimate_propensities(
            replace(shop.impressions, is_clicked=is_clicked), shop.histories, shop.content
        )
        assert found.touchpoints == {}
        assert found.left_out["for-you"].startswith(f"{MIN_CLICKS - 1} clicks")

    def test_clicks_at_one_position_leave_a_touchpoint_out(self, shop):
        first = replace(
            shop.impressions,
            is_clicked=shop.impressions.is_clicked & (shop.impressions.position == 0),
        )
        found = estimate_propensities(first, shop.histories, shop.content)
        assert found.left_out == {"for-you": "clicks at one position only"}


class TestPositionGroups:
    @pytest.mark.parametrize(
        ("clicks", "groups"),
        [
            ([30, 25, 20], [0, 1, 2]),
            # 12 + 10 = 22 is enough together; the 5 that are left join them.
            ([40, 12, 10, 5], [0, 1, 1, 1]),
            # A log that counts positions from 1: the empty position 0 belongs to the first shown.
            ([0, 30, 25], [0, 0, 1]),
            ([5, 5], [0, 0]),
        ],
    )
    def test_close_when_they_have_enough_clicks(self, clicks, groups):
        position = np.repeat(np.arange(len(clicks)), clicks)
        last = np.append(position, len(clicks) - 1)
        is_clicked = np.append(np.ones(len(position), bool), False)
        assert position_groups(last, is_clicked).tolist() == groups
