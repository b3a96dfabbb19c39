"""Position bias on synthetic retailers, whose truth is known.

`python -m benchmarks.models.position_bias [--quick] --work <folder> --output <json>`
"""

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.models.preference import kendall_tau, metric_on_log, preference_ndcg
from benchmarks.models.runs import Run, Runner
from benchmarks.models.synthetic_truth import Retailer, Wishes, last_wishes
from benchmarks.models.table import markdown, spread
from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.prepare import prepare
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import SECONDS_PER_DAY, SplitConfig
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.generate import generate
from stylerec.data.synthetic.impressions import SLOTS, TOUCHPOINTS
from stylerec.data.synthetic.shopping import NO_ITEM
from stylerec.evaluation.blocks import Block, BlockScorer
from stylerec.evaluation.metrics import ndcg_gains
from stylerec.evaluation.onnx_scorer import onnx_scorer
from stylerec.evaluation.ranks import hide_items

MIN_PROPENSITY = 0.1
_SPLIT = SplitConfig(kind="temporal", validation_days=14.0, test_days=14.0)
_PER_BLOCK = 256
VARIANTS = {
    "naive": "not corrected",
    "estimated": "corrected, estimated propensities",
    "true": "corrected, true propensities",
}


@dataclass(frozen=True)
class Effort:
    """Bounds: retailers (one training seed each), their customers, and training."""

    seeds: tuple[int, ...] = (7, 8, 9)
    num_customers: int = 2_000
    num_candidates: int = 40
    max_epochs: int = 12
    position_bias: float = 1.0
    promotion: float = 0.0


FULL = Effort()
QUICK = Effort(seeds=(7,), num_customers=800, num_candidates=30, max_epochs=6)


@dataclass(frozen=True)
class Case:
    """One retailer: its truth, and the prepared data of each variant."""

    retailer: Retailer
    prepared: dict[str, Path]

    @property
    def data(self) -> PreparedData:
        """With estimated propensities."""
        return PreparedData(self.prepared["estimated"])


def measure_position_bias(
    work: Path, *, quick: bool = False, progress: Callable[[str], None] = print
) -> dict[str, Any]:
    """Returns the errors of the propensities, and what correcting with them does to a model.

    Args:
        work: Folder for retailers and trainings; what an earlier call made is used again.
        quick: One small retailer, under two minutes.
        progress: Takes one line per step.
    """
    effort = QUICK if quick else FULL
    work.mkdir(parents=True, exist_ok=True)
    cases = {seed: make_case(work, effort, seed=seed) for seed in effort.seeds}
    progress(f"position bias: {len(cases)} retailers prepared")
    runs = [
        Run(
            f"position bias, retailer {seed}, {variant}",
            "next_item",
            case.prepared[variant],
            {
                "max_epochs": effort.max_epochs,
                "use_propensity": variant != "naive",
                "min_propensity": MIN_PROPENSITY,
                "seed": seed,
            },
            keep=True,
        )
        for seed, case in cases.items()
        for variant in VARIANTS
    ]
    folders = [Path(r["folder"]) for r in Runner(work, parallel=2, progress=progress).results(runs)]
    recovered: dict[str, dict[str, list[float]]] = {}
    metrics: dict[str, dict[str, list[float]]] = {}
    for seed, case in cases.items():
        wishes = last_wishes(case.retailer, num_candidates=effort.num_candidates, seed=seed)
        for variant in VARIANTS:
            scorer = onnx_scorer(
                folders.pop(0) / "exported", num_items=case.data.vocabulary.num_items
            )
            _collect(recovered, variant, preference_figures(case, wishes, scorer))
            _collect(metrics, variant, metric_figures(case, scorer))
    return {
        "effort": asdict(effort),
        "propensities": _propensity_errors(cases),
        "preference": _spreads(recovered),
        "metrics": _spreads(metrics),
    }


