"""What company an item keeps: how often the items it is worn with have another item's trait.

V rows of the vocabulary, P pairs of items, K values of a trait.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.data.outfit_evidence import Counts, one_hot, values_at
from stylerec.data.outfits import ITEM_INDEX
from stylerec.schema.columns import ATTRIBUTES, CATEGORICAL_ITEM_COLUMNS, PRODUCT_TYPE

_SEPARATOR = ":"
PRIOR_WEIGHT = 2.0
"""Companions that a trait's usual share counts for."""


def trait_codes(
    items: pd.DataFrame, *, num_items: int, within_type: bool
) -> dict[str, NDArray[np.int64]]:
    """Returns each trait's value, int64 `[V]`, 0 where there is none.

    Traits are the categorical columns but the product type, and the attributes written
    `name:value`; one that has a single value is left out.

    Args:
        items: Canonical item columns plus `item_index`.
        num_items: V.
        within_type: Whether red shoes and red bags are two values.
    """
    has_types = within_type and PRODUCT_TYPE in items
    types = items[PRODUCT_TYPE].fillna("").astype(str) if has_types else ""
    values: dict[str, list[str | None]] = {
        column: [value if isinstance(value, str) else None for value in items[column]]
        for column in CATEGORICAL_ITEM_COLUMNS
        if column in items and column != PRODUCT_TYPE
    }
    values |= _named_attributes(items)
    codes: dict[str, NDArray[np.int64]] = {}
    for name, own in values.items():
        column = pd.Series(own, index=items.index, dtype=object)
        within = pd.factorize(column.where(column.isna(), types + "\n" + column))[0]
        code = np.zeros(num_items, dtype=np.int64)
        code[items[ITEM_INDEX].to_numpy()] = within + 1
        if code.max() > 1:
            codes[name] = code
    return codes


def _named_attributes(items: pd.DataFrame) -> dict[str, list[str | None]]:
    rows: Iterable[object] = items.get(ATTRIBUTES, [])
    named = [
        dict(text.split(_SEPARATOR, 1) for text in row if _SEPARATOR in str(text))
        if isinstance(row, list | tuple | np.ndarray)
        else {}
        for row in rows
    ]
    names: Mapping[str, None] = dict.fromkeys(name for row in named for name in row)
    return {name: [row.get(name) for row in named] for name in names}


@dataclass(frozen=True)
class Company:
    """How much oftener than usual an item's companions of a type have a trait's value.

    Attributes:
        code_V: int64, see `trait_codes`.
        type_V: int64, product type, 0 without.
        with_value_VK: How many companions of each item have each value.
        of_type_VT: How many are of each type.
        share_V: Usual share of an item's value within its type.
    """

    code_V: NDArray[np.int64]
    type_V: NDArray[np.int64]
    with_value_VK: Counts
    of_type_VT: Counts
    share_V: NDArray[np.float64]

    def lift(self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns log(share of `right`'s value in `left`'s company / its usual share), `[P]`.

        The share starts from the usual one with the weight of two companions, so that an item
        without company gives 0.
        """
        usual_P = self.share_V[right_P]
        found_P = values_at(self.with_value_VK, left_P, self.code_V[right_P])
        asked_P = values_at(self.of_type_VT, left_P, self.type_V[right_P])
        share_P = (found_P + PRIOR_WEIGHT * usual_P) / (asked_P + PRIOR_WEIGHT)
        lift_P: NDArray[np.float64] = np.where(
            self.code_V[right_P] > 0, np.log(share_P) - np.log(usual_P), 0.0
        )
        return lift_P


def company(
    together: Counts,
    code_V: NDArray[np.int64],
    type_V: NDArray[np.int64],
    *,
    companions: Counts | None = None,
) -> Company:
    """Returns the company of every item under one trait.

    Args:
        together: In how many outfits two items meet, `[V, V]`; it gives the usual shares.
        code_V: int64, the trait's value, 0 without.
        type_V: int64, product type, 0 without.
        companions: The part of `together` that each item's row remembers, by default all.
    """
    companions = together if companions is None else companions
    worn_V = np.asarray(together.sum(axis=0)).ravel()
    of_value_K = np.bincount(code_V, weights=worn_V)
    of_type_T = np.bincount(type_V, weights=worn_V)
    values_T = np.bincount(np.unique(np.stack([type_V, code_V]), axis=1)[0]).astype(np.float64)
    values_V = values_T[type_V]
    return Company(
        code_V=code_V,
        type_V=type_V,
        with_value_VK=Counts(companions @ one_hot(code_V)),
        of_type_VT=Counts(companions @ one_hot(type_V)),
        share_V=(of_value_K[code_V] + 1.0) / (of_type_T[type_V] + values_V),
    )
