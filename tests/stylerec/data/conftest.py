import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
REPOSITORY = Path(__file__).parents[3]

Frames = dict[str, pd.DataFrame]
Save = Callable[..., Path]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def frames() -> Frames:
    """A valid retailer: 3 items, 4 interactions by 2 customers, 1 outfit, 2 impressions."""
    return {
        "interactions": pd.DataFrame(
            {
                "customer_id": ["007", "007", "c2", "c2"],
                "item_id": ["01", "i2", "01", "i3"],
                "event_type": ["view", "purchase", "save", "add_to_bag"],
                "timestamp": [NOW - timedelta(hours=h) for h in (4, 3, 2, 1)],
                "price": [10.0, None, 10.0, 5.5],
                "event_id": ["e1", "e2", None, "e4"],
            }
        ),
        "items": pd.DataFrame(
            {
                "item_id": ["01", "i2", "i3"],
                "title": ["Red dress, long", 'Boots "Ada"', "Hat\nand scarf"],
                "price": [10.0, 80.0, 5.5],
                "in_stock": pd.array([True, False, None], dtype="boolean"),
                "markets": [["GB", "US"], ["GB"], None],
            }
        ),
        "outfits": pd.DataFrame(
            {
                "outfit_id": ["o1", "o1"],
                "item_id": ["01", "i2"],
                "is_hero": [True, False],
            }
        ),
        "impressions": pd.DataFrame(
            {
                "request_id": ["r1", "r1"],
                "customer_id": ["007", "007"],
                "touchpoint": ["for-you", "for-you"],
                "item_id": ["01", "i2"],
                "position": [0, 1],
                "clicked": [True, False],
            }
        ),
    }


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes frames as a folder of tables, as an exporting retailer would with pandas."""

    def run(frames: Frames, suffix: str = ".parquet", name: str = "retailer") -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for table, frame in frames.items():
            path = folder / f"{table}{suffix}"
            if suffix == ".parquet":
                frame.to_parquet(path, index=False)
            else:
                lists = {
                    column: frame[column].map("|".join, na_action="ignore")
                    for column in frame
                    if any(isinstance(value, list) for value in frame[column])
                }
                frame.assign(**lists).to_csv(path, index=False)
        return folder

    return run


@pytest.fixture
def real_data() -> Callable[[str], Path]:
    """Returns a folder of the real data, or skips where it is absent."""

    def run(name: str) -> Path:
        root = Path(os.environ.get("STYLEREC_DATA", "../shared/data"))
        folder = root if root.is_absolute() else REPOSITORY / root
        if not (folder / name).is_dir():
            pytest.skip(f"no {name} in {root}; set STYLEREC_DATA to the real data")
        return folder / name

    return run
