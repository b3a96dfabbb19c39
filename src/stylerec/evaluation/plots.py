"""The report's charts as SVG text, drawn the same from the same figures."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stylerec.evaluation.ranking import RankingMetrics

MODEL_COLOUR = "#0b6e75"
BASELINE_COLOUR = "#a9b4bd"
LOSS_COLOUR = "#5b6770"
_SHORT_NAMES = re.compile(r"\b(ndcg|mrr|auc|amf|knn|fitb)\b")
_STYLE: dict[str, Any] = {
    # Text stays text: small, selectable, in the page's font.
    "svg.fonttype": "none",
    # Without a salt every run would name its clip paths differently.
    "svg.hashsalt": "stylerec",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#c4ccd2",
    "axes.labelcolor": "#3b454d",
    "xtick.color": "#3b454d",
    "ytick.color": "#3b454d",
}


def comparison_chart(
    models: Mapping[str, RankingMetrics], baselines: Mapping[str, RankingMetrics]
) -> str:
    """Returns horizontal bars of NDCG@10 (with standard errors) and hit rate@10, best on top."""
    rows = [(name, metrics, MODEL_COLOUR) for name, metrics in models.items()]
    rows += [(name, metrics, BASELINE_COLOUR) for name, metrics in baselines.items()]
    rows.sort(key=lambda row: row[1].ndcg_at_10)
    names = [name for name, _, _ in rows]
    colours = [colour for _, _, colour in rows]
    with style.context(_STYLE):
        figure = Figure(figsize=(9.0, 0.9 + 0.42 * len(rows)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        _bars(
            left,
            "NDCG@10",
            names,
            [metrics.ndcg_at_10 for _, metrics, _ in rows],
            colours,
            errors=[metrics.ndcg_at_10_standard_error for _, metrics, _ in rows],
        )
        _bars(
            right,
            "Hit rate@10",
            names,
            [metrics.hit_rate_at_10 for _, metrics, _ in rows],
            colours,
            errors=None,
        )
        return _svg(figure)


def training_chart(epochs: Sequence[Mapping[str, Any]], *, metric: str, best_epoch: int) -> str:
    """Returns the loss and the validation metric over epochs, side by side.

    Args:
        epochs: Records with `epoch`, `loss` and `metric`, as in `training.json`.
        metric: Key of the validation metric.
        best_epoch: The epoch to mark: the one whose weights were kept.
    """
    numbers = [record["epoch"] for record in epochs]
    with style.context(_STYLE):
        figure = Figure(figsize=(9.0, 2.7), layout="constrained")
        left, right = figure.subplots(1, 2)
        _curve(left, "Training loss", numbers, [r["loss"] for r in epochs], LOSS_COLOUR)
        values = [r[metric] for r in epochs]
        _curve(right, readable_name(metric), numbers, values, MODEL_COLOUR)
        best = values[numbers.index(best_epoch)]
        right.plot(best_epoch, best, "o", color=MODEL_COLOUR, markersize=8)
        right.annotate(
            f"{best:.4f}",
            (best_epoch, best),
            textcoords="offset points",
            xytext=(0, -16),
            ha="center",
            color=MODEL_COLOUR,
        )
        return _svg(figure)


def readable_name(key: str) -> str:
    """Returns a key as words: `validation_ndcg_at_10` becomes `Validation NDCG@10`."""
    words = key.replace("_at_", "@").replace("num_", "number of ").replace("_", " ")
    words = _SHORT_NAMES.sub(lambda match: match[0].upper(), words)
    return words[:1].upper() + words[1:]


def _bars(
    axes: Axes,
    title: str,
    names: list[str],
    values: list[float],
    colours: list[str],
    *,
    errors: list[float] | None,
) -> None:
    axes.barh(
        names,
        values,
        color=colours,
        xerr=errors,
        height=0.62,
        error_kw={"ecolor": "#3b454d", "elinewidth": 1, "capsize": 2},
    )
    reach = max([v + (errors[i] if errors else 0.0) for i, v in enumerate(values)], default=0.0)
    for position, value in enumerate(values):
        end = value + (errors[position] if errors else 0.0)
        axes.text(end + 0.02 * reach, position, f"{value:.4f}", va="center", color="#1d252b")
    axes.set_xlim(0.0, 1.2 * reach or 1.0)
    axes.set_title(title, loc="left", fontsize=11, color="#1d252b")
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=5)


def _curve(axes: Axes, title: str, x: list[int], y: list[float], colour: str) -> None:
    axes.plot(x, y, "-o", color=colour, linewidth=1.8, markersize=3.5)
    axes.set_title(title, loc="left", fontsize=11, color="#1d252b")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axes.grid(axis="y", color="#e6eaed", linewidth=0.8)
    axes.margins(y=0.18)


def _svg(figure: Figure) -> str:
    """Returns the figure as an `<svg>` element to inline in a page."""
    buffer = io.StringIO()
    # A date would make two equal reports differ.
    figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
