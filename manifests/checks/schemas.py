"""OpenAPI schemas of built-in kinds (kubernetes-validate) and of custom resources (`crds/`)."""

import functools
import json
from pathlib import Path

import jsonschema
import kubernetes_validate

from manifests.checks import Json

CRD_FOLDER = Path(__file__).parent / "crds"
KUBERNETES_VERSIONS = ("1.32", "1.37")
"""The oldest that KServe 0.20 runs on, and the newest whose schema there is."""

Fault = tuple[str, str]
"""Path inside the object, and what is wrong there."""

_METADATA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
        "namespace": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "additionalProperties": False,
}


def crd_schema(document: dict[str, Json]) -> dict[str, Json] | None:
    """Returns the schema of a custom resource, closed to unknown fields; None if it is not here."""
    group, _, version = document.get("apiVersion", "").rpartition("/")
    return _closed_schema(f"{group}_{version}_{document.get('kind')}.json")


def crd_faults(document: dict[str, Json]) -> list[Fault] | None:
    """Returns what the CRD's schema refuses, unknown fields included; None without a schema."""
    return _crd_faults(json.dumps(document))


def kubernetes_faults(document: dict[str, Json]) -> list[Fault] | None:
    """Returns what Kubernetes' own schema refuses; None if the kind is none of its own."""
    return _kubernetes_faults(json.dumps(document))


# Most objects are the same in most combinations.
@functools.cache
def _crd_faults(text: str) -> list[Fault] | None:
    document = json.loads(text)
    schema = crd_schema(document)
    if schema is None:
        return None
    return [_fault(error) for error in _validator(schema["$id"]).iter_errors(document)]


@functools.cache
def _kubernetes_faults(text: str) -> list[Fault] | None:
    document = json.loads(text)
    for version in KUBERNETES_VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            return None
        except kubernetes_validate.ValidationError as error:
            return [_fault(error)]
    return []


def dotted(path: Json) -> str:
    """Returns `a.b[0]` for the parts of a path."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "."


def _fault(error: jsonschema.ValidationError) -> Fault:
    return dotted(error.absolute_path), error.message[:200]


@functools.cache
def _validator(schema_file: str) -> jsonschema.Draft202012Validator:
    schema = _closed_schema(schema_file)
    return jsonschema.Draft202012Validator({k: v for k, v in schema.items() if k != "$id"})


@functools.cache
def _closed_schema(schema_file: str) -> Json:
    path = CRD_FOLDER / schema_file
    if not path.exists():
        return None
    schema = _closed(json.loads(path.read_bytes()))
    schema["properties"] |= {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": _METADATA,
    }
    return {**schema, "$id": schema_file}


def _closed(node: Json) -> Json:
    """Returns a structural schema as JSON Schema: what it does not name is refused.

    An API server drops unknown fields without a word, or warns; both hide a typing error.
    """
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    # A property may have any name, so what is below `properties` is no keyword.
    closed = {
        key: {name: _closed(each) for name, each in value.items()}
        if key == "properties"
        else _closed(value)
        for key, value in node.items()
    }
    if node.get("x-kubernetes-int-or-string"):
        closed.setdefault("anyOf", [{"type": "integer"}, {"type": "string"}])
    if node.get("nullable") and "type" in node:
        closed["type"] = [node["type"], "null"]
    is_open = node.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in node
    if "properties" in node and not is_open and node.get("type") == "object":
        closed["additionalProperties"] = False
    return closed
