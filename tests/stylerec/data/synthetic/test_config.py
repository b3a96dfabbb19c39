import pytest
from pydantic import ValidationError

from stylerec.data.synthetic.config import (
    EVENTS_PER_REQUEST,
    LATEST_JOIN,
    MAX_REQUEST_S,
    SyntheticConfig,
)


class TestSyntheticConfig:
    def test_refuses_unknown_fields(self):
        with pytest.raises(ValidationError, match="customers"):
            SyntheticConfig(customers=10)

    def test_refuses_repeated_markets(self):
        with pytest.raises(ValidationError, match="drop the repeats"):
            SyntheticConfig(markets=("GB", "GB"))

    def test_refuses_more_shopping_than_the_period_holds(self):
        with pytest.raises(ValidationError, match="raise num_days"):
            SyntheticConfig(num_days=14, events_per_customer=300)

    def test_busiest_customer_fits_between_joining_last_and_the_end(self):
        config = SyntheticConfig(num_days=14, events_per_customer=27)
        assert config.max_requests * MAX_REQUEST_S <= (1 - LATEST_JOIN) * 14 * 86_400

    def test_requests_follow_from_events(self):
        assert SyntheticConfig(events_per_customer=45).mean_requests == 45 / EVENTS_PER_REQUEST

    def test_cannot_be_changed(self):
        with pytest.raises(ValidationError, match="frozen"):
            SyntheticConfig().seed = 8
