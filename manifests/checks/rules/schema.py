"""What an API server would refuse, and the typing errors that it would drop."""

from collections.abc import Iterator

from manifests.checks.cel_rules import cel_faults
from manifests.checks.finding import Finding
from manifests.checks.objects import Build
from manifests.checks.schemas import crd_faults, kubernetes_faults


def kubernetes_schema(build: Build) -> Iterator[Finding]:
    """Built-in kinds follow the Kubernetes API's schema, unknown fields included."""
    for document in build.documents:
        for path, message in kubernetes_faults(document) or ():
            yield build.finding(
                document, path, expected="what the Kubernetes API takes", got=message,
                fix="correct the field; `kubectl explain` shows what there is",
            )  # fmt: skip


def crd_schema(build: Build) -> Iterator[Finding]:
    """Custom resources follow their CRD's schema, unknown fields included."""
    for document in build.documents:
        for path, message in crd_faults(document) or ():
            yield build.finding(
                document, path, expected="what the CRD takes", got=message,
                fix="correct the field; manifests/checks/crds has the schema",
            )  # fmt: skip


def crd_validations(build: Build) -> Iterator[Finding]:
    """Custom resources keep the CEL rules of their CRD."""
    for document in build.documents:
        for path, rule in cel_faults(document):
            yield build.finding(
                document, path, expected=rule, got="an object that breaks this rule",
                fix="correct the object; the rule is the CRD's own",
            )  # fmt: skip


def known_kind(build: Build) -> Iterator[Finding]:
    """Every object is of a kind whose schema is known, so that it is judged at all."""
    for document in build.documents:
        if kubernetes_faults(document) is None and crd_faults(document) is None:
            yield build.finding(
                document, "kind", expected="a kind with a schema",
                got=f"{document.get('apiVersion')} {document.get('kind')}",
                fix="add it to KINDS of manifests/checks/vendor_crds.py and vendor its CRD",
            )  # fmt: skip
