"""Charts of whole models as SVG text: their comparison, their training."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stylerec.evaluation.plot_style import (
    BASELINE_COLOUR,
    GRID,
    INK,
    MODEL_COLOURS,
    SOFT,
    STYLE,
    colours_of,
    readable_name,
    svg,
    titled,
)
from stylerec.evaluation.results import RankingMetrics

_NORMAL_95 = 1.96


def comparison_chart(
    models: Mapping[str, RankingMetrics], baselines: Mapping[str, RankingMetrics]
) -> str:
    """Returns horizontal bars of NDCG@10 and hit rate@10 with 95 % intervals, best on top.

    Args:
        models: By readable name; each in its own colour.
        baselines: By readable name; grey.
    """
    colours = {**dict.fromkeys(baselines, BASELINE_COLOUR), **colours_of(models)}
    rows = sorted({**baselines, **models}.items(), key=lambda row: row[1].ndcg_at_10)
    names = [name for name, _ in rows]
    with style.context(STYLE):
        figure = Figure(figsize=(9.0, 0.7 + 0.38 * len(rows)), layout="constrained")
        for axes, metric in zip(
            figure.subplots(1, 2, sharey=True), ("ndcg_at_10", "hit_rate_at_10"), strict=True
        ):
            _bars(
                axes,
                names,
                [getattr(metrics, metric) for _, metrics in rows],
                [_bounds(metrics, metric) for _, metrics in rows],
                [colours[name] for name in names],
            )
            titled(axes, readable_name(metric))
        return svg(figure)


def training_chart(
    epochs: Sequence[Mapping[str, Any]],
    *,
    metric: str,
    best_epoch: int,
    colour: str = MODEL_COLOURS[0],
) -> str:
    """Returns the loss and the validation metric over epochs, side by side.

    Args:
        epochs: Records with `epoch`, `loss` and `metric`, as in `training.json`.
        metric: Key of the validation metric.
        best_epoch: The epoch to mark: the one whose weights were kept.
        colour: Of the validation metric.
    """
    numbers = [record["epoch"] for record in epochs]
    with style.context(STYLE):
        figure = Figure(figsize=(9.0, 2.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        _curve(left, "Training loss", numbers, [r["loss"] for r in epochs], SOFT)
        values = [r[metric] for r in epochs]
        _curve(right, readable_name(metric), numbers, values, colour)
        best = values[numbers.index(best_epoch)]
        right.plot(best_epoch, best, "o", color=colour, markersize=8)
        right.annotate(
            f"{best:.4f}, epoch {best_epoch}",
            (best_epoch, best),
            textcoords="offset points",
            xytext=(0, 9),
            # A label in the middle of its point would leave the chart at either end.
            ha="right" if best_epoch > sum(numbers) / len(numbers) else "left",
            color=colour,
        )
        right.margins(y=0.28)
        return svg(figure)


def _bounds(metrics: RankingMetrics, metric: str) -> tuple[float, float]:
    """Returns the 95 % interval of a figure; that of an older evaluation is an approximation."""
    if metric in metrics.intervals:
        return metrics.intervals[metric].low, metrics.intervals[metric].high
    value: float = getattr(metrics, metric)
    error = metrics.ndcg_at_10_standard_error if metric == "ndcg_at_10" else 0.0
    return value - _NORMAL_95 * error, value + _NORMAL_95 * error


def _bars(
    axes: Axes,
    names: list[str],
    values: list[float],
    bounds: list[tuple[float, float]],
    colours: list[str],
) -> None:
    below = [max(0.0, value - low) for value, (low, _) in zip(values, bounds, strict=True)]
    above = [max(0.0, high - value) for value, (_, high) in zip(values, bounds, strict=True)]
    axes.barh(
        names,
        values,
        color=colours,
        xerr=[below, above],
        height=0.62,
        error_kw={"ecolor": "#3b454d", "elinewidth": 1, "capsize": 2},
    )
    reach = max([value + up for value, up in zip(values, above, strict=True)], default=0.0)
    for position, (value, up) in enumerate(zip(values, above, strict=True)):
        axes.text(value + up + 0.02 * reach, position, f"{value:.4f}", va="center", color=INK)
    axes.set_xlim(0.0, 1.2 * reach or 1.0)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=5)


def _curve(axes: Axes, title: str, x: list[int], y: list[float], colour: str) -> None:
    axes.plot(x, y, "-o", color=colour, linewidth=1.8, markersize=3.5)
    titled(axes, title)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.margins(y=0.18)
