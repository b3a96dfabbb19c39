"""The CRDs' own validation rules (`x-kubernetes-validations`), evaluated.

An API server evaluates them with Kubernetes' extensions of CEL. What this evaluator cannot do is
listed by `unevaluated`, never passed over in silence.
"""

import copy
import functools
import json
from collections.abc import Iterator

import cel

from manifests.checks import Json
from manifests.checks.schemas import Fault, crd_schema, dotted

Place = tuple[Json, ...]


def cel_faults(document: dict[str, Json]) -> list[Fault]:
    """Returns where a custom resource breaks a rule of its CRD."""
    return _cel_faults(json.dumps(document))


@functools.cache
def _cel_faults(text: str) -> list[Fault]:
    faults = []
    for place, rule, value in _applicable(json.loads(text)):
        try:
            holds = _program(rule["rule"]).execute({"self": value})
        except (RuntimeError, TypeError, ValueError):
            continue
        if holds is False:
            faults.append((dotted(place), rule.get("message") or rule["rule"]))
    return faults


def unevaluated(document: dict[str, Json]) -> list[str]:
    """Returns the rules that apply to an object and that this evaluator cannot decide."""
    found = []
    for _, rule, value in _applicable(document):
        try:
            _program(rule["rule"]).execute({"self": value})
        except (RuntimeError, TypeError, ValueError) as error:
            found.append(f"{rule['rule']}: {error}")
    return found


@functools.cache
def _program(rule: str) -> cel.Program:
    return cel.compile(rule)


def _applicable(document: dict[str, Json]) -> Iterator[tuple[Place, dict[str, str], Json]]:
    schema = crd_schema(document)
    if schema is not None:
        complete = copy.deepcopy(document)
        _fill_defaults(schema, complete)
        for place, rule, value in _walk(schema, complete, ()):
            # A rule about a change says nothing about a new object.
            if "oldSelf" not in rule["rule"]:
                yield place, rule, value


def _walk(schema: Json, value: Json, place: Place) -> Iterator[tuple[Place, dict[str, str], Json]]:
    for rule in schema.get("x-kubernetes-validations", []):
        yield place, rule, value
    for name, below, child in _children(schema, value):
        yield from _walk(below, child, (*place, name))


def _fill_defaults(schema: Json, value: Json) -> None:
    """Fills in defaults as an API server does before it validates."""
    if isinstance(value, dict):
        for name, below in schema.get("properties", {}).items():
            if name not in value and "default" in below:
                value[name] = copy.deepcopy(below["default"])
    for _, below, child in _children(schema, value):
        _fill_defaults(below, child)


def _children(schema: Json, value: Json) -> Iterator[tuple[Json, Json, Json]]:
    if isinstance(value, dict):
        others = schema.get("additionalProperties")
        for name, child in value.items():
            below = schema.get("properties", {}).get(name, others)
            if isinstance(below, dict):
                yield name, below, child
    elif isinstance(value, list) and "items" in schema:
        for position, child in enumerate(value):
            yield position, schema["items"], child
