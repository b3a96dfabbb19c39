import numpy as np
import pytest

from stylerec.data.synthetic.catalogue import end_s
from stylerec.data.synthetic.event_tables import (
    customers_table,
    impressions_table,
    interactions_table,
    item_ids,
    sessions_table,
)
from stylerec.data.synthetic.impressions import EXAMINATION, TOUCHPOINTS


@pytest.fixture(scope="module")
def interactions(catalogue, config, block, pages):
    return interactions_table(catalogue, config, *block, pages).to_pandas()


@pytest.fixture(scope="module")
def impressions(catalogue, config, block, pages):
    return impressions_table(catalogue, config, *block, pages).to_pandas()


class TestItemIds:
    def test_are_padded(self):
        assert item_ids(np.array([42])).to_pylist() == ["i000042"]


class TestInteractionsTable:
    def test_customers_are_contiguous_and_in_order_of_time(self, interactions):
        changes = (interactions.customer_id != interactions.customer_id.shift()).sum()
        assert changes == interactions.customer_id.nunique()
        gaps = interactions.groupby("customer_id").timestamp.diff().dropna()
        assert (gaps.dt.total_seconds() > 0).all()

    def test_nothing_happens_at_or_after_the_end(self, interactions, config):
        assert interactions.timestamp.max().timestamp() < end_s(config)

    def test_nothing_happens_before_the_launch(self, interactions, catalogue):
        launch = dict(
            zip(item_ids(catalogue.item_number).to_pylist(), catalogue.launch_s, strict=True)
        )
        time_s = interactions.timestamp.map(lambda time: time.timestamp())
        assert (time_s >= interactions.item_id.map(launch)).all()

    def test_counts_every_stage_of_the_funnel(self, interactions, pages):
        assert interactions.event_type.value_counts().to_dict() == {
            "view": pages.is_clicked.sum(),
            "save": pages.is_saved.sum(),
            "add_to_bag": pages.is_bagged.sum(),
            "purchase": pages.is_purchased.sum(),
        }

    def test_every_purchase_was_bagged_in_its_session(self, interactions):
        keys = ["session_id", "item_id"]
        bought = interactions[interactions.event_type == "purchase"]
        bagged = interactions[interactions.event_type == "add_to_bag"]
        paid = bought.merge(bagged, on=keys, suffixes=("", "_bag"))
        assert len(paid) >= len(bought) > 0
        assert (paid.timestamp > paid.timestamp_bag).all()

    def test_event_ids_are_unique(self, interactions):
        assert interactions.event_id.is_unique

    def test_position_is_there_exactly_with_a_touchpoint(self, interactions):
        assert (interactions.position.isna() == interactions.touchpoint.isna()).all()
        assert interactions.touchpoint.isna().mean() > 0.1

    def test_price_is_the_one_of_that_moment(self, interactions, catalogue):
        number = {item: row for row, item in enumerate(item_ids(catalogue.item_number).to_pylist())}
        item = interactions.item_id.map(number).to_numpy()
        time_s = (interactions.timestamp.astype("int64") // 1_000_000).to_numpy()
        np.testing.assert_array_equal(interactions.price, catalogue.price_at(item, time_s))
        assert (interactions.price < catalogue.price[item]).any()


class TestImpressionsTable:
    def test_clicks_are_the_views_with_a_touchpoint(self, impressions, interactions):
        views = interactions[(interactions.event_type == "view") & interactions.touchpoint.notna()]
        keys = ["customer_id", "touchpoint", "item_id", "position"]
        clicks = impressions[impressions.clicked]
        assert sorted(map(tuple, clicks[keys].to_numpy())) == sorted(
            map(tuple, views[keys].to_numpy())
        )

    def test_propensity_is_the_examination_probability(self, impressions):
        number = impressions.touchpoint.map({t.value: n for n, t in enumerate(TOUCHPOINTS)})
        np.testing.assert_array_equal(
            impressions.propensity, EXAMINATION[number, impressions.position]
        )

    def test_positions_count_from_zero_without_gaps(self, impressions):
        by_request = impressions.groupby("request_id").position
        assert (by_request.max() + 1 == by_request.size()).all()
        assert (by_request.min() == 0).all()

    def test_share_decides_how_many_requests_are_logged(
        self, catalogue, config, block, pages, impressions
    ):
        fewer = config.model_copy(update={"impressions_share": 0.25})
        logged = impressions_table(catalogue, fewer, *block, pages).to_pandas()
        share = logged.request_id.nunique() / impressions.request_id.nunique()
        assert share == pytest.approx(0.25, abs=0.03)


class TestSessionsTable:
    def test_covers_every_session_of_the_interactions(self, block, pages, interactions):
        sessions = sessions_table(*block, pages).to_pandas()
        assert sessions.session_id.is_unique
        assert set(interactions.session_id) <= set(sessions.session_id)


class TestCustomersTable:
    def test_has_one_row_per_customer(self, config, block):
        customers = customers_table(config, block[0]).to_pandas()
        assert customers.customer_id.iloc[[0, -1]].tolist() == ["c0000001", "c0000300"]
        assert set(customers.market) <= set(config.markets)
        np.testing.assert_array_equal(np.stack(customers.style_start), block[0].style_start)
