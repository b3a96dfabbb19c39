"""PromQL of alerts, recordings, scalers and dashboards: it parses, and asks for what exists."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import yaml
from prometheus_client import CollectorRegistry, Counter, Histogram

from inference.transformer.metrics import Metrics
from manifests.checks.finding import Finding
from manifests.checks.objects import Build, Document

ROOT = Path(__file__).resolve().parents[3]
_FOREIGN = Path(__file__).resolve().parents[1] / "exported_metrics.yaml"
# Put on by Prometheus, or by the operator's scrape configuration.
_TARGET_LABELS = {"job", "instance", "namespace", "pod", "service", "endpoint", "container"}
_HISTOGRAM_SUFFIXES = ("_bucket", "_count", "_sum")


@functools.cache
def exported_metrics() -> dict[str, frozenset[str]]:
    """Returns every metric that something exports, with its labels."""
    found: dict[str, set[str]] = {
        name: set(labels) for name, labels in yaml.safe_load(_FOREIGN.read_text()).items()
    }
    for metric in vars(Metrics(CollectorRegistry())).values():
        name = getattr(metric, "_name", None)
        if name is None:
            continue
        labels = set(metric._labelnames)
        if isinstance(metric, Histogram):
            found |= {f"{name}{suffix}": labels for suffix in _HISTOGRAM_SUFFIXES[1:]}
            found[f"{name}_bucket"] = labels | {"le"}
        else:
            found[f"{name}_total" if isinstance(metric, Counter) else name] = labels
    return {name: frozenset(labels | _TARGET_LABELS) for name, labels in found.items()}


def expressions(build: Build) -> Iterator[tuple[Document, str, str]]:
    """Yields object, path and text of every PromQL expression."""
    for document in build.of_kind("PrometheusRule"):
        for group in document["spec"].get("groups", []):
            for rule in group.get("rules", []):
                name = rule.get("alert") or rule.get("record")
                yield document, f"spec.groups[{group['name']}].rules[{name}].expr", rule["expr"]
    for document in build.of_kind("ScaledObject"):
        for position, trigger in enumerate(document["spec"].get("triggers", [])):
            if trigger["type"] == "prometheus":
                yield document, f"spec.triggers[{position}]", trigger["metadata"]["query"]
    for document in build.of_kind("ConfigMap"):
        if "grafana_dashboard" in document["metadata"].get("labels", {}):
            for file, text in document["data"].items():
                for panel in json.loads(text)["panels"]:
                    for target in panel["targets"]:
                        yield document, f"{file}: {panel['title']}", target["expr"]


def promql_parses(build: Build) -> Iterator[Finding]:
    """Every expression is PromQL."""
    for document, path, text in expressions(build):
        try:
            promql_parser.parse(text)
        except ValueError as error:
            yield build.finding(
                document, path, expected="PromQL", got=str(error), fix="correct the expression"
            )


def promql_names(build: Build) -> Iterator[Finding]:
    """Every metric is exported or recorded, with the labels that are asked for."""
    recorded = {
        rule["record"]
        for document in build.of_kind("PrometheusRule")
        for group in document["spec"].get("groups", [])
        for rule in group.get("rules", [])
        if "record" in rule
    }
    for document, path, text in expressions(build):
        for name, labels in _selected(text):
            known = exported_metrics().get(name)
            if known is None and name not in recorded:
                yield build.finding(
                    document, path, expected="a metric that something exports", got=name,
                    fix="correct the name; inference/transformer/metrics.py has the router's",
                )  # fmt: skip
            elif known is not None and labels - known:
                yield build.finding(
                    document, path, expected=f"labels of {name} ({', '.join(sorted(known))})",
                    got=", ".join(sorted(labels - known)), fix="correct the label",
                )  # fmt: skip


def _has_text(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _selected(text: str) -> list[tuple[str, set[str]]]:
    found = []

    def visit(node: object) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append((node.name, {matcher.name for matcher in node.matchers.matchers}))
        return True

    try:
        promql_parser.walk(promql_parser.parse(text), visit)
    except ValueError:
        return []
    return found


def alert_runbooks(build: Build) -> Iterator[Finding]:
    """Every alert says what is wrong, how bad it is, and where its runbook is."""
    for document in build.of_kind("PrometheusRule"):
        for group in document["spec"].get("groups", []):
            for rule in (each for each in group.get("rules", []) if "alert" in each):
                path = f"spec.groups[{group['name']}].rules[{rule['alert']}]"
                annotations = rule.get("annotations", {})
                runbook = annotations.get("runbook_url", "")
                if not runbook or not _has_text(ROOT / runbook):
                    yield build.finding(
                        document, f"{path}.annotations.runbook_url",
                        expected="a file of this repository", got=runbook or "none",
                        fix="write docs/cluster/runbooks/<name>.md and name it",
                    )  # fmt: skip
                if not annotations.get("summary") or "severity" not in rule.get("labels", {}):
                    yield build.finding(
                        document, path, expected="a summary and a severity", got="not both",
                        fix="say who is woken, and by what",
                    )  # fmt: skip
