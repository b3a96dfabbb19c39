"""Latency of outfit generation against items, beam and template, and of alternatives to it."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.outfits.generation_catalogue import Shop, largest_types, read_articles, synthetic
from benchmarks.outfits.graph_alternative import graph_runner
from stylerec.data.preparation.content import content_embedding
from stylerec.schema.tensors import MAX_OUTFIT_SLOTS
from stylerec.serving.outfit_search import search_outfits
from stylerec.serving.style_index import Slot
from stylerec.serving.touchpoint_contract import MAX_OUTFITS

NUM_ITEMS = 100_000
STYLE_DIM = 256
BEAM, SLOTS, OUTFITS = 3, 4, 3
_UNCUT = 1_000_000
_MAX_WORDS = 20_000
_WARM_UP = 5
_RUNS = 5
_QUICK_REPEATS, _REPEATS = 60, 300

Row = dict[str, Any]
Measure = Callable[[str, Callable[[int], object]], Row]
"""Name and what to run (for number n) to its row."""


def main(
    articles: Path | None = None,
    *,
    style: NDArray[np.float32] | None = None,
    quick: bool = False,
    progress: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Returns latencies in milliseconds of whole requests in this process, and how they grow.

    A request is checked and resolved, finds the eligible items (stock, market, price from a tenth
    to ten times the hero's) of its template's types, searches, and returns 3 outfits that differ.
    Unless said otherwise: 100,000 items, the 4 largest product types, no department to narrow
    them, beam 3, no cut of candidates, a customer with 20 interactions: the slowest case.

    Args:
        articles: `articles.parquet` of `hm_articles`, or None for synthetic items.
        style: Embeddings `[V, 256]` of its items in order after two zero rows; None to fit latent
            semantic ones to the articles' words and attributes.
        quick: Fewer repeats.
        progress: Takes one line per measurement.
    """
    items = synthetic(NUM_ITEMS) if articles is None else read_articles(articles, NUM_ITEMS)
    if style is None:
        style = content_embedding(items, num_dimensions=STYLE_DIM, max_words=_MAX_WORDS)
    repeats = _QUICK_REPEATS if quick else _REPEATS

    def measured(name: str, run: Callable[[int], object]) -> Row:
        row = {"name": name, **latency(run, repeats)}
        progress(f"generation, {name}: p50 {row['p50_ms']:.2f} ms, p99 {row['p99_ms']:.2f} ms")
        return row

    shop = Shop(items, style)
    template = largest_types(items, SLOTS)
    runs = [
        measured(
            f"run {number}",
            shop.requests(template, beam_width=BEAM, count=OUTFITS, cut=_UNCUT),
        )
        for number in range(1, _RUNS + 1)
    ]
    by_items = _by_items(shop, template, measured)
    by_beam = []
    for beam in (1, 3, 6, 12, 24):
        run = shop.requests(template, beam_width=beam, count=1, cut=_UNCUT)
        by_beam.append({"beam": beam, **measured(f"beam {beam}, one outfit", run)})
    return {
        "num_items": len(items),
        "searched_items": int(items["product_type"].isin(template).sum()),
        "style_dim": int(style.shape[1]),
        "runs": runs,
        "with_departments": measured(
            "with departments",
            shop.requests(template, beam_width=BEAM, count=OUTFITS, cut=_UNCUT, departments=True),
        ),
        "by_items": by_items,
        "by_beam": by_beam,
        "by_slots": _by_slots(shop, items, measured),
        "by_outfits": _by_outfits(shop, template, measured),
        "growth": {
            "items_exponent": exponent(by_items, "items"),
            "beam_exponent": exponent(by_beam, "beam"),
        },
        "cuts": _cuts(shop, template, measured),
        "alternatives": _alternatives(shop, template, measured),
        "personalised": _personalised(shop, template),
    }


def latency(run: Callable[[int], object], repeats: int) -> dict[str, float]:
    """Returns percentiles of `run(0)`, `run(1)`, ... in milliseconds.

    `p50_ms` and `p99_ms` are wall time; `cpu_p50_ms` and `cpu_p99_ms` the time of this thread, in
    which waiting for a core that others use does not count.
    """
    for turn in range(_WARM_UP):
        run(turn)
    wall, cpu = [], []
    for turn in range(repeats):
        start, start_cpu = time.perf_counter(), time.thread_time()
        run(turn)
        cpu.append(time.thread_time() - start_cpu)
        wall.append(time.perf_counter() - start)
    found = {}
    for prefix, seconds in (("", wall), ("cpu_", cpu)):
        p50, p99 = np.percentile(seconds, (50, 99)) * 1_000
        found |= {f"{prefix}p50_ms": round(float(p50), 3), f"{prefix}p99_ms": round(float(p99), 3)}
    return found


