"""External string ids to the integers that models take, and back."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stylerec.errors import ReleaseError
from stylerec.schema.tensors import FIRST_ITEM_INDEX, UNKNOWN_INDEX


@dataclass(frozen=True)
class Vocabulary:
    """Item ids and categorical values in index order; 0 is padding and 1 is unknown everywhere.

    Attributes:
        item_ids: `item_ids[i]` has `item_index` `i + 2`.
        categories: Per categorical column its known values; value `j` has index `j + 2`.
    """

    item_ids: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _index: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index = {item_id: i for i, item_id in enumerate(self.item_ids, start=FIRST_ITEM_INDEX)}
        if len(index) != len(self.item_ids):
            raise ReleaseError(
                "vocabulary.item_ids",
                expected="distinct item ids",
                got=f"{len(self.item_ids) - len(index)} repeats",
                fix="rebuild the release from validated tables",
            )
        object.__setattr__(self, "_index", index)

    @property
    def num_items(self) -> int:
        """Number of embedding rows: known items plus padding and unknown."""
        return len(self.item_ids) + FIRST_ITEM_INDEX

    def item_index(self, item_id: str) -> int:
        """Returns the index of an item id, 1 if it is not known."""
        return self._index.get(item_id, UNKNOWN_INDEX)

    def encode_items(self, item_ids: Iterable[str]) -> NDArray[np.int64]:
        """Returns the index of each item id, int64 `[n]`, 1 where it is not known."""
        get = self._index.get
        return np.fromiter((get(item_id, UNKNOWN_INDEX) for item_id in item_ids), dtype=np.int64)

    def item_id(self, item_index: int) -> str:
        """Returns the item id of an index.

        Raises:
            IndexError: `item_index` is padding, unknown or outside the vocabulary.
        """
        if not FIRST_ITEM_INDEX <= item_index < self.num_items:
            raise IndexError(f"item_index {item_index} names no item")
        return self.item_ids[item_index - FIRST_ITEM_INDEX]

    def encode_category(self, column: str, values: Sequence[str | None]) -> NDArray[np.int64]:
        """Returns the index of each value of a categorical column: 0 if missing, 1 if not known."""
        known = {v: j for j, v in enumerate(self.categories[column], start=FIRST_ITEM_INDEX)}
        return np.fromiter(
            (0 if value is None else known.get(value, UNKNOWN_INDEX) for value in values),
            dtype=np.int64,
        )

    def category_size(self, column: str) -> int:
        """Number of embedding rows for a categorical column, padding and unknown included."""
        return len(self.categories[column]) + FIRST_ITEM_INDEX

    def save(self, path: Path) -> None:
        """Writes the vocabulary as JSON."""
        document = {"item_ids": self.item_ids, "categories": dict(self.categories)}
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Reads a vocabulary that `save` wrote."""
        document = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            item_ids=tuple(document["item_ids"]),
            categories={name: tuple(known) for name, known in document["categories"].items()},
        )
