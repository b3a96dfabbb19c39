"""The benchmark's report: every table as Markdown, and the headline as one flat object."""

import math
from collections.abc import Iterator
from typing import Any

from benchmarks.machine import machine_line
from benchmarks.models.ablations import ablations_markdown
from benchmarks.models.position_bias import position_bias_markdown
from benchmarks.models.table import (
    NDCG,
    RECALL,
    markdown,
    ranking_table,
    target_table,
    uplift,
)

BEST_PUBLISHED = {NDCG: 0.0531, RECALL: 0.0928}
TargetRow = tuple[str, str, str, bool | None]


def headline(results: dict[str, Any]) -> dict[str, Any]:
    """Returns the figures that the issue names; a part that was not measured is None."""
    quality = results.get("quality") or {}
    baselines = results.get("baselines") or {}
    names = ("next_item", "next_item_content", "ranking", "amf")
    line: dict[str, Any] = {name: _figures(quality.get(name)) for name in names}
    line["ease"] = _baseline(baselines.get("ease"))
    line["uplift_over_amf"] = (
        uplift(quality["next_item"], quality["amf"])
        if {"next_item", "amf"} <= set(quality)
        else None
    )
    cold = results.get("cold_start")
    line["cold_start"] = (
        None if cold is None else {key: cold[key] for key in (RECALL, "ratio_to_content_knn")}
    )
    speed = results.get("speed") or {}
    line["training_time_ratio_to_peer"] = speed.get("training_time_ratio_to_peer")
    line["peak_rss_mib"] = max((q["peak_rss_mib"] for q in quality.values()), default=None)
    return line


def markdown_report(results: dict[str, Any]) -> str:
    """Returns every table of the results that are there."""
    sections = [
        f"# Ranking and next-item models on {results['dataset']}",
        f"`{results['command']}`. {results['data']}.\n{machine_line(results['machine'])}.",
        "All items ranked, items already seen filtered, ties against the target; test split; what "
        "is measured is the exported ONNX file. ± is the standard deviation over seeds.",
        "## Targets\n\n" + target_table(list(_targets(results))),
    ]
    if "quality" in results or "baselines" in results:
        table = ranking_table(
            results.get("quality", {}), results.get("baselines", {}), dataset=results["dataset"]
        )
        sections.append(f"## Quality\n\n{table}")
    second = results.get("second_dataset")
    if second:
        table = ranking_table(second["quality"], second["baselines"], dataset=second["dataset"])
        sections.append(f"## {second['dataset'].title()}\n\n{second['data']}.\n\n{table}")
    makers = (
        ("cold_start", "Items that no training has seen", _cold_start),
        ("speed", "Training speed", _speed),
        ("memory", "Memory while training", _memory),
        ("ablations", "Event types, weights, time gaps and position", _ablations),
    )
    for key, title, make in makers:
        if results.get(key):
            sections.append(f"## {title}\n\n{make(results[key])}")
    return "\n\n".join(sections)


def _targets(results: dict[str, Any]) -> Iterator[TargetRow]:
    quality, baselines = results.get("quality"), results.get("baselines") or {}
    if quality:
        yield from _quality_targets(quality, baselines)
        peak = max(figures["peak_rss_mib"] for figures in quality.values())
        yield "peak memory while training", f"{peak:,.0f} MiB", "< 3,072 MiB", peak < 3072
    second = results.get("second_dataset")
    if second:
        knn = max(second["baselines"].items(), key=lambda item: _knn_ndcg(*item))[1]
        ours = second["quality"]["next_item"]
        gain = min(
            ours[NDCG]["mean"] / knn["ndcg_at_10"], ours[RECALL]["mean"] / knn["hit_rate_at_10"]
        )
        yield (
            f"next_item on {second['dataset']}, over item-item KNN",
            f"{gain - 1:+.0%}",
            "at least +20 %",
            gain >= 1.2,
        )
    cold = results.get("cold_start")
    if cold:
        best_knn = max(metrics["hit_rate_at_10"] for metrics in cold["content_knn"].values())
        for name in ("next_item", "ranking"):
            if name in cold["models"] and best_knn:
                ratio = cold["models"][name]["hit_rate_at_10"] / best_knn
                what = f"cold start of {name} over the better content KNN"
                yield what, f"{ratio:.2f} x", "at least 1.5 x", ratio >= 1.5
    speed = results.get("speed")
    if speed:
        ratio = speed["training_time_ratio_to_peer"]
        measured = "never as good as the peer" if ratio is None else f"{ratio:.3f}"
        is_met = ratio is not None and ratio <= 1 / 3
        yield "training time over the peer's", measured, "at most 1/3", is_met


