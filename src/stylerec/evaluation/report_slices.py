"""The report's section on slices: how models do for parts of the customers and items."""

from collections.abc import Mapping

from stylerec.evaluation.detail_plots import slice_chart
from stylerec.evaluation.gates import AMF
from stylerec.evaluation.plot_style import readable_name
from stylerec.evaluation.report_html import folded, section, table
from stylerec.evaluation.results import Evaluation
from stylerec.evaluation.slices import (
    CUSTOMERS_NEW,
    DEPARTMENT_PREFIX,
    HISTORY_LONG,
    HISTORY_MEDIUM,
    HISTORY_SHORT,
    ITEMS_COLD,
    ITEMS_HEAD,
    ITEMS_TAIL,
    LONG_HISTORY,
    MARKET_PREFIX,
    MIN_CUSTOMERS,
    SHORT_HISTORY,
    SliceMetrics,
)

_SLICES = {
    "Customers by history": {
        CUSTOMERS_NEW: "new: nothing trained",
        HISTORY_SHORT: f"short, under {SHORT_HISTORY}",
        HISTORY_MEDIUM: f"medium, {SHORT_HISTORY} to {LONG_HISTORY - 1}",
        HISTORY_LONG: f"long, {LONG_HISTORY} or more",
    },
    "Items by training interactions": {
        ITEMS_HEAD: "head, the top fifth",
        ITEMS_TAIL: "tail",
        ITEMS_COLD: "cold: never trained",
    },
}
_LONGEST_NAME = 28
"""Letters of a retailer's own name that a chart has room for."""
_NAMED_SLICES = {"Departments": DEPARTMENT_PREFIX, "Markets": MARKET_PREFIX}


def slices_section(evaluation: Evaluation) -> str:
    """Returns NDCG@10 by slice as a chart, and all figures in a folded table."""
    reference = {name: m for name, m in evaluation.baselines.items() if name == AMF}
    shown = {**evaluation.models, **reference}
    found = {name: m.slices for name, m in shown.items() if m.slices}
    if not found:
        return ""
    sizes = next(iter(found.values()))
    groups = _groups(sizes)
    chart = slice_chart(
        {readable_name(name): slices for name, slices in found.items() if name != AMF},
        {readable_name(name): slices for name, slices in found.items() if name == AMF},
        groups={
            title: [(key, _label(text, sizes[key])) for key, text in listed.items()]
            for title, listed in groups.items()
        },
    )
    rows = [
        [
            f"{title}: {text}",
            readable_name(name),
            f"{slices[key].ndcg_at_10:.4f} ± {slices[key].ndcg_at_10_standard_error:.4f}",
            f"{slices[key].hit_rate_at_10:.4f} ± {slices[key].hit_rate_at_10_standard_error:.4f}",
            f"{slices[key].num_customers:,}",
            "too few" if slices[key].is_too_small else "",
        ]
        for title, listed in groups.items()
        for key, text in listed.items()
        for name, slices in found.items()
    ]
    note = (
        "NDCG@10 of parts of the targets, with 95 % intervals (in the table ± is one standard "
        f"error); n is the number of customers. A slice of fewer than {MIN_CUSTOMERS} says "
        "nothing and is not drawn. Popularity and newness are those of the training part; "
        "departments are the item's, markets the customer's."
    )
    header = ["slice", "model", "NDCG@10", "hit rate@10", "customers", ""]
    body = chart + folded("The slices in figures", table(header, rows))
    return section("Slices", note, body)


def _groups(slices: Mapping[str, SliceMetrics]) -> dict[str, dict[str, str]]:
    """Returns the title of each group of slices to their keys and names."""
    groups = {
        title: {key: text for key, text in listed.items() if key in slices}
        for title, listed in _SLICES.items()
    }
    for title, prefix in _NAMED_SLICES.items():
        named = {key: key.removeprefix(prefix) for key in slices if key.startswith(prefix)}
        # One market or department is everything: its row would repeat the whole.
        groups[title] = named if len(named) > 1 else {}
    return {title: listed for title, listed in groups.items() if listed}


def _label(text: str, metrics: SliceMetrics) -> str:
    name = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
    few = ": too few" if metrics.is_too_small else ""
    return f"{name}, n = {metrics.num_customers:,}{few}"
