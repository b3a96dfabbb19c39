"""MANGO's outfits under the benchmark's protocol, and what scores reach on it, seed by seed.

The protocol keeps the outfit's first item in file order; see `stylerec.data.outfit_negatives` for
the counter-examples. One process measures one seed of one split:
`python -m benchmarks.outfits.mango --data <folder> --split random --seed 0 --output <file>`.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import mean

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.data.importing import import_tables
from stylerec.data.outfit_comparison import (
    Comparison,
    Scorer,
    compare,
    draw_comparison,
    guessed_rightly,
)
from stylerec.data.outfit_evidence import spectral_style, worn_together
from stylerec.data.outfit_negatives import Negatives
from stylerec.data.outfit_splits import item_disjoint_split, random_split
from stylerec.data.outfits import (
    ITEM_INDEX,
    Outfit,
    OutfitSplit,
    compatibility_auc,
    distinct_outfits,
)
from stylerec.evaluation.outfit_floors import attribute_pmi_score, cooccurrence_score
from stylerec.evaluation.outfits import sum_of_pairs
from stylerec.models.outfit.evidence import ALL_GROUPS, EvidenceGroup, pair_evidence
from stylerec.models.outfit.evidence_scorer import (
    MEAN_AND_BEST,
    PooledDraws,
    Pooling,
    fit_weights,
    pool_draws,
)
from stylerec.schema.columns import ATTRIBUTES, ITEM_ID, OUTFIT_ID
from stylerec.schema.tensors import FIRST_ITEM_INDEX

NUM_DRAWS = 2
"""Draws of counter-examples and questions per seed."""
NUM_FITTING_DRAWS = 3
_INNER_SPLITS = 4
STYLE_DIM = 64
MODELS: dict[str, tuple[tuple[EvidenceGroup, ...], Pooling]] = {
    "set": (ALL_GROUPS, MEAN_AND_BEST),
    "pairs": (ALL_GROUPS, ("mean",)),
    "set_traits": (("traits",), MEAN_AND_BEST),
    "set_together": (("together",), MEAN_AND_BEST),
    "set_together_paths": (("together", "paths"), MEAN_AND_BEST),
}
"""Name to the channels and the poolings that a model has."""
_SIDES = ("fitting", "held_out")
_FLOOR_ATTRIBUTES = ("shade:", "fabric:")


@dataclass(frozen=True)
class Task:
    """A split, what weights are fitted on, and the comparisons that scorers meet.

    Attributes:
        items: Canonical columns plus `item_index`.
        num_items: V.
        fitting: Outfits that evidence counts while weights are fitted.
        validation: Held-out outfits that are neither in `fitting` nor test.
        fitting_draws: Comparisons of other training or validation outfits, like the test's.
        counted: Every outfit that may be learnt from.
        comparisons: Of the test side.
        other_fittings: More pairs of counted outfits and comparisons to fit weights on.
    """

    items: pd.DataFrame
    num_items: int
    fitting: list[Outfit]
    validation: list[Outfit]
    fitting_draws: list[Comparison]
    counted: list[Outfit]
    comparisons: list[Comparison]
    other_fittings: tuple[tuple[list[Outfit], list[Comparison]], ...] = ()


def read_tables(source: Path, folder: Path) -> tuple[pd.DataFrame, list[Outfit]]:
    """Returns the items with their `item_index` and the distinct outfits in file order."""
    if not (folder / "outfits.parquet").exists():
        import_tables("mango", source, folder)
    items = pd.read_parquet(folder / "items.parquet").drop_duplicates(ITEM_ID)
    items = items.assign(**{ITEM_INDEX: np.arange(len(items)) + FIRST_ITEM_INDEX})
    index = dict(zip(items[ITEM_ID], items[ITEM_INDEX], strict=True))
    links = pd.read_parquet(folder / "outfits.parquet")
    table = pd.DataFrame(
        {
            OUTFIT_ID: links[OUTFIT_ID],
            ITEM_INDEX: links[ITEM_ID].map(index).fillna(0).astype(np.int64),
        }
    )
    return items.reset_index(drop=True), distinct_outfits(table)[0]


def random_task(items: pd.DataFrame, outfits: list[Outfit], *, seed: int) -> Task:
    """Returns the random split: weights are fitted on its validation outfits."""
    num_items = len(items) + FIRST_ITEM_INDEX
    split = random_split(outfits, seed=seed)
    counted = [*split.train, *split.validation]
    return Task(
        items,
        num_items,
        split.train,
        split.validation,
        draws(
            split.validation,
            Negatives(items, split.train, num_items=num_items),
            seed=seed,
            count=NUM_FITTING_DRAWS,
        ),
        counted,
        draws(split.test, Negatives(items, counted, num_items=num_items), seed=seed),
    )


def item_disjoint_task(items: pd.DataFrame, outfits: list[Outfit], *, seed: int) -> Task:
    """Returns the item-disjoint split: weights are fitted on such splits of what is not test.

    One such split has some 300 outfits to fit on; four have more to say. Popularity is counted on
    the held-out side and replacements are held-out items: an item known from training would give
    itself away.
    """
    num_items = len(items) + FIRST_ITEM_INDEX

    def held_out(some: list[Outfit], own_seed: int) -> tuple[OutfitSplit, list[Comparison]]:
        split, is_test = item_disjoint_split(some, num_items=num_items, seed=own_seed)
        pool = items[is_test[items[ITEM_INDEX]]]
        negatives = Negatives(pool, split.test, num_items=num_items)
        return split, draws(split.test, negatives, seed=seed)

    whole, comparisons = held_out(outfits, seed)
    counted = [*whole.train, *whole.validation]
    inner = [held_out(counted, seed + 10_000 * (turn + 1)) for turn in range(_INNER_SPLITS)]
    fittings = [([*split.train, *split.validation], drawn) for split, drawn in inner]
    fitting, fitting_draws = fittings[0]
    return Task(
        items,
        num_items,
        fitting,
        inner[0][0].test,
        fitting_draws,
        counted,
        comparisons,
        tuple(fittings[1:]),
    )


def pooled_path(tables: Path, split: str, seed: int) -> Path:
    """Returns where the pooled evidence of a split and seed is kept."""
    return tables / f"pooled-{split}-{seed}.npz"


TASKS = {"random": random_task, "item_disjoint": item_disjoint_task}


def draws(
    held_out: list[Outfit], negatives: Negatives, *, seed: int, count: int = NUM_DRAWS
) -> list[Comparison]:
    """Returns draws of counter-examples and questions, other ones for every seed."""
    return [draw_comparison(held_out, negatives, seed=1_000 * seed + draw) for draw in range(count)]


def floors(own: Task, *, seed: int) -> dict[str, dict[str, float]]:
    """Returns what scores reach that only count or sum products of spectral embeddings."""
    together = worn_together(own.counted, num_items=own.num_items)
    style_VD = spectral_style(together, dim=STYLE_DIM, seed=seed)
    values = _floor_values(own.items)
    scorers: dict[str, Scorer] = {
        "attribute_pmi": attribute_pmi_score(own.counted, values, num_items=own.num_items),
        "cooccurrence": cooccurrence_score(own.counted, num_items=own.num_items),
        "spectral_pairs": lambda outfits_BN: sum_of_pairs(style_VD[outfits_BN]).astype(float),
    }
    return {name: measure(own, score) for name, score in scorers.items()}


@dataclass(frozen=True)
class PooledTask:
    """Pooled evidence of a task, without style.

    Attributes:
        fitting: Of the comparisons that weights are fitted on, those of `other_fittings` last.
        held_out: Of the comparisons that scorers meet.
        group_E: The group of each pooled channel.
        pooling_E: Its pooling.
    """

    fitting: PooledDraws
    held_out: PooledDraws
    group_E: NDArray[np.str_]
    pooling_E: NDArray[np.str_]


def pooled_task(own: Task, kept: Path) -> PooledTask:
    """Returns the task's pooled evidence, gathered by the first call and kept in a file."""
    if not kept.exists():
        count = partial(pair_evidence, items=own.items, num_items=own.num_items)
        evidence = count(own.counted)
        fittings = [(own.fitting, own.fitting_draws), *own.other_fittings]
        pooled = [pool_draws(count(outfits), d, MEAN_AND_BEST) for outfits, d in fittings]
        sides = (
            PooledDraws(
                np.concatenate([some.true for some in pooled]),
                np.concatenate([some.false for some in pooled]),
                np.concatenate([some.asked for some in pooled]),
            ),
            pool_draws(evidence, own.comparisons, MEAN_AND_BEST),
        )
        arrays = {
            f"{side}_{name}": array
            for side, found in zip(_SIDES, sides, strict=True)
            for name, array in vars(found).items()
        }
        arrays["group_E"] = np.array(evidence.channel_groups * len(MEAN_AND_BEST))
        arrays["pooling_E"] = np.repeat(MEAN_AND_BEST, len(evidence.channel_groups))
        np.savez(kept, allow_pickle=False, **arrays)
    found = np.load(kept)
    fitting, held_out = (
        PooledDraws(*(found[f"{side}_{name}"] for name in ("true", "false", "asked")))
        for side in _SIDES
    )
    return PooledTask(fitting, held_out, found["group_E"], found["pooling_E"])


