import numpy as np
import pytest

from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.impressions import (
    EXAMINATION,
    SLOTS,
    TOUCHPOINT_WEIGHTS,
    TOUCHPOINTS,
    arrange,
    examination,
)
from stylerec.schema.touchpoints import Touchpoint

CATEGORY_PAGE = TOUCHPOINTS.index(Touchpoint.CATEGORY_PAGE)
COMPLETE_THE_LOOK = TOUCHPOINTS.index(Touchpoint.COMPLETE_THE_LOOK)


class TestExamination:
    def test_first_position_is_always_seen(self):
        np.testing.assert_array_equal(EXAMINATION[:, 0], 1.0)

    def test_fades_as_a_power_of_the_position(self):
        assert EXAMINATION[CATEGORY_PAGE, 3] == pytest.approx(4**-0.35, abs=1e-6)

    def test_falls_along_the_page_and_is_zero_beyond_it(self):
        for touchpoint, row in enumerate(EXAMINATION):
            assert (np.diff(row[: SLOTS[touchpoint]]) < 0).all()
            assert (row[SLOTS[touchpoint] :] == 0).all()


class TestTouchpointWeights:
    def test_every_touchpoint_is_used(self):
        assert (TOUCHPOINT_WEIGHTS.sum(axis=0) > 0).all()


class TestArrange:
    def test_puts_the_most_relevant_first_and_drops_what_cannot_be_shown(self):
        relevance = np.full((1, 32), -100.0, dtype=np.float32)
        relevance[0, [4, 9, 20]] = 300.0, 100.0, 200.0
        can_be_shown = np.zeros((1, 32), dtype=bool)
        can_be_shown[0, [4, 9]] = True
        draw = np.full((1, 32), 0.5, dtype=np.float32)
        column, is_shown = arrange(relevance, can_be_shown, draw, np.array([CATEGORY_PAGE]))
        assert column[0, :2].tolist() == [4, 9]
        assert is_shown[0].tolist() == [True, True] + [False] * 14

    def test_shows_no_more_than_the_slots(self):
        ones = np.ones((1, 32))
        _, is_shown = arrange(
            ones.astype(np.float32),
            ones.astype(bool),
            np.linspace(0, 1, 32, dtype=np.float32)[None],
            np.array([COMPLETE_THE_LOOK]),
        )
        assert is_shown.sum() == SLOTS[COMPLETE_THE_LOOK] == 5


class TestExaminationOfARetailer:
    def test_position_bias_is_a_power(self):
        once, twice = (examination(SyntheticConfig(position_bias=power)) for power in (1.0, 2.0))
        np.testing.assert_array_equal(once, EXAMINATION)
        np.testing.assert_allclose(twice, EXAMINATION**2)

    def test_without_position_bias_every_slot_is_looked_at(self):
        np.testing.assert_array_equal(
            examination(SyntheticConfig(position_bias=0.0)), EXAMINATION > 0
        )
