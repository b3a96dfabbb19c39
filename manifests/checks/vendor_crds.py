"""Writes `crds/*.json` anew from a folder of upstream CustomResourceDefinition files."""

import json
import sys
from pathlib import Path

import yaml

from manifests.checks import Json

FOLDER = Path(__file__).parent / "crds"
KINDS = {
    "AuthorizationPolicy",
    "EnvoyFilter",
    "ExternalSecret",
    "GRPCRoute",
    "Gateway",
    "HTTPRoute",
    "InferenceService",
    "PeerAuthentication",
    "PodMonitor",
    "PrometheusRule",
    "RequestAuthentication",
    "ScaledObject",
    "ServiceMonitor",
    "ServingRuntime",
    "Telemetry",
}


def without_descriptions(node: Json) -> Json:
    """Returns a schema without its prose; a property that is called `description` stays."""
    if isinstance(node, list):
        return [without_descriptions(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        key: without_descriptions(value)
        for key, value in node.items()
        if not (key == "description" and isinstance(value, str))
    }


def _is_used(version: dict[str, Json]) -> bool:
    return version["served"] and (version["storage"] or version["name"] == "v1")


def vendor(source: Path) -> list[Path]:
    """Writes one file per used version of each kind in `KINDS`; returns them."""
    written = []
    for path in sorted(source.rglob("*.yaml")):
        for crd in yaml.load_all(path.read_text(), yaml.CSafeLoader):
            spec = (crd or {}).get("spec", {})
            kind = spec.get("names", {}).get("kind")
            # Istio has a Gateway of its own.
            if kind not in KINDS or (kind == "Gateway" and "istio" in spec["group"]):
                continue
            for version in (each for each in spec["versions"] if _is_used(each)):
                schema = without_descriptions(version["schema"]["openAPIV3Schema"])
                target = FOLDER / f"{spec['group']}_{version['name']}_{kind}.json"
                target.write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n")
                written.append(target)
    return written


if __name__ == "__main__":
    for path in vendor(Path(sys.argv[1])):
        print(f"wrote {path.name}")
