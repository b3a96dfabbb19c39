"""Synthetic retailers with position bias: their prepared data beside their truth."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.models.synthetic_truth import Retailer
from benchmarks.models.table import spread
from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import SplitConfig
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.generate import generate
from stylerec.data.synthetic.impressions import SLOTS, TOUCHPOINTS

Float64Array = NDArray[np.float64]
SPLIT = SplitConfig(kind="temporal", validation_days=14.0, test_days=14.0)
RETAILERS: dict[str, dict[str, float]] = {
    "default": {},
    "promoting": {"position_bias": 2.0, "promotion": 4.0},
}
"""Settings of the synthetic retailer. The default one ranks its pages by what suits the customer;
the other by what it wants to sell, and its customers look less far down."""


@dataclass(frozen=True)
class Case:
    """One retailer.

    Attributes:
        retailer: The truth.
        prepared: Folder of prepared data by variant: `naive`, `estimated` and `true` propensities.
    """

    retailer: Retailer
    prepared: dict[str, Path]

    @property
    def data(self) -> PreparedData:
        """With estimated propensities."""
        return PreparedData(self.prepared["estimated"])

    def customer_rows(self) -> NDArray[np.int64]:
        """Returns the history of each simulated customer, -1 without one."""
        rows = np.full(self.retailer.profiles.num_customers, -1)
        for row, name in enumerate(self.data.customers["customer_id"]):
            rows[int(name.removeprefix("c")) - 1] = row
        return rows

    def item_indices(self) -> NDArray[np.int64]:
        """Returns the item index of each row of the synthetic catalogue."""
        items = self.data.items
        index = dict(zip(items["item_id"], items["item_index"], strict=True))
        numbers = self.retailer.shop.catalogue.item_number
        return np.array([index[f"i{number:06d}"] for number in numbers])

    def estimated_propensity(self) -> Float64Array:
        """Returns the estimates, `[touchpoints, P]`, 1 where there is none."""
        table = np.ones_like(self.retailer.shop.examination)
        found = self.data.propensities
        assert found is not None
        for row, touchpoint in enumerate(TOUCHPOINTS):
            values = found.touchpoints.get(touchpoint.value, (1.0,))
            table[row] = [values[min(place, len(values) - 1)] for place in range(table.shape[1])]
        return table


def make_case(work: Path, name: str, *, num_customers: int, seed: int) -> Case:
    """Returns a retailer of `RETAILERS`; what an earlier call wrote is used again."""
    config = SyntheticConfig.model_validate(
        {
            "seed": seed,
            "num_customers": num_customers,
            "num_outfits": 0,
            "has_pictures": False,
            **RETAILERS[name],
        }
    )
    folder = work / f"{name}-{num_customers}-{seed}"
    tables, estimated, true = (folder / part for part in ("tables", "estimated", "true"))
    retailer = Retailer.simulate(config)
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        generate(tables, config)
        prepare(tables, estimated, PrepareConfig(split=SPLIT), progress=lambda line: None)
        shutil.copytree(estimated, true, dirs_exist_ok=True)
        truth = true_propensity(tables, retailer.shop.examination)
        np.save(true / "propensity.npy", truth, allow_pickle=False)
        (folder / "done").touch()
    return Case(retailer, {"naive": estimated, "estimated": estimated, "true": true})


def true_propensity(tables: Path, examination: Float64Array) -> NDArray[np.float32]:
    """Returns the true propensity of each interaction, in the order of the histories."""
    log = pd.read_parquet(
        tables / "interactions.parquet",
        columns=["customer_id", "timestamp", "touchpoint", "position"],
    ).sort_values(["customer_id", "timestamp"])
    is_placed = log["position"].notna().to_numpy()
    code = {touchpoint.value: row for row, touchpoint in enumerate(TOUCHPOINTS)}
    touchpoint = log["touchpoint"][is_placed].map(code).to_numpy(np.int64)
    propensity = np.ones(len(log), dtype=np.float32)
    propensity[is_placed] = examination[touchpoint, log["position"][is_placed].to_numpy(np.int64)]
    return propensity


def propensity_errors(cases: list[Case]) -> dict[str, Any]:
    """Returns per touchpoint the errors of the estimates and of plain click rates."""
    errors: dict[str, Any] = {}
    for row, touchpoint in enumerate(TOUCHPOINTS):
        places = slice(0, int(SLOTS[row]))
        figures: dict[str, list[float]] = {}
        for case in cases:
            found = {
                "estimated": case.estimated_propensity()[row, places],
                "click_rate": _click_rates(case.retailer, row)[places],
            }
            for name, values in found.items():
                error = np.abs(values - case.retailer.shop.examination[row, places])
                figures.setdefault(f"{name}_max", []).append(float(error.max()))
                figures.setdefault(f"{name}_mean", []).append(float(error.mean()))
        errors[touchpoint.value] = {name: spread(values) for name, values in figures.items()}
    return errors


def _click_rates(retailer: Retailer, touchpoint: int) -> Float64Array:
    """Returns clicks per impression of each position over the first one's, `[P]`."""
    is_here = retailer.pages.touchpoint == touchpoint
    shown = retailer.pages.is_shown[is_here].sum(axis=0)
    clicked = retailer.pages.is_clicked[is_here].sum(axis=0)
    rate = clicked / np.maximum(shown, 1)
    return np.asarray(rate / max(rate[0], 1e-12))
