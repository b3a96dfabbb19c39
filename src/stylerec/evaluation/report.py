"""The evaluation as one self-contained HTML page: tables, and charts inlined as SVG."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from stylerec.data.prepared import DatasetSummary
from stylerec.evaluation.outfits import OutfitMetrics
from stylerec.evaluation.plots import comparison_chart, readable_name, training_chart
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
        _ranking_section(evaluation),
        _outfit_section(evaluation.outfit),
        _gates_section(evaluation.gates),
        _omitted_section({**summary.omitted, **evaluation.omitted}),
        *(_training_section(name, record) for name, record in training.items()),
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
    facts = {
        "customers": summary.num_customers,
        "items": summary.num_items,
        "interactions": summary.num_interactions,
        "outfits": summary.num_outfits,
        "markets": len(summary.markets),
    }
    cells = "".join(
        f'<div class="fact"><b>{number:,}</b><span>{name}</span></div>'
        for name, number in facts.items()
    )
    body = f'<div class="facts">{cells}</div>'
    if summary.dropped:
        rows = [[readable_name(reason), f"{count:,}"] for reason, count in summary.dropped.items()]
        body += "<h3>Left out while preparing</h3>" + _table(["reason", "rows"], rows)
    return _section("Data", "", body)


def _ranking_section(evaluation: Evaluation) -> str:
    if not evaluation.models and not evaluation.baselines:
        return ""
    listed = [(name, metrics, "model") for name, metrics in evaluation.models.items()]
    listed += [(name, metrics, "") for name, metrics in evaluation.baselines.items()]
    listed.sort(key=lambda row: -row[1].ndcg_at_10)
    rows = [
        [
            readable_name(name),
            f"{m.ndcg_at_10:.4f} ± {m.ndcg_at_10_standard_error:.4f}",
            f"{m.hit_rate_at_10:.4f}",
            f"{m.mrr_at_10:.4f}",
            f"{m.num_customers:,}",
            f"{m.num_repeat_targets:,}",
        ]
        for name, m, _ in listed
    ]
    header = ["", "NDCG@10", "hit rate@10", "MRR@10", "customers", "repeat targets"]
    chart = comparison_chart(
        {readable_name(name): metrics for name, metrics in evaluation.models.items()},
        {readable_name(name): metrics for name, metrics in evaluation.baselines.items()},
    )
    note = (
        f"Each customer's held-out {evaluation.split} item, ranked among all items (full candidate "
        "set). Items already seen are filtered and ties count against the model; ± is one standard "
        "error over customers. Customers whose target they had seen before are left out and "
        "counted as repeat targets. Coloured: models; grey: baselines."
    )
    classes = [css for _, _, css in listed]
    return _section("Ranking", note, chart + _table(header, rows, row_classes=classes))


def _outfit_section(outfit: OutfitMetrics | None) -> str:
    if outfit is None:
        return ""
    rows = [[readable_name(name), _figure(value)] for name, value in outfit.model_dump().items()]
    note = (
        "Compatibility AUC: how often a stylist's outfit scores above one with replaced items "
        "(0.5 is chance). Fill in the blank (FITB): how often the missing item is picked out of "
        "four (0.25 is chance)."
    )
    return _section("Outfits", note, _table(["", "figure"], rows))


def _gates_section(gates: Sequence[GateResult]) -> str:
    if not gates:
        return ""
    rows = [
        [
            readable_name(gate.name),
            _figure(gate.value),
            _figure(gate.threshold),
            "passed" if gate.is_passed else "failed",
            gate.detail,
        ]
        for gate in gates
    ]
    header = ["gate", "figure", "at least", "verdict", "how the bound came about"]
    return _section("Gates", "A release needs every one of them.", _table(header, rows))


def _omitted_section(omitted: Mapping[str, str]) -> str:
    if not omitted:
        return ""
    rows = [[readable_name(branch), reason] for branch, reason in omitted.items()]
    note = "Parts that the data cannot feed; the touchpoints that need them use a lower rung."
    return _section("Left out", note, _table(["part", "reason"], rows))


def _training_section(name: str, record: Mapping[str, Any]) -> str:
    epochs: Sequence[Mapping[str, Any]] = record["epochs"]
    if not epochs:
        return ""
    metric = next(key for key in epochs[0] if key.startswith("validation_"))
    best_epoch: int = record["best_epoch"]
    best = next(epoch[metric] for epoch in epochs if epoch["epoch"] == best_epoch)
    seconds = sum(epoch["seconds"] for epoch in epochs)
    note = (
        f"{len(epochs)} epoch{'s' if len(epochs) > 1 else ''} in {seconds:,.0f} s. The weights of "
        f"epoch {best_epoch} were kept: {readable_name(metric)} {best:.4f}."
    )
    chart = training_chart(epochs, metric=metric, best_epoch=best_epoch)
    return _section(f"Training: {readable_name(name)}", note, chart)


def _section(title: str, note: str, body: str) -> str:
    paragraph = f"<p>{escape(note)}</p>" if note else ""
    return f"<section><h2>{escape(title)}</h2>{paragraph}{body}</section>"


def _table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, row_classes: Iterable[str] = ()
) -> str:
    classes = list(row_classes) or [""] * len(rows)
    is_number = [
        bool(rows) and all(row[column][:1].isdigit() for row in rows)
        for column in range(len(header))
    ]
    head = "".join(_cell("th", text, is_number[i]) for i, text in enumerate(header))
    body = "".join(
        f'<tr class="{css}">'
        + "".join(_cell("td", text, is_number[i]) for i, text in enumerate(row))
        + "</tr>"
        for css, row in zip(classes, rows, strict=True)
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def _cell(tag: str, text: str, is_number: bool) -> str:
    css = "number" if is_number else {"passed": "yes", "failed": "no"}.get(text, "")
    return f'<{tag} class="{css}">{escape(text)}</{tag}>'


def _figure(value: object) -> str:
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4f}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
