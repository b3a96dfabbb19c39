"""How every chart of the report looks, and how figures become SVG text."""

import io
import re
from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#1d252b"
SOFT = "#5b6770"
GRID = "#e6eaed"
BASELINE_COLOUR = "#a9b4bd"
REFERENCE_COLOUR = "#4a5560"
MODEL_COLOURS = ("#0b6e75", "#c4622d", "#6a4c93", "#b08900", "#1f6fb2")
"""Told apart by the colour-blind too."""
MARKERS = ("o", "s", "D", "^", "v")

STYLE: dict[str, Any] = {
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
    "axes.axisbelow": True,
    "xtick.color": "#3b454d",
    "ytick.color": "#3b454d",
    "legend.frameon": False,
}

_SHORT_NAMES = re.compile(r"\b(ndcg|mrr|auc|amf|knn|fitb|ease|idf|tf)\b")
_MIXED_NAMES = {"ials": "iALS"}


def readable_name(key: str) -> str:
    """Returns a key as words: `validation_ndcg_at_10` becomes `Validation NDCG@10`."""
    if key in _MIXED_NAMES:
        return _MIXED_NAMES[key]
    words = key.replace("_at_", "@").replace("num_", "number of ").replace("_", " ")
    words = _SHORT_NAMES.sub(lambda match: match[0].upper(), words)
    return words[:1].upper() + words[1:]


def colours_of(models: Iterable[str]) -> dict[str, str]:
    """Returns each model's colour, the same in every chart of a page."""
    return {name: MODEL_COLOURS[n % len(MODEL_COLOURS)] for n, name in enumerate(models)}


def titled(axes: Axes, title: str) -> None:
    """Writes a chart's title above its left end."""
    axes.set_title(title, loc="left", fontsize=11, color=INK)


def legend_above(figure: Figure, axes: Axes) -> None:
    """Puts the legend of some axes above the whole figure, in one row."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper left", ncols=len(labels), fontsize=9.5)


def svg(figure: Figure) -> str:
    """Returns the figure as an `<svg>` element to inline in a page."""
    buffer = io.StringIO()
    # A date would make two equal reports differ.
    figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
