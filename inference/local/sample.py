"""Picks a customer and items of a retailer to show one request per touchpoint with."""

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from safetensors.numpy import load_file

from inference.local.workspace import Workspace
from stylerec.release.manifest import CATALOGUE_ARRAYS_FILE, CATALOGUE_FILE
from stylerec.release.store import Release
from stylerec.schema.columns import (
    CATEGORY,
    CUSTOMER_ID,
    IN_STOCK,
    INTERACTIONS,
    ITEM_ID,
    PRODUCT_TYPE,
    TITLE,
)
from stylerec.schema.tensors import PADDING_INDEX
from stylerec.schema.touchpoints import Touchpoint

_ROWS_LOOKED_AT = 20_000
_LONGEST_HISTORY = 40
_PAGE_SIZE = 60


class Sample:
    """Requests about one real customer of the retailer, one per touchpoint.

    Args:
        workspace: Gives the retailer's interactions.
        release: Gives the catalogue and what is bought together.
    """

    def __init__(self, workspace: Workspace, release: Release) -> None:
        catalogue = pd.read_parquet(release.folder / CATALOGUE_FILE)
        self._catalogue = catalogue[catalogue[IN_STOCK]]
        self._titles = dict(zip(catalogue[ITEM_ID], catalogue[TITLE], strict=True))
        self._market = release.manifest.markets[0] if release.manifest.markets else None
        neighbours = load_file(release.folder / CATALOGUE_ARRAYS_FILE)["neighbour_index"]
        is_bought_with_others = (neighbours[catalogue["item_index"]] != PADDING_INDEX).sum(1) > 3
        self._heroes = set(catalogue[ITEM_ID][catalogue[IN_STOCK] & is_bought_with_others])
        self.customer_id, self._history = _customer(workspace.tables)

    def title(self, item_id: str) -> str:
        """Returns an item's title, or its id where the retailer gives none."""
        return self._titles.get(item_id) or item_id

    def requests(self) -> list[dict[str, Any]]:
        """Returns one V1 instance per touchpoint, in the design's order."""
        hero = self._hero()
        page = self._page(of=hero)
        extra: dict[Touchpoint, dict[str, Any]] = {
            Touchpoint.CATEGORY_PAGE: {"candidate_item_ids": page},
            Touchpoint.SEARCH_PAGE: {"candidate_item_ids": page[::2]},
            Touchpoint.YOU_MIGHT_ALSO_LIKE: {"hero_item_id": hero},
            Touchpoint.PEOPLE_ALSO_BOUGHT: {"hero_item_id": hero},
            Touchpoint.LITTLE_SOMETHING_EXTRA: {"bag_item_ids": self._bag(hero)},
            Touchpoint.FOR_YOU: {},
            Touchpoint.COMPLETE_THE_LOOK: {"hero_item_id": hero},
        }
        common = {"customer_id": self.customer_id, "market": self._market}
        given = {key: value for key, value in common.items() if value is not None}
        return [
            {"touchpoint": touchpoint.value, **given, **extra[touchpoint]} for touchpoint in extra
        ]

    def interaction(self) -> dict[str, Any]:
        """Returns an interaction to post: the customer views an item they have not seen."""
        seen = set(self._history)
        item_id = next(item for item in self._catalogue[ITEM_ID] if item not in seen)
        customer_id = self.customer_id or "a-new-customer"
        return {"customer_id": customer_id, "item_id": item_id, "event_type": "view"}

    def _hero(self) -> str:
        """Returns the customer's latest item that is in stock and was bought with others."""
        newest_first = [*reversed(self._history), *self._catalogue[ITEM_ID]]
        in_stock = set(self._catalogue[ITEM_ID])
        heroes = self._heroes or in_stock
        return next(item for item in newest_first if item in heroes)

    def _bag(self, hero: str) -> list[str]:
        others = [item for item in reversed(self._history) if item != hero]
        return [hero, *others[:1]]

    def _page(self, *, of: str) -> list[str]:
        column = CATEGORY if self._catalogue[CATEGORY].notna().any() else PRODUCT_TYPE
        row = self._catalogue[self._catalogue[ITEM_ID] == of].iloc[0]
        alike = self._catalogue[self._catalogue[column] == row[column]]
        page = alike if len(alike) >= _PAGE_SIZE // 2 else self._catalogue
        return [str(item) for item in page[ITEM_ID].head(_PAGE_SIZE)]


def _customer(tables: Path) -> tuple[str | None, list[str]]:
    """Returns a customer with a fair history and its item ids, oldest first."""
    rows = _first_interactions(tables)
    if rows.empty:
        return None, []
    counts = Counter(rows[CUSTOMER_ID])
    fair = [customer for customer, n in counts.most_common() if n <= _LONGEST_HISTORY]
    customer_id = fair[0] if fair else counts.most_common()[-1][0]
    history = rows[rows[CUSTOMER_ID] == customer_id]
    return str(customer_id), [str(item) for item in history[ITEM_ID]]


def _first_interactions(tables: Path) -> pd.DataFrame:
    columns = [CUSTOMER_ID, ITEM_ID]
    parquet = tables / f"{INTERACTIONS.name}.parquet"
    csv = tables / f"{INTERACTIONS.name}.csv"
    if parquet.exists():
        batches = pq.ParquetFile(parquet).iter_batches(_ROWS_LOOKED_AT, columns=columns)
        first = next(batches, None)
        return pd.DataFrame(columns=columns) if first is None else first.to_pandas()
    if csv.exists():
        return pd.read_csv(csv, usecols=columns, dtype=str, nrows=_ROWS_LOOKED_AT)
    return pd.DataFrame(columns=columns)
