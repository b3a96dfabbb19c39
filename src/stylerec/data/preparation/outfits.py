"""The outfits table in item indices, and what it says where no interactions table exists."""

import numpy as np
import pandas as pd
from ibis.expr.types import Table as Expression

from stylerec.data.outfits import MIN_OUTFIT_ITEMS
from stylerec.data.preparation import queries
from stylerec.data.preparation.catalogue import ITEM_INDEX
from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.engine import Engine, fetch
from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.columns import IS_HERO, ITEM_ID, MARKET, OUTFIT_ID
from stylerec.schema.tensors import FIRST_ITEM_INDEX


def index_outfits(
    outfits: pd.DataFrame, vocabulary: Vocabulary
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Returns `outfit_id`, `item_index`, `is_hero` in file order, and the rows left out by reason.

    An item repeated within its outfit counts once, and an outfit needs two items. An outfit that
    names no hero, or several, has its first (named) one as hero.
    """
    indexed = pd.DataFrame(
        {
            OUTFIT_ID: outfits[OUTFIT_ID].astype(str),
            ITEM_INDEX: vocabulary.encode_items(outfits[ITEM_ID]),
            IS_HERO: [value is not None and value == 1 for value in outfits[IS_HERO]],
        }
    )
    known = indexed[indexed[ITEM_INDEX] >= FIRST_ITEM_INDEX]
    # A hero listed twice stays a hero whichever row is kept.
    hero = known.groupby([OUTFIT_ID, ITEM_INDEX])[IS_HERO].transform("max")
    distinct = known.assign(**{IS_HERO: hero}).drop_duplicates([OUTFIT_ID, ITEM_INDEX])
    size = distinct.groupby(OUTFIT_ID)[ITEM_INDEX].transform("size")
    kept = distinct[size >= MIN_OUTFIT_ITEMS]
    named_first = kept.sort_values(IS_HERO, ascending=False, kind="stable")
    is_hero = pd.Series(False, index=kept.index)
    is_hero[named_first.drop_duplicates(OUTFIT_ID).index] = True
    dropped = {
        "outfit_rows_with_unknown_items": len(indexed) - len(known),
        "outfit_rows_with_repeated_items": len(known) - len(distinct),
        "outfits_with_fewer_than_two_items": int(
            outfits[OUTFIT_ID].nunique() - kept[OUTFIT_ID].nunique()
        ),
    }
    return (
        kept.assign(**{IS_HERO: is_hero}).reset_index(drop=True),
        {reason: number for reason, number in dropped.items() if number},
    )


def outfit_popularity(outfits: pd.DataFrame) -> pd.DataFrame:
    """Returns the number of outfits with each item in the columns of `queries.popularity`."""
    counts = outfits.groupby(ITEM_INDEX).size().rename("num_customers").reset_index()
    return counts.assign(**{MARKET: None})


def outfit_neighbours(engine: Engine, outfits: pd.DataFrame, config: PrepareConfig) -> pd.DataFrame:
    """Returns items worn together in the columns of `queries.neighbours`."""
    codes, _ = pd.factorize(outfits[OUTFIT_ID])
    groups: Expression = engine.table_of(
        pd.DataFrame(
            {
                "group_index": codes.astype(np.int64),
                ITEM_INDEX: outfits[ITEM_INDEX].astype(np.int64),
            }
        )
    )
    return fetch(
        queries.neighbours(
            groups, num_neighbours=config.num_neighbours, shrinkage=config.neighbour_shrinkage
        )
    )