def make_case(work: Path, effort: Effort, *, seed: int) -> Case:
    """Returns a retailer with prepared data: estimated propensities, and the true ones."""
    config = SyntheticConfig(
        seed=seed,
        num_customers=effort.num_customers,
        num_outfits=0,
        position_bias=effort.position_bias,
        promotion=effort.promotion,
        has_pictures=False,
    )
    name = f"{seed}-{effort.num_customers}-{effort.position_bias:g}-{effort.promotion:g}"
    tables, estimated, true = (work / f"{k}-{name}" for k in ("tables", "estimated", "true"))
    retailer = Retailer.simulate(config)
    if not (true / "dataset.json").exists():
        generate(tables, config)
        prepare(tables, estimated, PrepareConfig(split=_SPLIT), progress=lambda line: None)
        shutil.copytree(estimated, true, dirs_exist_ok=True)
        np.save(
            true / "propensity.npy",
            true_propensity(tables, retailer.shop.examination),
            allow_pickle=False,
        )
    return Case(retailer, {"naive": estimated, "estimated": estimated, "true": true})


def true_propensity(tables: Path, examination: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns the true propensity of each interaction, in the order of the histories."""
    log = pd.read_parquet(
        tables / "interactions.parquet",
        columns=["customer_id", "timestamp", "touchpoint", "position"],
    ).sort_values(["customer_id", "timestamp"])
    is_placed = log["position"].notna().to_numpy()
    code = {touchpoint.value: row for row, touchpoint in enumerate(TOUCHPOINTS)}
    propensity = np.ones(len(log), dtype=np.float32)
    touchpoint = log["touchpoint"][is_placed].map(code).to_numpy(np.int64)
    propensity[is_placed] = examination[touchpoint, log["position"][is_placed].to_numpy(np.int64)]
    return propensity


def preference_figures(case: Case, wishes: Wishes, scorer: BlockScorer) -> dict[str, float]:
    """Returns how well a model's order of the candidates is the customers' own."""
    data = case.data
    offsets = np.asarray(data.histories.offsets)
    history_of, index_of = _customer_rows(case), _item_indices(case)
    customer = history_of[wishes.customer]
    is_known = customer >= 0
    place = offsets[customer[is_known] + 1]
    scores = _scores(data, customer[is_known], place, scorer, as_of_s=wishes.time_s[is_known])
    own = np.take_along_axis(scores, index_of[wishes.item[is_known]], axis=1)
    attraction = wishes.attraction[is_known]
    return {
        "kendall_tau": kendall_tau(own, attraction),
        "ndcg_at_10": preference_ndcg(own, attraction),
        "num_customers": float(is_known.sum()),
    }


def metric_figures(case: Case, scorer: BlockScorer) -> dict[str, float]:
    """Returns NDCG@10 of the clicks on the test window's pages: as logged, corrected, unbiased.

    Each page is predicted from everything its customer did before it.
    """
    data, retailer = case.data, case.retailer
    pages, requests = retailer.pages, retailer.requests
    histories, offsets = data.histories, np.asarray(data.histories.offsets)
    from_s = int(histories.timestamp_s.max()) - _SPLIT.test_days * SECONDS_PER_DAY
    customer = _customer_rows(case)[requests.customer[pages.request]]
    time_s = requests.time_s[pages.request]
    is_asked = (pages.touchpoint != NO_ITEM) & (time_s >= from_s) & (customer >= 0)
    page = np.flatnonzero(is_asked)
    place = np.array(
        [
            offsets[c] + np.searchsorted(histories.timestamp_s[offsets[c] : offsets[c + 1]], t)
            for c, t in zip(customer[page], time_s[page], strict=True)
        ]
    )
    has_history = place > offsets[customer[page]]
    page, place = page[has_history], place[has_history]
    scores = _scores(data, customer[page], place, scorer, as_of_s=time_s[page], hides_seen=True)
    row, position = np.nonzero(pages.is_shown[page])
    own = scores[row, _item_indices(case)[pages.item[page[row], position]]]
    is_new = np.isfinite(own)
    row, position, own = row[is_new], position[is_new], own[is_new]
    rank = 1 + np.array([np.count_nonzero(scores[r] > s) for r, s in zip(row, own, strict=True)])
    touchpoint = pages.touchpoint[page[row]]
    estimated = _propensity_table(case)[touchpoint, position]
    common = {
        "is_attractive": pages.is_attractive[page[row], position],
        "is_clicked": pages.is_clicked[page[row], position],
    }
    gain = ndcg_gains(rank, 10)
    found = metric_on_log(gain, **common, propensity=np.maximum(estimated, MIN_PROPENSITY))
    truly = metric_on_log(
        gain, **common, propensity=retailer.shop.examination[touchpoint, position]
    )
    return {
        "unbiased": found.unbiased,
        "naive": found.naive,
        "estimated": found.corrected,
        "true": truly.corrected,
        "num_pages": float(len(page)),
    }


def _scores(
    data: PreparedData,
    customer: NDArray[np.int64],
    place: NDArray[np.int64],
    scorer: BlockScorer,
    *,
    as_of_s: NDArray[np.int64],
    hides_seen: bool = False,
) -> NDArray[np.float32]:
    """Returns the scores of all items from what each customer did before a place, `[n, V]`."""
    histories, offsets = data.histories, np.asarray(data.histories.offsets)
    blocks = []
    for first in range(0, len(customer), _PER_BLOCK):
        some = slice(first, first + _PER_BLOCK)
        lengths = place[some] - offsets[customer[some]]
        rows = np.concatenate(
            [np.arange(stop - n, stop) for stop, n in zip(place[some], lengths, strict=True)]
        )
        block = Block(
            item_index=histories.item_index[rows].astype(np.int64),
            event_type=histories.event_type[rows].astype(np.int64),
            timestamp_s=histories.timestamp_s[rows].astype(np.int64),
            lengths=lengths,
            targets=np.zeros(len(lengths), dtype=np.int64),
            as_of_s=as_of_s[some],
        )
        scores = np.array(scorer(block), dtype=np.float32)
        if hides_seen:
            hide_items(scores, block.row(), block.item_index)
        blocks.append(scores)
    return np.concatenate(blocks)


def _customer_rows(case: Case) -> NDArray[np.int64]:
    """Returns the history of each simulated customer, -1 without one."""
    rows = np.full(case.retailer.profiles.num_customers, -1)
    for row, name in enumerate(case.data.customers["customer_id"]):
        rows[int(name.removeprefix("c")) - 1] = row
    return rows


def _item_indices(case: Case) -> NDArray[np.int64]:
    """Returns the item index of each row of the synthetic catalogue."""
    items = case.data.items
    index = dict(zip(items["item_id"], items["item_index"], strict=True))
    return np.array(
        [index[f"i{number:06d}"] for number in case.retailer.shop.catalogue.item_number]
    )


def _propensity_table(case: Case) -> NDArray[np.float64]:
    """Returns the estimated propensities per touchpoint and position, 1 where there is none."""
    table = np.ones_like(case.retailer.shop.examination)
    found = case.data.propensities
    assert found is not None
    for row, touchpoint in enumerate(TOUCHPOINTS):
        values = found.touchpoints.get(touchpoint.value, (1.0,))
        table[row] = [values[min(place, len(values) - 1)] for place in range(table.shape[1])]
    return table


def _propensity_errors(cases: dict[int, Case]) -> dict[str, Any]:
    """Returns per touchpoint the errors of the estimate and of plain click rates."""
    errors: dict[str, Any] = {}
    for row, touchpoint in enumerate(TOUCHPOINTS):
        figures: dict[str, list[float]] = {}
        for case in cases.values():
            truth = case.retailer.shop.examination[row, : SLOTS[row]]
            estimates = {
                "estimated": _propensity_table(case)[row, : SLOTS[row]],
                "click_rate": _click_rates(case.retailer, row),
            }
            for name, values in estimates.items():
                error = np.abs(values - truth)
                figures.setdefault(f"{name}_max", []).append(float(error.max()))
                figures.setdefault(f"{name}_mean", []).append(float(error.mean()))
        errors[touchpoint.value] = {name: spread(values) for name, values in figures.items()}
    return errors


def _click_rates(retailer: Retailer, touchpoint: int) -> NDArray[np.float64]:
    """Returns clicks per impression of each position over the first one's."""
    is_here = retailer.pages.touchpoint == touchpoint
    shown = retailer.pages.is_shown[is_here, : SLOTS[touchpoint]].sum(axis=0)
    clicked = retailer.pages.is_clicked[is_here, : SLOTS[touchpoint]].sum(axis=0)
    rate = clicked / np.maximum(shown, 1)
    return np.asarray(rate / rate[0])


def _collect(
    kept: dict[str, dict[str, list[float]]], variant: str, figures: dict[str, float]
) -> None:
    for name, value in figures.items():
        kept.setdefault(variant, {}).setdefault(name, []).append(value)


def _spreads(kept: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """Returns means and deviations, and those of the differences from the naive model."""
    return {
        variant: {name: spread(values) for name, values in figures.items()}
        | {
            f"{name}_gain": spread(
                [a - b for a, b in zip(values, kept["naive"][name], strict=True)]
            )
            for name, values in figures.items()
            if not name.startswith("num_")
        }
        for variant, figures in kept.items()
    }


def position_bias_markdown(results: dict[str, Any]) -> str:
    """Returns the three tables."""
    names = ("estimated_max", "estimated_mean", "click_rate_max", "click_rate_mean")
    errors = markdown(
        ["touchpoint", "largest error", "mean error", "click rates: largest", "mean"],
        [
            [touchpoint, *(_figure(figures[name], digits=3) for name in names)]
            for touchpoint, figures in results["propensities"].items()
        ],
    )
    preference = markdown(
        ["next_item", "Kendall tau", "NDCG@10", "tau over naive", "NDCG@10 over naive"],
        [
            [
                VARIANTS[variant],
                *(_figure(figures[name]) for name in ("kendall_tau", "ndcg_at_10")),
                *(
                    _figure(figures[f"{name}_gain"], is_signed=True)
                    for name in ("kendall_tau", "ndcg_at_10")
                ),
            ]
            for variant, figures in results["preference"].items()
        ],
    )
    metrics = markdown(
        ["next_item", "position-free", "as logged", "estimated propensities", "true propensities"],
        [
            [
                VARIANTS[variant],
                *(_figure(figures[n]) for n in ("unbiased", "naive", "estimated", "true")),
            ]
            for variant, figures in results["metrics"].items()
        ],
    )
    return (
        "Propensities against the truth:\n\n"
        f"{errors}\n\nModels against what customers want right after their last page:\n\n"
        f"{preference}\n\nNDCG@10 of the clicks on the test window's pages:\n\n{metrics}"
    )


def _figure(figures: dict[str, Any], *, digits: int = 4, is_signed: bool = False) -> str:
    sign = "+" if is_signed else ""
    mean = f"{figures['mean']:{sign}.{digits}f}"
    return mean if figures["seeds"] < 2 else f"{mean} ± {figures['std']:.{digits}f}"


def main() -> None:
    """Measures, prints the Markdown, and writes the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small retailer")
    parser.add_argument("--work", type=Path, default=Path(".stylerec/bench-position-bias"))
    parser.add_argument("--output", type=Path, help="JSON file")
    arguments = parser.parse_args()
    results = measure_position_bias(
        arguments.work,
        quick=arguments.quick,
        progress=lambda line: print(line, file=sys.stderr, flush=True),
    )
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1) + "\n")
    print(position_bias_markdown(results))


if __name__ == "__main__":
    main()
