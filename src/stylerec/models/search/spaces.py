"""The search spaces by name; each model keeps its own."""

from importlib import import_module
from typing import Any

from stylerec.errors import ConfigError
from stylerec.models.search.space import SearchSpace

MODULES = {
    "next_item": "stylerec.models.next_item.search_space",
    "next_item_ids": "stylerec.models.next_item.search_space",
    "ranking": "stylerec.models.ranking.search_space",
    "amf": "stylerec.models.ranking.search_space",
}
"""Space to the module whose `SPACES` holds it, imported when asked for: models know of searching,
searching knows of no model."""


def load_space(name: str) -> SearchSpace[Any]:
    """Returns the space called `name`.

    Raises:
        ConfigError: There is none of that name.
    """
    if name not in MODULES:
        raise ConfigError(
            "search space", expected=f"one of {', '.join(MODULES)}", got=name, fix="choose one"
        )
    space: SearchSpace[Any] = import_module(MODULES[name]).SPACES[name]
    return space
