from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from stylerec.data.prepared import DatasetSummary
from stylerec.data.splits import Split, Targets
from stylerec.models.search.space import SearchSpace
from stylerec.models.search.spaces import MODULES, load_space
from stylerec.models.search.study import Study, TrialRecord

TOY = Path(__file__).parent / "toy"


@pytest.fixture(autouse=True)
def _toy_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, "toy", "toy_space")
    monkeypatch.syspath_prepend(str(TOY))
    monkeypatch.setenv("PYTHONPATH", str(TOY))


@pytest.fixture
def toy(_toy_is_known: None) -> ModuleType:
    """The toy space's module: what its training reaches, and when it fails."""
    return import_module("toy_space")


@pytest.fixture
def space() -> SearchSpace:
    return load_space("toy")


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """What a search looks at: the data's summary and split."""
    folder = tmp_path / "prepared"
    targets = Targets(np.arange(2), np.array([3, 8]))
    Split(np.array([3, 4]), targets, targets).save(folder / "split")
    summary = DatasetSummary(
        num_customers=2,
        num_items=5,
        num_interactions=11,
        num_outfits=0,
        has_timestamps=True,
        has_event_types=True,
        has_outfits=False,
        has_images=False,
        has_prices=False,
        markets=(),
        latest_timestamp_s=1,
        dropped={},
        omitted={},
    )
    (folder / "dataset.json").write_text(summary.model_dump_json())
    return folder


@pytest.fixture
def study(tmp_path: Path, space: SearchSpace, prepared: Path) -> Study:
    study = Study(tmp_path / "study", "toy")
    study.start(space, prepared, seed=3)
    return study


@pytest.fixture
def make_record() -> Callable[..., TrialRecord]:
    def make(number: int, value: float | None = 0.5, **changes) -> TrialRecord:
        fields = {
            "number": number,
            "state": "failed" if value is None else "complete",
            "value": value,
            "parameters": {"x": 0.5, "colour": "red"},
            "seed": 5,
            "epochs": 2,
            "curve": () if value is None else (value / 2, value),
            "seconds": 1.0,
        }
        return TrialRecord.model_validate({**fields, **changes})

    return make
