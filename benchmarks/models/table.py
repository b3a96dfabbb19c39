"""The benchmark's results as a Markdown table and as one JSON object."""

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

NDCG, RECALL = "ndcg_at_10", "recall_at_10"
PUBLISHED = {
    "beauty": (
        ("eSASRec (RecSys 2025), single run", 0.0523, 0.0928),
        ("SASRec with sampled softmax, single run", 0.0531, 0.0921),
        ("DuoRec", 0.0443, 0.0845),
        ("HSTU, re-run", 0.0439, 0.0788),
        ("SASRec, original", 0.0318, 0.0605),
    )
}
"""NDCG@10 and recall@10 on the same files, as published."""
LABELS = {
    "next_item": "next_item, ids only",
    "next_item_content": "next_item, with content",
    "ranking": "ranking (TensorFlow, hybrid)",
    "amf": "AMF",
}


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Returns mean, sample standard deviation and number of seeds."""
    deviation = stdev(values) if len(values) > 1 else 0.0
    return {"mean": mean(values), "std": deviation, "seeds": len(values)}


def model_figures(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the spread of NDCG@10 and recall@10 over one result per seed.

    With one target per customer recall is the hit rate.
    """
    return {
        NDCG: spread([result["test"]["ndcg_at_10"] for result in results]),
        RECALL: spread([result["test"]["hit_rate_at_10"] for result in results]),
    }


def uplift(model: Mapping[str, Any], baseline: Mapping[str, Any]) -> dict[str, float]:
    """Returns how much better a model's means are than a baseline's, as a share of the latter."""
    return {
        name: model[name]["mean"] / baseline[name]["mean"] - 1.0
        for name in (NDCG, RECALL)
        if baseline[name]["mean"]
    }


def ranking_table(
    models: Mapping[str, Mapping[str, Any]],
    baselines: Mapping[str, Mapping[str, Any]],
    *,
    dataset: str,
) -> str:
    """Returns the models, baselines and published figures, best NDCG@10 first."""
    rows = [
        (
            LABELS.get(name, name),
            figures[NDCG]["mean"],
            with_spread(figures[NDCG]),
            with_spread(figures[RECALL]),
            f"{figures[NDCG]['seeds']}",
        )
        for name, figures in models.items()
    ]
    rows += [
        (
            name.replace("_", " "),
            figures["ndcg_at_10"],
            _figure(figures["ndcg_at_10"]),
            _figure(figures["hit_rate_at_10"]),
            "",
        )
        for name, figures in baselines.items()
    ]
    rows += [
        (f"*{name}*", ndcg, _figure(ndcg), _figure(recall), "published")
        for name, ndcg, recall in PUBLISHED.get(dataset, ())
    ]
    rows.sort(key=lambda row: -row[1])
    return markdown(
        ["", "NDCG@10", "R@10", "seeds"], [(label, *cells) for label, _, *cells in rows]
    )


def target_table(rows: Sequence[tuple[str, str, str, bool | None]]) -> str:
    """Returns what, measured, target and verdict; None leaves the verdict out."""
    words = {True: "reached", False: "**missed**", None: ""}
    return markdown(
        ["what", "measured", "target", ""],
        [(what, measured, target, words[is_met]) for what, measured, target, is_met in rows],
    )


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def with_spread(figures: Mapping[str, Any], *, digits: int = 4, sign: bool = False) -> str:
    """Returns a mean with its standard deviation, which one seed does not have."""
    mean_figure = _figure(figures["mean"], digits=digits, sign=sign)
    if figures["seeds"] < 2:
        return mean_figure
    return f"{mean_figure} ± {_figure(figures['std'], digits=digits)}"


def _figure(value: float, *, digits: int = 4, sign: bool = False) -> str:
    text = f"{value:{'+' if sign else ''}.{digits}f}"
    return text if abs(value) >= 1 else text.replace("0.", ".", 1)
