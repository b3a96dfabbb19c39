"""Polyvore-T from names and categories alone: `python -m benchmarks.outfits.polyvore`.

Every item of a test outfit is replaced by a random one of the same slot for AUC, and one item is
asked for among four of its slot for FITB; replacements come from the test outfits' items. The test
outfits' sets are in no training file; names that occur on both sides, "sunglasses" and its like,
stay. Prices are read of training items, to learn what words say about them; a held-out item has
none. The seed decides the draws, the solver's start and the network.
"""

import argparse
import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.outfits.mango import Task, measure
from stylerec.data.outfit_comparison import Comparison, draw_comparison
from stylerec.data.outfit_negatives import Negatives
from stylerec.data.outfits import ITEM_INDEX, Outfit, distinct_outfits
from stylerec.data.readers import polyvore
from stylerec.models.outfit.evidence_scorer import fit_evidence_scorer
from stylerec.models.outfit.text_evidence import text_evidence
from stylerec.schema.columns import ITEM_ID, OUTFIT_ID
from stylerec.schema.tensors import FIRST_ITEM_INDEX, PADDING_INDEX

NUM_DRAWS = 3


def polyvore_task(source: Path, folder: Path, *, seed: int) -> Task:
    """Returns the published split: weights are fitted on its validation outfits."""
    if not (folder / "outfits.parquet").exists():
        folder.mkdir(parents=True, exist_ok=True)
        polyvore.read(source, folder)
    items = pd.read_parquet(folder / "items.parquet")
    items = items.assign(**{ITEM_INDEX: np.arange(len(items)) + FIRST_ITEM_INDEX})
    index = dict(zip(items[ITEM_ID], items[ITEM_INDEX], strict=True))
    links = pd.read_parquet(folder / "outfits.parquet")
    side_of = links[OUTFIT_ID].str.partition("/")[0]
    table = pd.DataFrame({OUTFIT_ID: links[OUTFIT_ID], ITEM_INDEX: links[ITEM_ID].map(index)})
    sides = {side: distinct_outfits(table[side_of == side])[0] for side in side_of.unique()}
    num_items = len(items) + FIRST_ITEM_INDEX
    train, validation = sides[polyvore.TRAIN], sides[polyvore.VALIDATION]
    return Task(
        items,
        num_items,
        train,
        validation,
        _draws(validation, items, num_items, seed),
        [*train, *validation],
        _draws(sides[polyvore.TEST], items, num_items, seed),
    )


def _draws(
    held_out: list[Outfit], items: pd.DataFrame, num_items: int, seed: int
) -> list[Comparison]:
    """Returns draws in which no item is a hero: the first place, which is kept, is padding."""
    pool = items[items[ITEM_INDEX].isin(np.concatenate(held_out))]
    negatives = Negatives(pool, [], num_items=num_items, rule="type")
    padded = [np.concatenate([[PADDING_INDEX], outfit]) for outfit in held_out]
    return [
        draw_comparison(padded, negatives, seed=1_000 * seed + draw) for draw in range(NUM_DRAWS)
    ]


def main() -> None:
    """Measures one seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Polyvore's folder")
    parser.add_argument("--tables", type=Path, required=True, help="where its tables are kept")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    own = polyvore_task(arguments.data, arguments.tables, seed=arguments.seed)
    count = partial(text_evidence, items=own.items, num_items=own.num_items, seed=arguments.seed)
    score = fit_evidence_scorer(count, own.fitting, own.fitting_draws, own.counted)
    results = {"set": measure(own, score)}
    print(f"polyvore {arguments.seed}: {results}", file=sys.stderr, flush=True)
    arguments.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
