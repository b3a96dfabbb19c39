"""What an evaluation knows about customers and items besides the targets. N customers, V items."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.data.prepared import PreparedData
from stylerec.data.splits import training_counts
from stylerec.schema.columns import CATEGORICAL_ITEM_COLUMNS, DEPARTMENT, MARKET
from stylerec.schema.tensors import FIRST_ITEM_INDEX


@dataclass(frozen=True)
class EvaluationContext:
    """Popularity in the training part, and the groups that slices are made of.

    Attributes:
        train_counts: Training interactions of each item, int64 `[V]`.
        train_lengths: Training interactions of each customer, int64 `[N]`.
        department: Place in `departments` of each item's, int64 `[V]`, negative where it has none.
        departments: Names.
        market: Place in `markets` of each customer's, int64 `[N]`, negative where it has none.
        markets: Names.
    """

    train_counts: NDArray[np.int64]
    train_lengths: NDArray[np.int64]
    department: NDArray[np.int64]
    departments: tuple[str, ...]
    market: NDArray[np.int64]
    markets: tuple[str, ...]


def evaluation_context(prepared: PreparedData) -> EvaluationContext:
    """Returns the context of prepared data; read once, it serves every model."""
    split, vocabulary = prepared.split, prepared.vocabulary
    column = CATEGORICAL_ITEM_COLUMNS.index(DEPARTMENT)
    codes, names = pd.factorize(prepared.customers[MARKET].replace("", None), sort=True)
    return EvaluationContext(
        train_counts=training_counts(prepared.histories, split, num_items=vocabulary.num_items),
        train_lengths=np.asarray(split.train_lengths),
        department=prepared.item_features.categorical[:, column].astype(np.int64)
        - FIRST_ITEM_INDEX,
        departments=tuple(vocabulary.categories.get(DEPARTMENT, ())),
        market=np.asarray(codes, dtype=np.int64),
        markets=tuple(str(name) for name in names),
    )