def _quality_targets(quality: dict[str, Any], baselines: dict[str, Any]) -> Iterator[TargetRow]:
    ids, content = quality.get("next_item"), quality.get("next_item_content")
    if ids:
        pair = _pair(ids)
        is_met = ids[NDCG]["mean"] >= 0.0545 and ids[RECALL]["mean"] >= 0.0950
        yield "next_item, ids only", pair, "NDCG@10 ≥ .0545, R@10 ≥ .0950", is_met
    if ids and content:
        gain = content[NDCG]["mean"] - ids[NDCG]["mean"]
        noise = math.hypot(content[NDCG]["std"], ids[NDCG]["std"])
        yield (
            "what content adds to next_item",
            f"{gain:+.4f} NDCG@10, the seeds' spread {noise:.4f}",
            "more than the spread",
            gain > noise,
        )
    if ids and "amf" in quality:
        gains = uplift(ids, quality["amf"])
        yield (
            "next_item over AMF, both tuned alike",
            f"{gains[NDCG]:+.0%} NDCG@10, {gains[RECALL]:+.0%} R@10",
            "at least +20 %",
            min(gains.values()) >= 0.2,
        )
    if "ranking" in quality:
        ease = baselines.get("ease", {"ndcg_at_10": 0.0445, "hit_rate_at_10": 0.0782})
        bounds = max(ease["ndcg_at_10"], 0.0445), max(ease["hit_rate_at_10"], 0.0782)
        ranking = quality["ranking"]
        is_met = ranking[NDCG]["mean"] > bounds[0] and ranking[RECALL]["mean"] > bounds[1]
        target = f"above EASE: {_short(bounds[0])} / {_short(bounds[1])}"
        yield "ranking", _pair(ranking), target, is_met


def _knn_ndcg(name: str, metrics: dict[str, Any]) -> float:
    return float(metrics["ndcg_at_10"]) if name.startswith("item_knn") else -1.0


def _cold_start(cold: dict[str, Any]) -> str:
    rows = [
        [name.replace("_", " "), _short(m["hit_rate_at_10"]), _short(m["ndcg_at_10"])]
        for name, m in [*cold["models"].items(), *cold["content_knn"].items()]
    ]
    boosts = [
        [
            name.replace("_", " "),
            f"{row['boost']:g}",
            _short(row["cold_recall_at_10"]),
            _short(row["known_recall_at_10"]),
        ]
        for name, rows_of_model in cold["boosts"].items()
        for row in rows_of_model
    ]
    return (
        "A tenth of the items never trains; their held-out interactions, all items ranked.\n\n"
        + markdown(["", "R@10", "NDCG@10"], rows)
        + "\n\nWhat `new_item_boost` trades: recall@10 of those items and of all others.\n\n"
        + markdown(["", "boost", "new items", "other items"], boosts)
    )


def _speed(speed: dict[str, Any]) -> str:
    ours = speed["our_seconds"]
    cut = " (cut off by its time limit)" if speed["peer_was_cut_off"] else ""
    sentence = (
        f"rectools' SASRec with sampled softmax was best after {speed['peer_seconds']:,.0f} s and "
        f"{speed['peer_epochs']} epochs{cut}: validation NDCG@10 "
        f"{_short(speed['peer_best_validation_ndcg_at_10'])}, on {speed['threads']} threads. "
    )
    sentence += (
        "Ours never got there."
        if ours is None
        else f"Ours got there in {ours:,.0f} s, and to "
        f"{_short(speed['our_best_validation_ndcg_at_10'])} in the end."
    )
    return f"{sentence}\n\n{speed['ranking']['markdown']}"


def _ablations(measured: dict[str, Any]) -> str:
    events = ablations_markdown(measured["events"])
    return f"{events}\n\n{position_bias_markdown(measured['position_bias'])}"


def _memory(rows: list[dict[str, Any]]) -> str:
    return markdown(
        ["model", "customers", "interactions", "own memory, MiB", "with mapped files, MiB"],
        [
            [
                row["model"],
                f"{row['num_customers']:,}",
                f"{row['num_interactions']:,}",
                f"{row['anonymous_mib']:,}",
                f"{row['resident_mib']:,}",
            ]
            for row in rows
        ],
    )


def _figures(figures: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if figures is None else {name: figures[name] for name in (NDCG, RECALL)}


def _baseline(metrics: dict[str, Any] | None) -> dict[str, Any] | None:
    if metrics is None:
        return None
    return {NDCG: metrics["ndcg_at_10"], RECALL: metrics["hit_rate_at_10"]}


def _pair(figures: dict[str, Any]) -> str:
    return f"{_short(figures[NDCG]['mean'])} / {_short(figures[RECALL]['mean'])}"


def _short(value: float) -> str:
    return f"{value:.4f}".removeprefix("0")
