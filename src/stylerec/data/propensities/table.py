"""What the estimation finds: a propensity per touchpoint and position."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pandas as pd
from pydantic import BaseModel, ConfigDict

from stylerec.schema.columns import POSITION, PROPENSITY, TOUCHPOINT


class Propensities(BaseModel):
    """Examination propensities; written as `propensities.json` beside the prepared data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    touchpoints: Mapping[str, tuple[float, ...]]
    """Touchpoint to the propensity of each position from 0, relative to the first one shown.

    Positions further down than the list are as likely to be examined as its last.
    """
    left_out: Mapping[str, str]
    """Touchpoint that could not be estimated to the reason."""

    def frame(self) -> pd.DataFrame:
        """Returns `touchpoint`, `position`, `propensity`, one row each."""
        rows = [
            (touchpoint, position, value)
            for touchpoint, values in self.touchpoints.items()
            for position, value in enumerate(values)
        ]
        frame = pd.DataFrame(rows, columns=[TOUCHPOINT, POSITION, PROPENSITY])
        return frame.astype({POSITION: "int64", PROPENSITY: "float64"})

    def save(self, path: Path) -> None:
        """Writes the propensities as JSON."""
        path.write_text(self.model_dump_json(indent=2), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))
