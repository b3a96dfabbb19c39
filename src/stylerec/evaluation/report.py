"""The evaluation as one self-contained HTML page: tables, and charts inlined as SVG."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from stylerec.data.prepared import DatasetSummary
from stylerec.evaluation.outfits import OutfitMetrics
from stylerec.evaluation.plot_style import (
    REFERENCE_COLOUR,
    colours_of,
    readable_name,
)
from stylerec.evaluation.plots import training_chart
from stylerec.evaluation.report_html import facts, figure, heading, section, table
from stylerec.evaluation.report_ranking import ranking_sections
from stylerec.evaluation.results import Evaluation, GateResult


def write_report(
    evaluation: Evaluation,
    summary: DatasetSummary,
    training: Mapping[str, Mapping[str, Any]],
    path: Path,
) -> None:
    """Writes the report; it loads nothing from elsewhere and is the same from the same figures.

    Args:
        evaluation: Metrics, gates and omitted branches.
        summary: What the retailer's tables hold.
        training: Per model the content of its `training.json`: `best_epoch`, and `epochs` with
            `epoch`, `loss`, `seconds` and one `validation_...` metric each.
        path: The HTML file to write.
    """
    sections = [
        _data_section(summary),
        _gates_section(evaluation.gates),
        *ranking_sections(evaluation),
        _outfit_section(evaluation.outfit),
        _training_section(training, colours_of(evaluation.models)),
        _omitted_section({**summary.omitted, **evaluation.omitted}),
    ]
    template = files("stylerec.evaluation").joinpath("report.html").read_text(encoding="utf-8")
    page = Template(template).substitute(
        verdict=_verdict(evaluation.gates), sections="\n".join(s for s in sections if s)
    )
    path.write_text(page, encoding="utf-8")


def _verdict(gates: Sequence[GateResult]) -> str:
    if not gates:
        return '<span class="verdict neutral">gates not checked</span>'
    num_failed = sum(not gate.is_passed for gate in gates)
    if num_failed:
        return f'<span class="verdict failed">{num_failed} of {len(gates)} gates failed</span>'
    return f'<span class="verdict passed">all {len(gates)} gates passed</span>'


def _data_section(summary: DatasetSummary) -> str:
    body = facts(
        {
            "customers": summary.num_customers,
            "items": summary.num_items,
            "interactions": summary.num_interactions,
            "outfits": summary.num_outfits,
            "markets": len(summary.markets),
        }
    )
    if summary.dropped:
        rows = [[readable_name(reason), f"{count:,}"] for reason, count in summary.dropped.items()]
        body += heading("Left out while preparing") + table(["reason", "rows"], rows)
    return section("Data", "", body)


def _gates_section(gates: Sequence[GateResult]) -> str:
    if not gates:
        return ""
    rows = [
        [
            readable_name(gate.name),
            figure(gate.value),
            figure(gate.threshold),
            "passed" if gate.is_passed else "failed",
            gate.detail,
        ]
        for gate in gates
    ]
    header = ["gate", "figure", "at least", "verdict", "how the bound came about"]
    return section("Gates", "A release needs every one of them.", table(header, rows))


def _outfit_section(outfit: OutfitMetrics | None) -> str:
    if outfit is None:
        return ""
    found = outfit.model_dump(exclude_none=True)
    rows = [[readable_name(name), figure(value)] for name, value in found.items()]
    note = (
        "Compatibility AUC: how often a stylist's outfit scores above one with replaced items "
        "(0.5 is chance). Fill in the blank (FITB): how often the missing item is picked out of "
        "four (0.25 is chance). AUC and FITB are of what is served; pairwise is the sum of the "
        "items' pairwise products, by which outfits are searched."
    )
    return section("Outfits", note, table(["", "figure"], rows))


def _training_section(training: Mapping[str, Mapping[str, Any]], colours: Mapping[str, str]) -> str:
    curves = [
        _learning_curves(name, record, colours.get(name, REFERENCE_COLOUR))
        for name, record in training.items()
        if record["epochs"]
    ]
    if not curves:
        return ""
    note = "Loss on the training part and the metric on validation targets after each epoch."
    return section("Learning curves", note, "".join(curves))


def _learning_curves(name: str, record: Mapping[str, Any], colour: str) -> str:
    epochs: Sequence[Mapping[str, Any]] = record["epochs"]
    metric = next(key for key in epochs[0] if key.startswith("validation_"))
    best_epoch: int = record["best_epoch"]
    best = next(epoch[metric] for epoch in epochs if epoch["epoch"] == best_epoch)
    seconds = sum(epoch["seconds"] for epoch in epochs)
    note = (
        f"{len(epochs)} epoch{'s' if len(epochs) > 1 else ''} in {seconds:,.0f} s. The weights of "
        f"epoch {best_epoch} were kept: {readable_name(metric)} {best:.4f}."
    )
    chart = training_chart(epochs, metric=metric, best_epoch=best_epoch, colour=colour)
    return heading(readable_name(name), note) + chart


def _omitted_section(omitted: Mapping[str, str]) -> str:
    if not omitted:
        return ""
    rows = [[readable_name(branch), reason] for branch, reason in omitted.items()]
    note = (
        "Parts that the data cannot feed; the touchpoints that need them use a lower rung. "
        "Baselines that could not be measured."
    )
    return section("Left out", note, table(["part", "reason"], rows))
