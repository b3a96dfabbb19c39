import numpy as np
import pytest
from pydantic import ValidationError

from stylerec.data.histories import Histories
from stylerec.data.target_weights import EventWeights, TargetWeights, target_weights
from stylerec.errors import ConfigError
from stylerec.schema.events import EVENT_CODES

VIEW, PURCHASE = EVENT_CODES["view"], EVENT_CODES["purchase"]
EQUAL = EventWeights()


def histories_of(*event_types):
    count = len(event_types)
    return Histories(
        item_index=np.arange(2, 2 + count, dtype=np.int32),
        event_type=np.array(event_types, dtype=np.int8),
        timestamp_s=np.zeros(count, dtype=np.int64),
        offsets=np.array([0, count], dtype=np.int64),
    )


class FakeData:
    def __init__(self, histories, propensity=None, omitted=None):
        self.histories, self.propensity = histories, propensity
        self.summary = type("Summary", (), {"omitted": omitted or {}})


class TestEventWeights:
    def test_are_looked_up_by_code(self):
        weights = EventWeights(view=1.0, save=2.0, add_to_bag=3.0, purchase=4.0).by_code()
        assert weights.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]

    def test_refuse_to_count_nothing(self):
        with pytest.raises(ValidationError, match="expected one above 0"):
            EventWeights(view=0, save=0, add_to_bag=0, purchase=0)

    @pytest.mark.parametrize("value", [-0.1, float("inf"), float("nan")])
    def test_refuse_what_is_no_weight(self, value):
        with pytest.raises(ValidationError):
            EventWeights(view=value)


class TestTargetWeights:
    def test_divide_the_event_weight_by_the_bounded_propensity(self):
        weigh = TargetWeights(
            histories_of(VIEW, PURCHASE, VIEW),
            event_weights=EventWeights(view=1.0, purchase=6.0),
            propensity=np.array([0.5, 0.25, 0.01], np.float32),
            min_propensity=0.1,
        )
        found = weigh(np.array([2, 1, 0, 1]))
        assert found == pytest.approx([1 / 0.1, 6 / 0.25, 1 / 0.5, 6 / 0.25])
        assert found.dtype == np.float32

    def test_without_propensity_are_the_event_weights(self):
        weigh = TargetWeights(
            histories_of(VIEW, PURCHASE),
            event_weights=EventWeights(view=0.5),
            propensity=None,
            min_propensity=0.1,
        )
        assert weigh(np.array([0, 1])).tolist() == [0.5, 1.0]


class TestConfiguredWeights:
    def weights(self, data, **changes):
        settings = {"event_weights": EQUAL, "use_propensity": False, "min_propensity": 0.1}
        return target_weights(data, model="ranking", **(settings | changes))

    def test_are_none_where_all_targets_count_the_same(self):
        assert self.weights(FakeData(histories_of(VIEW))) is None

    def test_use_the_propensity_only_when_asked(self):
        data = FakeData(histories_of(VIEW), propensity=np.array([0.5], np.float32))
        assert self.weights(data) is None
        assert self.weights(data, use_propensity=True)(np.array([0])).tolist() == [1 / 0.5]

    def test_missing_propensities_are_an_error_with_the_reason(self):
        data = FakeData(histories_of(VIEW), omitted={"position_bias": "there is no impressions"})
        with pytest.raises(ConfigError, match=r"ranking\.use_propensity.*no impressions"):
            self.weights(data, use_propensity=True)

    def test_an_event_weight_of_nothing_in_the_data_is_an_error(self):
        only_purchases = EventWeights(view=0, save=0, add_to_bag=0)
        with pytest.raises(ConfigError, match=r"ranking\.event_weights"):
            self.weights(FakeData(histories_of(VIEW)), event_weights=only_purchases)
