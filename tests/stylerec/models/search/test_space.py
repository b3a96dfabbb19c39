import pytest
from pydantic import ValidationError

from stylerec.errors import ConfigError
from stylerec.models.search.space import Choice, FloatRange, IntRange, SearchSpace


class TestFloatRange:
    def test_contains_its_bounds_and_nothing_beyond(self) -> None:
        bounds = FloatRange(low=0.1, high=0.3)
        assert [bounds.contains(value) for value in (0.1, 0.3, 0.09, 0.31)] == [True, True, 0, 0]

    def test_rounds_to_four_digits_within_the_bounds(self) -> None:
        assert FloatRange(low=1e-4, high=1.0).readable(0.00123456) == 0.001235
        assert FloatRange(low=0.123446, high=1.0).readable(0.12344601) == 0.123446

    @pytest.mark.parametrize(("low", "high", "is_log"), [(1.0, 1.0, False), (0.0, 1.0, True)])
    def test_refuses_bounds_that_hold_nothing(self, low: float, high: float, is_log: bool) -> None:
        with pytest.raises(ValidationError):
            FloatRange(low=low, high=high, is_log=is_log)


class TestIntRange:
    def test_contains_whole_numbers_only(self) -> None:
        bounds = IntRange(low=1, high=3)
        assert [bounds.contains(value) for value in (1, 3, 2.5, 4, True)] == [1, 1, 0, 0, 0]


class TestChoice:
    def test_tells_one_from_true(self) -> None:
        assert not Choice(values=(1, 2)).contains(True)
        assert Choice(values=(True, False)).contains(True)


class TestSearchSpace:
    def test_config_is_the_default_with_changes(self, space: SearchSpace) -> None:
        changed = space.config({"x": 0.9})
        assert changed == space.base.model_copy(update={"x": 0.9})
        assert space.config(space.default) == space.base

    def test_refuses_values_that_the_config_refuses(self, space: SearchSpace) -> None:
        with pytest.raises(ConfigError, match=r"toy: colour: .* got green"):
            space.config({"colour": "green"})

    def test_refuses_a_default_outside_the_space(self, space: SearchSpace) -> None:
        with pytest.raises(ConfigError, match=r"toy, x: expected a default within 0.0 to 1.0"):
            space.with_base({"x": 1.5})

    def test_refuses_a_field_that_the_config_lacks(self, space: SearchSpace) -> None:
        with pytest.raises(ConfigError, match="got depth"):
            SearchSpace("deep", space.base, {"depth": IntRange(low=1, high=2)}, space.train)

    def test_with_base_moves_trial_0(self, space: SearchSpace) -> None:
        moved = space.with_base_json('{"x": 0.25, "epoch_s": 1.0}', where="base")
        assert moved.default == {"x": 0.25, "colour": "red"}
        assert moved.base.epoch_s == 1.0

    @pytest.mark.parametrize("text", ["", "[1]", "{x: 1}"])
    def test_refuses_a_base_that_is_no_object(self, space: SearchSpace, text: str) -> None:
        with pytest.raises(ConfigError, match=r"base.json: expected a JSON object of ToyConfig"):
            space.with_base_json(text, where="base.json")