def exponent(rows: Sequence[Mapping[str, float]], name: str) -> float:
    """Returns the power of `name` that the median grows with: 1 is linear."""
    size = np.log([row[name] for row in rows])
    return round(float(np.polyfit(size, np.log([row["p50_ms"] for row in rows]), 1)[0]), 3)


def _by_items(shop: Shop, template: Sequence[str], measured: Measure) -> list[Row]:
    """Returns one row per part of the catalogue, the whole of it last."""
    rows = []
    for share in (8, 4, 2, 1):
        part = shop if share == 1 else shop.part(len(shop.frame) // share)
        run = part.requests(template, beam_width=BEAM, count=OUTFITS, cut=_UNCUT)
        size = len(part.frame)
        rows.append({"items": size, **measured(f"{size:,} items", run)})
    return rows


def _by_slots(shop: Shop, items: pd.DataFrame, measured: Measure) -> list[Row]:
    rows = []
    for length in range(1, MAX_OUTFIT_SLOTS + 1):
        types = largest_types(items, length)
        run = shop.requests(types, beam_width=BEAM, count=OUTFITS, cut=_UNCUT)
        rows.append({"slots": length, **measured(f"{length} slots", run)})
    return rows


def _by_outfits(shop: Shop, template: Sequence[str], measured: Measure) -> list[Row]:
    rows = []
    for count in (1, OUTFITS, MAX_OUTFITS):
        run = shop.requests(template, beam_width=BEAM, count=count, cut=_UNCUT)
        rows.append({"outfits": count, **measured(f"{count} outfits that differ", run)})
    return rows


def _cuts(shop: Shop, template: Sequence[str], measured: Measure) -> list[Row]:
    """Returns what cutting each slot to the best against hero and customer saves and loses."""
    found = []
    whole = shop.requests(template, beam_width=BEAM, count=1, cut=_UNCUT)
    best = [whole(turn)[0].sum_of_pairs for turn in range(_QUICK_REPEATS)]
    for cut in (100, 1_000):
        run = shop.requests(template, beam_width=BEAM, count=1, cut=cut)
        reached = [run(turn)[0].sum_of_pairs for turn in range(_QUICK_REPEATS)]
        timed = shop.requests(template, beam_width=BEAM, count=OUTFITS, cut=cut)
        is_same = np.isclose(reached, best, rtol=1e-4)
        found.append(
            {
                "candidates_per_slot": cut,
                "score_kept": round(float(np.mean(reached) / np.mean(best)), 4),
                "same_share": round(float(is_same.mean()), 3),
                **measured(f"cut to {cut} per slot", timed),
            }
        )
    return found


def _alternatives(shop: Shop, template: Sequence[str], measured: Measure) -> list[Row]:
    """Returns the search alone, one outfit, the ways it could be done."""
    lists = [shop.items_of(name) for name in template]
    heroes = shop.heroes
    index = shop.index

    def search(slots: Sequence[Slot]) -> Callable[[int], object]:
        return lambda turn: search_outfits(
            index.rows(heroes[turn % len(heroes)][None])[0], slots, count=1, beam_width=BEAM
        )

    def gathered(turn: int) -> object:
        slots = [
            Slot(index.rows(items), items, np.zeros(len(items), np.float32)) for items in lists
        ]
        return search(slots)(turn)

    def blocks(turn: int) -> object:
        return search([index.slot(items) for items in lists])(turn)

    rows = [
        measured("search alone, numpy over blocks (served)", blocks),
        measured("search alone, numpy, rows gathered", gathered),
    ]
    for cut in (100, 1_000, None):
        run = graph_runner(shop, [items[:cut] for items in lists], beam_width=BEAM)
        name = f"{cut:,} most popular" if cut else "all candidates"
        rows.append(measured(f"search alone, ONNX graph, {name}", run))
    return rows


def _personalised(shop: Shop, template: Sequence[str]) -> dict[str, float]:
    """Returns per customer weight the share of requests whose best outfit it changes."""
    found = {}
    plain = shop.requests(template, beam_width=BEAM, count=1, cut=_UNCUT, customer_weight=0.0)
    without = [plain(turn)[0].items for turn in range(_QUICK_REPEATS)]
    for weight in (0.1, 0.2, 0.5, 1.0):
        run = shop.requests(template, beam_width=BEAM, count=1, cut=_UNCUT, customer_weight=weight)
        changed = [run(turn)[0].items != without[turn] for turn in range(_QUICK_REPEATS)]
        found[str(weight)] = round(float(np.mean(changed)), 3)
    return found
