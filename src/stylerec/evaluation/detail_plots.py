"""Charts of how models behave, as SVG text: by slice, as probabilities, by popularity."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter

from stylerec.evaluation.calibration import Calibration
from stylerec.evaluation.plot_style import (
    BASELINE_COLOUR,
    GRID,
    MARKERS,
    REFERENCE_COLOUR,
    SOFT,
    STYLE,
    colours_of,
    legend_above,
    svg,
    titled,
)
from stylerec.evaluation.results import PopularityShares
from stylerec.evaluation.slices import SliceMetrics

_NORMAL_95 = 1.96
_ROW_INCHES = 0.34
_SPREAD = 0.2
"""Distance between two models' points of one slice, in rows."""

Slices = Mapping[str, SliceMetrics]


def slice_chart(
    models: Mapping[str, Slices],
    reference: Mapping[str, Slices],
    *,
    groups: Mapping[str, Sequence[tuple[str, str]]],
) -> str:
    """Returns NDCG@10 by slice, one panel per group, as points with 95 % intervals.

    Args:
        models: Slices by readable model name.
        reference: Slices of what models are compared with, grey. A slice that is too small to read
            keeps its row, without points.
        groups: Title of each panel to its slices, each with its label.
    """
    colours = {**dict.fromkeys(reference, REFERENCE_COLOUR), **colours_of(models)}
    sizes = [len(slices) for slices in groups.values()]
    with style.context(STYLE):
        height = 0.9 + _ROW_INCHES * sum(sizes) + 0.45 * len(sizes)
        figure = Figure(figsize=(9.0, height), layout="constrained")
        panels = figure.subplots(
            len(sizes), 1, sharex=True, squeeze=False, height_ratios=[s + 0.5 for s in sizes]
        )[:, 0]
        for axes, (title, slices) in zip(panels, groups.items(), strict=True):
            _slice_panel(axes, {**models, **reference}, slices, colours)
            titled(axes, title)
        panels[-1].set_xlabel("NDCG@10")
        # A little below zero, so that points at zero are whole.
        panels[-1].set_xlim(left=-0.01 * panels[-1].get_xlim()[1])
        legend_above(figure, panels[0])
        return svg(figure)


def calibration_chart(calibrations: Mapping[str, Calibration]) -> str:
    """Returns observed against predicted probability of the top ten, one panel per model.

    Both axes are logarithmic. A bin without a hit has no place on such an axis: a hollow triangle
    marks it at the foot.
    """
    colours = colours_of(calibrations)
    bins = [bin_ for found in calibrations.values() for bin_ in found.bins]
    values = [v for b in bins for v in (b.predicted, b.observed) if v > 0]
    low, high = 0.6 * min(values, default=0.01), 1.6 * max(values, default=1.0)
    with style.context(STYLE):
        figure = Figure(figsize=(4.5 * len(calibrations), 3.7), layout="constrained")
        panels = figure.subplots(1, len(calibrations), sharey=True, squeeze=False)[0]
        for axes, (name, found) in zip(panels, calibrations.items(), strict=True):
            axes.plot([low, high], [low, high], "--", color=BASELINE_COLOUR, linewidth=1.2)
            _reliability(axes, found, colours[name], foot=low)
            axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
            axes.set_xlabel("predicted probability")
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                axis.set_minor_formatter(NullFormatter())
            axes.grid(color=GRID, linewidth=0.8)
            titled(axes, name)
        panels[0].set_ylabel("share that was the target")
        return svg(figure)


def popularity_chart(
    models: Mapping[str, PopularityShares], reference: Mapping[str, PopularityShares]
) -> str:
    """Returns the share of recommendations by popularity decile, beside the customers' own.

    Args:
        models: By readable model name.
        reference: What models are compared with, grey. At least one of both.
    """
    shown = {**models, **reference}
    colours = {**dict.fromkeys(reference, REFERENCE_COLOUR), **colours_of(models)}
    decile = np.arange(1, 11)
    with style.context(STYLE):
        figure = Figure(figsize=(9.0, 3.3), layout="constrained")
        axes = figure.subplots()
        own = next(iter(shown.values())).chosen
        axes.bar(decile, own, width=0.7, color="#d5dce1", label="customers' own histories")
        for place, (name, shares) in enumerate(shown.items()):
            marker = MARKERS[place % len(MARKERS)]
            line = "--" if name in reference else "-"
            axes.plot(
                decile,
                shares.recommended,
                line,
                marker=marker,
                color=colours[name],
                markersize=5,
                label=name,
            )
        axes.set_xticks(decile, ["most\npopular", *map(str, range(2, 10)), "least\npopular"])
        axes.tick_params(axis="x", length=0)
        axes.set_xlabel("tenth of the catalogue")
        axes.set_ylim(bottom=0.0)
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1.0, decimals=0))
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        legend_above(figure, axes)
        return svg(figure)


def _reliability(axes: Axes, found: Calibration, colour: str, *, foot: float) -> None:
    hit = [b for b in found.bins if b.observed > 0]
    axes.plot(
        [b.predicted for b in hit], [b.observed for b in hit], "-o", color=colour, markersize=5
    )
    empty = [max(b.predicted, foot) for b in found.bins if b.observed <= 0]
    if empty:
        axes.plot(empty, [foot] * len(empty), "v", mfc="none", color=colour, clip_on=False)


def _slice_panel(
    axes: Axes,
    models: Mapping[str, Slices],
    slices: Sequence[tuple[str, str]],
    colours: Mapping[str, str],
) -> None:
    centre = (len(models) - 1) / 2
    for place, (name, found) in enumerate(models.items()):
        rows = [
            (row, found[key])
            for row, (key, _) in enumerate(slices)
            if key in found and not found[key].is_too_small
        ]
        axes.errorbar(
            [metrics.ndcg_at_10 for _, metrics in rows],
            [row + _SPREAD * (place - centre) for row, _ in rows],
            xerr=[_NORMAL_95 * metrics.ndcg_at_10_standard_error for _, metrics in rows],
            fmt=MARKERS[place % len(MARKERS)],
            color=colours[name],
            markersize=4.5,
            elinewidth=1.1,
            label=name,
        )
    # A dollar sign in a retailer's name would begin a formula.
    axes.set_yticks(range(len(slices)), [label.replace("$", r"\$") for _, label in slices])
    # The first slice is on top.
    axes.set_ylim(len(slices) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelbottom=True, labelcolor=SOFT)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
