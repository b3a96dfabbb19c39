"""The release's items as arrays: all that candidate rules and fallback rungs look up.

V is `Vocabulary.num_items`; rows 0 (padding) and 1 (unknown) describe no item. M markets, K
neighbours, E content embedding. About 0.75 kB per item with K = 50 and E = 64.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.errors import ReleaseError
from stylerec.features.vocabulary import Vocabulary
from stylerec.schema import columns
from stylerec.schema.tensors import FIRST_ITEM_INDEX
from stylerec.serving import item_columns
from stylerec.serving.postings import MISSING_CODE, Postings
from stylerec.serving.style_index import StyleIndex

ALL_MARKETS_ROW = 0
_EXPECTED_DIMS = {
    "popularity": 2,
    "neighbour_index": 2,
    "neighbour_score": 2,
    "content_embedding": 2,
}

Templates = Mapping[str, Sequence[Sequence[str]]]
"""Hero product type (or `*`) to lists of product types, best first."""


@dataclass(frozen=True)
class Catalogue:
    """Immutable; live stock comes as a new `Catalogue` from `with_stock`, sharing the rest.

    Attributes:
        markets: Names of the markets; market m has row m + 1 of `sold_in` and `popularity`.
        category: int32 `[V]` codes, 0 missing. Where a retailer has no categories, product types.
        product_type: int32 `[V]` codes, 0 missing. Where there are no product types, categories.
        product_types: Name of each product type code.
        department: int32 `[V]` codes, 0 missing.
        departments: Name of each department code.
        brand: int32 `[V]` codes, 0 missing.
        price: float32 `[V]`, what the customer pays now; NaN if not known.
        in_stock: bool `[V]`, true where the retailer does not say.
        sold_in: bool `[M + 1, V]`; row 0 is true everywhere.
        popularity: float32 `[M + 1, V]`; row 0 all markets.
        popular: int32 `[M + 1, V - 2]` items, most popular first.
        on_sale: int32 items whose sale price is below their price, most popular first.
        newest: int32 items with a date, newest first.
        by_category: Postings, most popular (of all markets) first.
        by_product_type: The same by product type.
        by_department: The same by department.
        types_of_department: Department code to its product type codes, most popular first;
            code 0 holds the types of all departments.
        category_of_type: int32, product type code to the category most of its items have.
        neighbour_index: int32 `[V, K]` items bought together, best first, 0 padded.
        neighbour_score: float32 `[V, K]`.
        content: float32 `[V, E]` unit rows, zero without content.
        templates: Learnt outfit templates, keys in lower case; empty without outfits.
        style: Style embeddings, one kilobyte per item with 256 numbers; None without outfits.
    """

    markets: tuple[str, ...]
    category: NDArray[np.int32]
    product_type: NDArray[np.int32]
    product_types: tuple[str, ...]
    department: NDArray[np.int32]
    departments: tuple[str, ...]
    brand: NDArray[np.int32]
    price: NDArray[np.float32]
    in_stock: NDArray[np.bool_]
    sold_in: NDArray[np.bool_]
    popularity: NDArray[np.float32]
    popular: NDArray[np.int32]
    on_sale: NDArray[np.int32]
    newest: NDArray[np.int32]
    by_category: Postings
    by_product_type: Postings
    by_department: Postings
    types_of_department: Mapping[int, tuple[int, ...]]
    category_of_type: NDArray[np.int32]
    neighbour_index: NDArray[np.int32]
    neighbour_score: NDArray[np.float32]
    content: NDArray[np.float32]
    templates: Templates = field(default_factory=dict)
    style: StyleIndex | None = None

    @classmethod
    def from_frames(
        cls,
        items: pd.DataFrame,
        *,
        vocabulary: Vocabulary,
        arrays: Mapping[str, NDArray[Any]],
        markets: Sequence[str] = (),
        templates: Templates | None = None,
        style: Mapping[str, NDArray[Any]] | None = None,
    ) -> Self:
        """Returns the catalogue of a release.

        Args:
            items: Canonical item columns plus `item_index`, in index order from 2.
            vocabulary: Gives V.
            arrays: As `PreparedData.catalogue_arrays`.
            markets: As `DatasetSummary.markets`, the order of `popularity`'s rows.
            templates: Learnt outfit templates, None without outfits.
            style: `style_embedding` float32 `[V, D]` and `customer_norm` `[1]`; None without
                outfits.

        Raises:
            ReleaseError: The parts do not belong to one release.
        """
        _refuse_mismatch(items, vocabulary, arrays, markets)
        popularity = np.asarray(arrays["popularity"], dtype=np.float32)
        listed = np.argsort(-popularity[:, FIRST_ITEM_INDEX:], axis=1, kind="stable")
        popular = (listed + FIRST_ITEM_INDEX).astype(np.int32)
        by_popularity = popular[ALL_MARKETS_ROW]

        category, types, type_names = item_columns.kinds(items)
        department, departments = item_columns.codes(items, columns.DEPARTMENT)
        brand, _ = item_columns.codes(items, columns.BRAND)
        price, is_on_sale = item_columns.prices(items)
        first_seen_s = item_columns.first_seen_s(items)
        by_product_type = Postings.build(types, by_popularity)
        dated = by_popularity[first_seen_s[by_popularity] > 0]
        return cls(
            markets=tuple(markets),
            category=category,
            product_type=types,
            product_types=type_names,
            department=department,
            departments=departments,
            brand=brand,
            price=price,
            in_stock=item_columns.in_stock(items),
            sold_in=item_columns.sold_in(items, markets),
            popularity=popularity,
            popular=popular,
            on_sale=by_popularity[is_on_sale[by_popularity]],
            newest=dated[np.argsort(-first_seen_s[dated], kind="stable")],
            by_category=Postings.build(category, by_popularity),
            by_product_type=by_product_type,
            by_department=Postings.build(department, by_popularity),
            types_of_department=item_columns.type_popularity(department, types, popularity[0]),
            category_of_type=item_columns.category_of_type(types, category, len(type_names)),
            neighbour_index=np.asarray(arrays["neighbour_index"], dtype=np.int32),
            neighbour_score=np.asarray(arrays["neighbour_score"], dtype=np.float32),
            content=np.asarray(arrays["content_embedding"], dtype=np.float32),
            templates={name.casefold(): list(t) for name, t in (templates or {}).items()},
            style=None if style is None else _style_index(style, by_product_type.items),
        )

    @property
    def num_items(self) -> int:
        """V: known items plus padding and unknown."""
        return len(self.category)

    @cached_property
    def has_prices(self) -> bool:
        """Whether any item has a price; without, price filters let everything pass."""
        return bool(np.isfinite(self.price).any())

    @cached_property
    def _type_codes(self) -> dict[str, int]:
        return {name.casefold(): code for code, name in enumerate(self.product_types) if code}

    @property
    def known_types(self) -> Collection[str]:
        """Product types that items have, in lower case."""
        return self._type_codes.keys()

    def market_row(self, market: str | None) -> int:
        """Returns the row of a market; 0 (all markets) without one or where there are none."""
        return self.markets.index(market) + 1 if market in self.markets else ALL_MARKETS_ROW

    def product_type_code(self, name: str) -> int:
        """Returns the code of a product type, whatever its case; 0 if no item has it."""
        return self._type_codes.get(name.casefold(), MISSING_CODE)

    def with_stock(self, in_stock: NDArray[np.bool_]) -> Self:
        """Returns the same catalogue with another stock, bool `[V]`.

        Raises:
            ValueError: The array has another length.
        """
        if in_stock.shape != self.in_stock.shape:
            raise ValueError(f"in_stock: expected {self.in_stock.shape}, got {in_stock.shape}")
        return replace(self, in_stock=in_stock.astype(np.bool_))


def _style_index(arrays: Mapping[str, NDArray[Any]], order: NDArray[np.int32]) -> StyleIndex:
    num_items = len(order) + FIRST_ITEM_INDEX
    missing = {"style_embedding", "customer_norm"} - set(arrays)
    if missing or len(arrays["style_embedding"]) != num_items:
        raise ReleaseError(
            "style_embedding.safetensors",
            expected=f"{num_items} rows and customer_norm",
            got=f"no {', '.join(sorted(missing))}"
            if missing
            else f"{len(arrays['style_embedding'])} rows",
            fix="export the outfit model again and rebuild the release",
        )
    norm = float(arrays["customer_norm"][0])
    return StyleIndex.build(arrays["style_embedding"], order, customer_norm=norm)


def _refuse_mismatch(
    items: pd.DataFrame,
    vocabulary: Vocabulary,
    arrays: Mapping[str, NDArray[Any]],
    markets: Sequence[str],
) -> None:
    fix = "rebuild the release: its files come from different runs"
    expected = np.arange(FIRST_ITEM_INDEX, vocabulary.num_items)
    if "item_index" not in items or not np.array_equal(items["item_index"].to_numpy(), expected):
        raise ReleaseError(
            "catalogue.parquet: item_index",
            expected=f"{FIRST_ITEM_INDEX} to {vocabulary.num_items - 1} in order",
            got=f"{len(items)} rows that differ",
            fix=fix,
        )
    for name, dims in _EXPECTED_DIMS.items():
        axis = 1 if name == "popularity" else 0
        array = arrays.get(name)
        if array is None or array.ndim != dims or array.shape[axis] != vocabulary.num_items:
            raise ReleaseError(
                f"catalogue.safetensors: {name}",
                expected=f"{vocabulary.num_items} items on axis {axis}",
                got="nothing" if array is None else f"shape {array.shape}",
                fix=fix,
            )
    if len(arrays["popularity"]) != len(markets) + 1:
        raise ReleaseError(
            "catalogue.safetensors: popularity",
            expected=f"{len(markets) + 1} rows (all markets, then each)",
            got=str(len(arrays["popularity"])),
            fix=fix,
        )