def evidence_models(pooled: PooledTask) -> dict[str, dict[str, float]]:
    """Returns what the set model reaches, and what it reaches without some of its inputs.

    The evidence is gathered once; each model has its own weights of some of the channels.
    """
    results = {}
    for name, (groups, poolings) in MODELS.items():
        is_wanted = np.isin(pooled.group_E, groups) & np.isin(pooled.pooling_E, poolings)
        results[name] = fitted_figures(
            pooled.fitting.columns(is_wanted), pooled.held_out.columns(is_wanted)
        )
    return results


def fitted_figures(fitting: PooledDraws, held_out: PooledDraws) -> dict[str, float]:
    """Returns AUC and FITB of pooled evidence weighed as other pooled evidence asks for."""
    weights = fit_weights(fitting)
    return {
        "auc": compatibility_auc(weights(held_out.true), weights(held_out.false)),
        "fitb": float(guessed_rightly(weights(held_out.asked)).mean()),
    }


def measure(own: Task, score: Scorer) -> dict[str, float]:
    """Returns AUC and FITB, means over the comparisons."""
    found = [asdict(compare(score, comparison)) for comparison in own.comparisons]
    return {name: mean(figures[name] for figures in found) for name in ("auc", "fitb")}


def _floor_values(items: pd.DataFrame) -> list[tuple[str, ...]]:
    """Returns shade and fabric as one value per item, the attributes that carry most."""
    values = [
        "|".join(a for a in row if a.startswith(_FLOOR_ATTRIBUTES)) for row in items[ATTRIBUTES]
    ]
    return [("",)] * FIRST_ITEM_INDEX + [(value,) for value in values]


def main() -> None:
    """Measures every scorer on one split and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="MANGO's folder")
    parser.add_argument("--tables", type=Path, required=True, help="where its tables are kept")
    parser.add_argument("--split", choices=TASKS, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    items, outfits = read_tables(arguments.data, arguments.tables)
    own = TASKS[arguments.split](items, outfits, seed=arguments.seed)
    pooled = pooled_task(own, pooled_path(arguments.tables, arguments.split, arguments.seed))
    results = evidence_models(pooled) | floors(own, seed=arguments.seed)
    print(f"{arguments.split} {arguments.seed}: {results}", file=sys.stderr, flush=True)
    arguments.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
