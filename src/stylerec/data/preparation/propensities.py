"""Estimates propensities from a retailer's impressions and gives each interaction its own."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ibis.expr.types import Table as Expression
from numpy.typing import NDArray

from stylerec.data.preparation import queries
from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.engine import Engine, fetch
from stylerec.data.preparation.interactions import PreparedInteractions, fetch_in_order
from stylerec.data.propensities.estimation import estimate_propensities
from stylerec.data.propensities.impressions import Impressions
from stylerec.data.propensities.table import Propensities
from stylerec.errors import shortened
from stylerec.schema.columns import CLICKED, POSITION, TOUCHPOINT


@dataclass(frozen=True)
class PreparedPropensities:
    """What the impressions say of position bias.

    Attributes:
        table: Per touchpoint and position; None without impressions.
        of_interactions: Of each interaction in the order of the histories, float32, memory-mapped
            in the scratch folder; None where nothing is known.
        missing: Why nothing is known, empty where something is.
    """

    table: Propensities | None = None
    of_interactions: NDArray[np.float32] | None = None
    missing: str = ""


def prepare_propensities(
    engine: Engine,
    impressions: Expression | None,
    interactions: PreparedInteractions,
    item_index: Expression,
    content: NDArray[np.float32],
    config: PrepareConfig,
    *,
    scratch: Path,
) -> PreparedPropensities:
    """Returns the propensities of a retailer's touchpoints and of its interactions.

    Args:
        engine: Where the queries run.
        impressions: Canonical columns plus `row`; None without such a table. Its `propensity`
            column is not read: where a shop fills it, it says what the shop believes.
        interactions: With their log.
        item_index: `item_id`, `item_index` of the catalogue.
        content: Unit content vectors of all items, `[V, E]`.
        config: Bounds.
        scratch: Folder for the memory-mapped result.
    """
    if impressions is None or interactions.log is None:
        absent = "impressions" if impressions is None else "interactions"
        return PreparedPropensities(missing=f"there is no {absent} table")
    num_impressions = int(impressions.count().to_pandas())
    pages = engine.materialise(
        queries.page_impressions(
            impressions,
            item_index,
            interactions.log.customers,
            every=-(-max(num_impressions, 1) // config.max_impressions),
        )
    )
    frame = fetch(pages.order_by(["page", POSITION, queries.ROW]))
    table = estimate_propensities(_as_arrays(frame), interactions.histories, content)
    if not table.touchpoints:
        reasons = [f"{name}: {reason}" for name, reason in table.left_out.items()]
        found = shortened(reasons) or "no impression of known customers and items"
        return PreparedPropensities(table, missing=f"impressions are too few ({found})")
    known = engine.materialise(
        queries.with_propensity(interactions.log.events, engine.table_of(table.frame()))
    )
    if not int(known.filter(known[POSITION].notnull()).count().to_pandas()):
        return PreparedPropensities(table, missing="no interaction has a position")
    arrays = fetch_in_order(
        known, np.asarray(interactions.histories.offsets), {"propensity": np.float32}, scratch
    )
    return PreparedPropensities(table, of_interactions=arrays["propensity"])


def _as_arrays(frame: pd.DataFrame) -> Impressions:
    codes, names = pd.factorize(frame[TOUCHPOINT], sort=True)
    return Impressions(
        page=frame["page"].to_numpy(np.int64),
        customer=frame["customer_index"].to_numpy(np.int64),
        item_index=frame["item_index"].to_numpy(np.int64),
        touchpoint=codes.astype(np.int64),
        position=frame[POSITION].to_numpy(np.int64),
        is_clicked=frame[CLICKED].to_numpy(np.bool_),
        touchpoint_names=tuple(names),
    )
