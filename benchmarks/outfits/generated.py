"""Generated outfits against the paper's control: `python -m benchmarks.outfits.generated`.

Bettaney et al., ECML PKDD 2020, 5.3, compare with the right product types filled at random.
Training outfits are halved. The generator's style embedding comes from one half, the judge, a set
model, from the other; both judge and generator then meet the heroes of test outfits.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.outfits.generation import BEAM
from benchmarks.outfits.mango import NUM_FITTING_DRAWS, STYLE_DIM, draws, read_tables
from stylerec.data.outfit_evidence import spectral_style, worn_together
from stylerec.data.outfit_negatives import Negatives
from stylerec.data.outfit_splits import random_split
from stylerec.data.outfits import Outfit, pad_outfits
from stylerec.models.outfit.evidence import pair_evidence
from stylerec.models.outfit.evidence_scorer import fit_evidence_scorer
from stylerec.schema.columns import PRODUCT_TYPE
from stylerec.schema.tensors import FIRST_ITEM_INDEX
from stylerec.serving.outfit_search import search_outfits
from stylerec.serving.style_index import StyleIndex

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


def generated_and_control(
    style_VD: NDArray[np.float32],
    product_types: Sequence[str | None],
    outfits: Sequence[Outfit],
    *,
    beam_width: int = BEAM,
    seed: int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns generated outfits and the paper's control, int64 `[B, N]` each, heroes first.

    Both have the hero and the other items' product types of each given outfit. Generated: the best
    that beam search finds among all items. Control: random items of the right types, none twice.
    Outfits without an other item of a known type are left out; neither holds the given items
    on purpose, and both may by chance.

    Args:
        style_VD: Style embeddings of the model that generates, `[V, D]`.
        product_types: Per item index, None for none.
        outfits: Held-out outfits, hero first.
        beam_width: Beams of the search.
        seed: Of the control.
    """
    names = np.array([name or "" for name in product_types], dtype=object)
    order = np.argsort(names[2:].astype(str), kind="stable").astype(np.int32) + 2
    index = StyleIndex.build(style_VD, order, customer_norm=1.0)
    members = {name: order[names[order] == name].astype(np.int64) for name in set(names) - {""}}
    generator = np.random.default_rng(seed)
    generated: list[Outfit] = []
    control: list[Outfit] = []
    for outfit in outfits:
        hero = int(outfit[0])
        types = [names[item] for item in outfit[1:] if names[item]]
        pools = {name: members[name][members[name] != hero] for name in set(types)}
        types = [name for n, name in enumerate(types) if types[:n].count(name) < len(pools[name])]
        if not types:
            continue
        slot_of = {name: index.slot(pools[name]) for name in set(types)}
        [best] = search_outfits(
            style_VD[hero], [slot_of[name] for name in types], count=1, beam_width=beam_width
        )
        shuffled = {name: generator.permutation(pools[name]) for name in sorted(set(types))}
        random = [shuffled[name][types[:n].count(name)] for n, name in enumerate(types)]
        generated.append(np.array([hero, *best.items], dtype=np.int64))
        control.append(np.array([hero, *random], dtype=np.int64))
    return pad_outfits(generated), pad_outfits(control)


def preferred_share(
    score: Callable[[NDArray[np.int64]], NDArray[np.floating]],
    generated_BN: NDArray[np.int64],
    control_BN: NDArray[np.int64],
) -> float:
    """Returns the share of pairs in which a judge scores the generated outfit higher, ties half.

    Args:
        score: Scores outfits `[B, N]`; a model trained on other outfits than the generator.
        generated_BN: As `generated_and_control` returns them.
        control_BN: Likewise.
    """
    ours, theirs = score(generated_BN), score(control_BN)
    return float((ours > theirs).mean() + 0.5 * (ours == theirs).mean())


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
