from dataclasses import replace

import numpy as np

from stylerec.data.propensities.ranking_policy import expected_rank


def corr(first, second):
    return float(np.corrcoef(first, second)[0, 1])


class TestExpectedRank:
    def test_goes_with_the_position(self, shop):
        expected = expected_rank(shop.impressions, shop.histories, shop.content)
        assert corr(expected, np.log1p(shop.impressions.position)) > 0.3

    def test_does_not_know_an_impressions_own_position(self, shop):
        rng = np.random.default_rng(1)
        num_pages = int(shop.impressions.page[-1]) + 1
        slots = len(shop.impressions) // num_pages
        shuffled = rng.permuted(np.tile(np.arange(slots), (num_pages, 1)), axis=1).ravel()
        random_pages = replace(shop.impressions, position=shuffled)
        expected = expected_rank(random_pages, shop.histories, shop.content)
        # Positions are pure chance here: whatever correlates with them has seen them.
        assert abs(corr(expected, shuffled)) < 0.05

    def test_does_not_read_clicks(self, shop):
        unclicked = replace(shop.impressions, is_clicked=~shop.impressions.is_clicked)
        for_both = [
            expected_rank(some, shop.histories, shop.content)
            for some in (shop.impressions, unclicked)
        ]
        np.testing.assert_array_equal(*for_both)

    def test_a_handful_of_customers_teaches_nothing(self, shop):
        few = shop.impressions.customer < 2
        columns = {
            name: getattr(shop.impressions, name)[few]
            for name in ("page", "customer", "item_index", "touchpoint", "position", "is_clicked")
        }
        expected = expected_rank(replace(shop.impressions, **columns), shop.histories, shop.content)
        assert not expected.any()
