"""The simulated truth is that of the generated tables."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benchmarks.models import synthetic_truth
from benchmarks.models.position_cases import Case, make_case, propensity_errors, true_propensity
from benchmarks.models.synthetic_truth import Retailer, last_wishes
from stylerec.data.synthetic import shopping
from stylerec.data.synthetic.config import SyntheticConfig

NUM_CUSTOMERS = 150


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("position-bias")


@pytest.fixture(scope="module")
def case(work) -> Case:
    return make_case(work, "default", num_customers=NUM_CUSTOMERS, seed=5)


@pytest.fixture(scope="module")
def tables(work, case):
    return work / f"default-{NUM_CUSTOMERS}-5" / "tables"


class TestRetailer:
    def test_clicks_are_the_views_of_the_tables(self, case, tables):
        log = pd.read_parquet(tables / "interactions.parquet")
        assert case.retailer.pages.is_clicked.sum() == (log.event_type == "view").sum()

    def test_whatever_was_clicked_was_attractive(self, case):
        pages = case.retailer.pages
        assert not (pages.is_clicked & ~pages.is_attractive).any()
        assert pages.is_attractive.sum() > pages.is_clicked.sum()

    def test_rows_of_the_prepared_data_are_the_same_customers_and_items(self, case, tables):
        pages, requests = case.retailer.pages, case.retailer.requests
        clicked, _ = np.nonzero(pages.is_clicked)
        views = np.bincount(requests.customer[clicked], minlength=NUM_CUSTOMERS)
        rows = case.customer_rows()
        lengths = np.where(rows >= 0, case.data.histories.lengths[rows], 0)
        assert (lengths >= views).all()
        items = case.item_indices()
        assert sorted(items) == list(range(2, 2 + len(items)))
        page = np.flatnonzero(pages.is_clicked[:, 0])[0]
        owner = rows[requests.customer[pages.request[page]]]
        histories = case.data.histories
        own = histories.item_index[histories.offsets[owner] : histories.offsets[owner + 1]]
        assert items[pages.item[page, 0]] in own


class TestTruePropensity:
    def test_is_that_of_the_impressions(self, case, tables):
        found = true_propensity(tables, case.retailer.shop.examination)
        log = pd.read_parquet(tables / "interactions.parquet").sort_values(
            ["customer_id", "timestamp"]
        )
        shown = pd.read_parquet(tables / "impressions.parquet")
        known = shown.drop_duplicates(["touchpoint", "position"]).set_index(
            ["touchpoint", "position"]
        )["propensity"]
        place = np.flatnonzero(log.position.notna())[:50]
        for row in place:
            event = log.iloc[row]
            expected = known[(event.touchpoint, int(event.position))]
            assert found[row] == pytest.approx(expected, abs=1e-6)
        assert (found[log.position.isna().to_numpy()] == 1.0).all()


class TestPropensityErrors:
    def test_click_rates_are_further_off_where_the_shop_ranks_well(self, case):
        errors = propensity_errors([case])["category-page"]
        assert errors["estimated_mean"]["mean"] < errors["click_rate_mean"]["mean"]


class TestLastWishes:
    def test_candidates_are_distinct_and_attraction_is_a_probability(self, case):
        wishes = last_wishes(case.retailer, num_candidates=10, seed=0)
        assert wishes.item.shape == wishes.attraction.shape == (len(wishes.customer), 10)
        assert all(len(set(row)) == 10 for row in wishes.item.tolist())
        assert 0.0 <= wishes.attraction.min() <= wishes.attraction.max() <= 1.0

    def test_customers_are_asked_in_the_state_that_the_shopping_left(self, monkeypatch):
        config = SyntheticConfig(num_customers=60, num_outfits=0, has_pictures=False, seed=5)
        states = []

        class Recorded(shopping._State):
            def __init__(self, *arguments):
                super().__init__(*arguments)
                states.append(self)

        # Calibration shops too; the retailer's own state is the last one made.
        monkeypatch.setattr(shopping, "_State", Recorded)
        retailer = Retailer.simulate(config)
        state = SimpleNamespace(**vars(states[-1]))
        asking, style, customer = synthetic_truth._last_asking(retailer)
        assert asking.last_item.tolist() == state.last_item[customer].tolist()
        assert asking.mission.tolist() == state.mission[customer].tolist()
        assert asking.department.tolist() == state.department[customer].tolist()
        assert asking.focus.tolist() == state.focus[customer].tolist()
        assert len(customer) > 25
        assert np.linalg.norm(style, axis=1) == pytest.approx(np.ones(len(style)), abs=0.02)
