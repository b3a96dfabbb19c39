"""What a search may change: a default configuration and ranges for some of its fields."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stylerec.errors import ConfigError
from stylerec.models.records import EpochRecord, TrainingResult

ParameterValue = bool | int | float | str

_DIGITS = 4
_FROZEN = ConfigDict(frozen=True, extra="forbid")


class FloatRange(BaseModel):
    """Numbers from `low` to `high`, both included; `is_log` searches their logarithm evenly."""

    model_config = _FROZEN

    kind: Literal["float"] = "float"
    low: float
    high: float
    is_log: bool = False

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Self:
        _check_bounds(self.low, self.high, is_log=self.is_log)
        return self

    def contains(self, value: ParameterValue) -> bool:
        """Returns whether the value lies within the bounds."""
        return _is_number(value) and self.low <= float(value) <= self.high

    def readable(self, value: ParameterValue) -> ParameterValue:
        """Returns the value with four significant digits: more would claim a false precision."""
        return min(max(float(f"{float(value):.{_DIGITS}g}"), self.low), self.high)


class IntRange(BaseModel):
    """Whole numbers from `low` to `high`, both included."""

    model_config = _FROZEN

    kind: Literal["int"] = "int"
    low: int
    high: int
    is_log: bool = False

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Self:
        _check_bounds(self.low, self.high, is_log=self.is_log)
        return self

    def contains(self, value: ParameterValue) -> bool:
        """Returns whether the value is a whole number within the bounds."""
        return _is_number(value) and value == int(value) and self.low <= int(value) <= self.high

    def readable(self, value: ParameterValue) -> ParameterValue:
        """Returns the value as it is."""
        return int(value)


class Choice(BaseModel):
    """One of some values."""

    model_config = _FROZEN

    kind: Literal["choice"] = "choice"
    values: tuple[ParameterValue, ...] = Field(min_length=2)

    def contains(self, value: ParameterValue) -> bool:
        """Returns whether the value is one of them; 1 is not True."""
        return any(type(value) is type(known) and value == known for known in self.values)

    def readable(self, value: ParameterValue) -> ParameterValue:
        """Returns the value as it is."""
        return value


Parameter = Annotated[FloatRange | IntRange | Choice, Field(discriminator="kind")]
Config = TypeVar("Config", bound=BaseModel)
AnyConfig = TypeVar("AnyConfig", bound=BaseModel, contravariant=True)


class TrainFunction(Protocol[AnyConfig]):
    """Trains one configuration on prepared data."""

    def __call__(
        self,
        prepared: Path,
        output: Path,
        config: AnyConfig,
        *,
        checkpoint: Path,
        on_epoch: Callable[[EpochRecord], None],
        progress: Callable[[str], None],
    ) -> TrainingResult:
        """Writes the model into `output`; what `on_epoch` raises ends the training."""


@dataclass(frozen=True)
class SearchSpace(Generic[Config]):
    """A model's default configuration and the fields that a search may change.

    Attributes:
        name: What the command line calls it.
        base: The default; trial 0 of every search, so that no search can end below it.
        parameters: Field of the configuration to its range. Every combination is valid.
        train: Trains one configuration.
    """

    name: str
    base: Config
    parameters: Mapping[str, Parameter]
    train: TrainFunction[Config]

    def __post_init__(self) -> None:
        fields = type(self.base).model_fields
        for field, parameter in self.parameters.items():
            if field not in fields:
                raise ConfigError(
                    f"search space {self.name}",
                    expected=f"fields of {type(self.base).__name__}",
                    got=field,
                    fix="name the field as the configuration does",
                )
            value = getattr(self.base, field)
            if not parameter.contains(value):
                raise ConfigError(
                    f"search space {self.name}, {field}",
                    expected=f"a default within {_described(parameter)}",
                    got=str(value),
                    fix="change the default or the space",
                )

    @property
    def default(self) -> dict[str, ParameterValue]:
        """The searched fields' values in the default configuration."""
        return {field: getattr(self.base, field) for field in self.parameters}

    def config(self, values: Mapping[str, ParameterValue]) -> Config:
        """Returns the default configuration with some fields changed.

        Raises:
            ConfigError: The configuration refuses the values.
        """
        try:
            return type(self.base).model_validate({**self.base.model_dump(), **values})
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "fields together"
            raise ConfigError(
                f"{self.name}: {field}",
                expected=f"a valid {type(self.base).__name__}",
                got=str(first["input"]) if first["loc"] else "others",
                fix=first["msg"],
            ) from error

    def with_base(self, changes: Mapping[str, Any]) -> "SearchSpace[Config]":
        """Returns the space around another default.

        Args:
            changes: Fields of the configuration that differ from this default.

        Raises:
            ConfigError: The values are not valid, or lie outside the space.
        """
        return replace(self, base=self.config(changes))

    def with_base_json(self, text: str, *, where: str) -> "SearchSpace[Config]":
        """Returns the space around the default that a JSON object changes.

        Args:
            text: JSON object of fields that differ from this default.
            where: Where the text comes from, for the message.

        Raises:
            ConfigError: It is no JSON object, or `with_base` refuses it.
        """
        try:
            changes = json.loads(text)
        except ValueError:
            changes = None
        if not isinstance(changes, dict):
            raise ConfigError(
                where,
                expected=f"a JSON object of {type(self.base).__name__}'s fields",
                got=text.strip()[:40] or "nothing",
                fix="write it as {} with the fields that differ from the default",
            )
        return self.with_base(changes)


def _is_number(value: ParameterValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_bounds(low: float, high: float, *, is_log: bool) -> None:
    if not low < high:
        raise ValueError(f"expected low below high, got {low} and {high}")
    if is_log and low <= 0:
        raise ValueError(f"expected a positive low on a log scale, got {low}")


def _described(parameter: FloatRange | IntRange | Choice) -> str:
    if isinstance(parameter, Choice):
        return ", ".join(map(str, parameter.values))
    return f"{parameter.low} to {parameter.high}"
