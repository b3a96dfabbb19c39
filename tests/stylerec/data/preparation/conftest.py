from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.engine import Engine, open_engine
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


@pytest.fixture
def engine(tmp_path):
    folder = tmp_path / "engine"
    folder.mkdir()
    with open_engine(folder, PrepareConfig(memory_limit_mb=256, num_threads=1)) as opened:
        yield opened


@pytest.fixture
def retailer() -> dict[str, pd.DataFrame]:
    """Two customers with everything; item `cold` is never met, `ghost` is not in the catalogue."""
    rows = [
        ("bob", "a", "view", at(3), "GB", "e1"),
        ("ann", "a", "view", at(1), None, "e2"),
        ("ann", "b", "purchase", at(2), "DE", "e3"),
        ("ann", "a", "purchase", at(2), "DE", "e4"),
        ("ann", "b", "purchase", at(2), "DE", "e3"),
        ("ann", "ghost", "view", at(5), "DE", "e5"),
        ("bob", "b", "purchase", at(4), "GB", "e6"),
        ("bob", "c", "purchase", at(5), "GB", "e7"),
    ]
    columns = ["customer_id", "item_id", "event_type", "timestamp", "market", "event_id"]
    return {
        "interactions": pd.DataFrame(rows, columns=columns),
        "items": pd.DataFrame(
            {
                "item_id": ["c", "a", "b", "cold"],
                "title": ["red shoe", "red dress", "blue dress", "blue shoe"],
                "category": ["shoes", "dresses", "dresses", "shoes"],
                "price": [30.0, 20.0, None, 10.0],
                "in_stock": pd.array([True, False, None, True], dtype="boolean"),
                "markets": [["GB"], ["DE", "GB"], None, ["FR"]],
                "image_path": ["images/c.png", "images/a.png", "images/b.png", None],
            }
        ),
        "outfits": pd.DataFrame(
            {
                "outfit_id": ["o1", "o1", "o1", "o2", "o2", "o3"],
                "item_id": ["a", "c", "ghost", "b", "c", "a"],
                "is_hero": [False, True, False, False, False, True],
            }
        ),
    }


@pytest.fixture
def tables(tmp_path) -> Callable[..., Path]:
    """Writes frames as a folder of tables with three pictures: a good, a corrupt, a missing one."""

    def write(frames: dict[str, pd.DataFrame], suffix: str = ".parquet") -> Path:
        folder = tmp_path / f"tables{suffix}"
        (folder / "images").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 60), (200, 10, 10)).save(folder / "images" / "a.png")
        (folder / "images" / "b.png").write_bytes(b"\x89PNG not really")
        for name, frame in frames.items():
            if suffix == ".parquet":
                frame.to_parquet(folder / f"{name}.parquet", index=False)
                continue
            lists = {
                c: frame[c].map("|".join, na_action="ignore") for c in ("markets",) if c in frame
            }
            frame.assign(**lists).to_csv(folder / f"{name}.csv", index=False)
        return folder

    return write


@pytest.fixture
def prepared(tmp_path, tables) -> Callable[..., PreparedData]:
    """Prepares frames and returns the result."""

    def run(
        frames: dict[str, pd.DataFrame], suffix: str = ".parquet", **config: object
    ) -> PreparedData:
        output = tmp_path / f"prepared{suffix}"
        prepare(tables(frames, suffix), output, PrepareConfig(**config), progress=lambda line: None)
        return PreparedData(output)

    return run


__all__ = ["Engine", "at"]
