"""The checked-in configs that a search on validation chose: `benchmarks/configs/<data>/`."""

import json
from pathlib import Path
from typing import Any, Literal

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
Space = Literal["next_item", "next_item_ids", "ranking", "amf"]
WITHOUT_CONTENT: dict[str, Any] = {"use_content": False, "id_dropout": 0.0}


def chosen_config(dataset: str, space: Space) -> dict[str, Any]:
    """Returns the searched fields of a data set, or the defaults where none was searched."""
    path = CONFIGS / dataset / f"{space}.json"
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text())
        return found
    return WITHOUT_CONTENT if space == "next_item_ids" else {}
