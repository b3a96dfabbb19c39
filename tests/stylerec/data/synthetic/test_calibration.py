import numpy as np
import pytest

from stylerec.data.synthetic.affinity import Shop
from stylerec.data.synthetic.calibration import calibrated
from stylerec.data.synthetic.catalogue import draw_catalogue
from stylerec.data.synthetic.config import EVENTS_PER_REQUEST


class TestCalibrated:
    def test_page_leads_to_as_many_events_as_configured(self, pages):
        stages = (pages.is_clicked, pages.is_saved, pages.is_bagged, pages.is_purchased)
        events = sum(happened.sum() for happened in stages)
        assert events / len(pages.request) == pytest.approx(EVENTS_PER_REQUEST, rel=0.1)

    def test_customers_are_pickier_in_a_larger_range(self, world, config, shop):
        larger = config.model_copy(update={"num_items": 4 * config.num_items})
        range_ = Shop.open(world, draw_catalogue(world, larger), larger)
        assert calibrated(range_, larger).click_threshold > shop.click_threshold

    def test_does_not_depend_on_the_number_of_customers(self, world, catalogue, config, shop):
        more = config.model_copy(update={"num_customers": 10 * config.num_customers})
        again = calibrated(Shop.open(world, catalogue, more), more)
        assert again.click_threshold == shop.click_threshold
        np.testing.assert_array_equal(again.log_appeal, shop.log_appeal)
