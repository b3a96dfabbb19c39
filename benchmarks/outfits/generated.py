"""Generated outfits against the paper's control: `python -m benchmarks.outfits.generated`.

Training outfits are halved. The generator's style embedding comes from one half, the judge, a set
model, from the other; both judge and generator then meet the heroes of test outfits.
"""

import argparse
import json
from functools import partial
from pathlib import Path

from benchmarks.outfits.generation import generated_and_control, preferred_share
from benchmarks.outfits.mango import NUM_FITTING_DRAWS, STYLE_DIM, draws, read_tables
from stylerec.data.outfit_evidence import spectral_style, worn_together
from stylerec.data.outfit_negatives import Negatives
from stylerec.data.outfit_splits import random_split
from stylerec.models.outfit.evidence import pair_evidence
from stylerec.models.outfit.evidence_scorer import fit_evidence_scorer
from stylerec.schema.columns import PRODUCT_TYPE
from stylerec.schema.tensors import FIRST_ITEM_INDEX

NUM_HEROES = 500


def measure_generated(source: Path, tables: Path, *, seed: int) -> dict[str, float]:
    """Returns the share of pairs in which the judge prefers the generated outfit."""
    items, outfits = read_tables(source, tables)
    num_items = len(items) + FIRST_ITEM_INDEX
    split = random_split(outfits, seed=seed)
    half = len(split.train) // 2
    ours, theirs = split.train[:half], split.train[half:]
    style_VD = spectral_style(worn_together(ours, num_items=num_items), dim=STYLE_DIM, seed=seed)
    negatives = Negatives(items, theirs, num_items=num_items)
    judge = fit_evidence_scorer(
        partial(pair_evidence, items=items, num_items=num_items),
        theirs,
        draws(split.validation, negatives, seed=seed, count=NUM_FITTING_DRAWS),
        theirs,
    )
    types = [None] * FIRST_ITEM_INDEX + items[PRODUCT_TYPE].tolist()
    generated, control = generated_and_control(style_VD, types, split.test[:NUM_HEROES], seed=seed)
    return {"preferred_share": preferred_share(judge, generated, control)}


def main() -> None:
    """Measures one seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="MANGO's folder")
    parser.add_argument("--tables", type=Path, required=True, help="where its tables are kept")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    results = measure_generated(arguments.data, arguments.tables, seed=arguments.seed)
    arguments.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
