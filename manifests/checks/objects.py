"""Rendered objects, and what KServe's controller makes of an InferenceService (0.20, Standard)."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from manifests.checks import Json
from manifests.checks.finding import Finding

Document = dict[str, Json]

_TEMPLATE_PATHS = {
    "Pod": "spec",
    "Deployment": "spec.template.spec",
    "StatefulSet": "spec.template.spec",
    "DaemonSet": "spec.template.spec",
    "Job": "spec.template.spec",
    "CronJob": "spec.jobTemplate.spec.template.spec",
}
# What of `predictor.model` is not a field of a container.
_MODEL_ONLY = {"modelFormat", "runtime", "runtimeVersion", "protocolVersion", "storage"}
_MODEL_ONLY |= {"storageUri", "confidential"}
_COMPONENTS = ("predictor", "transformer", "explainer")
MAIN_CONTAINER = "kserve-container"
AGENT_PORT = 9081
_SERVICE_PORT = 80


def at(document: Json, path: str, default: Json = None) -> Json:
    """Returns what lies at a dotted path, `default` where there is nothing."""
    for part in path.split("."):
        if not isinstance(document, dict) or part not in document:
            return default
        document = document[part]
    return document


def object_name(document: Document) -> str:
    """Returns how findings call an object: kind and name."""
    return f"{document.get('kind')}/{at(document, 'metadata.name')}"


@dataclass(frozen=True)
class Pod:
    """A pod that some object of a build makes.

    Attributes:
        owner: The object.
        path: Where in the owner the pod's spec is.
        spec: The spec; with KServe's ServingRuntime already merged in.
        labels: Labels of the pod, with those that KServe adds.
        annotations: Its annotations.
        workload: Name of its Deployment or StatefulSet.
    """

    owner: Document
    path: str
    spec: Document
    labels: dict[str, str]
    annotations: dict[str, str]
    workload: str

    def containers(self) -> Iterator[tuple[str, Document]]:
        """Yields each container with its path, init containers included."""
        for field in ("initContainers", "containers"):
            for container in self.spec.get(field, []):
                yield f"{self.path}.{field}[{container.get('name')}]", container


@dataclass(frozen=True)
class Service:
    """A Service, written or made by KServe: its ports by name, and whom it selects."""

    name: str
    selector: dict[str, str]
    ports: dict[str, tuple[int, int | str]]
    labels: dict[str, str]
    owner: Document


class Build:
    """All objects of one rendered overlay.

    Args:
        name: What was rendered.
        documents: Its objects.
        files: File of each object, by its kind and name.
    """

    def __init__(
        self, name: str, documents: list[Document], *, files: Mapping[str, str] | None = None
    ) -> None:
        self.name, self.documents, self._files = name, documents, files or {}

    def of_kind(self, *kinds: str) -> list[Document]:
        """Returns the objects of some kinds."""
        return [document for document in self.documents if document.get("kind") in kinds]

    def find(self, kind: str, name: str) -> Document | None:
        """Returns an object by kind and name."""
        return next((d for d in self.of_kind(kind) if d["metadata"]["name"] == name), None)

    def finding(
        self, document: Document, path: str, *, expected: str, got: object, fix: str
    ) -> Finding:
        """Returns a finding about an object of this build."""
        name = object_name(document)
        file = self._files.get(name, "")
        return Finding(self.name, file, name, path, expected, str(got), fix)

    @cached_property
    def pods(self) -> list[Pod]:
        """Pods of all workloads and InferenceServices."""
        found = []
        for document in self.documents:
            kind = document.get("kind", "")
            if kind in _TEMPLATE_PATHS:
                found.append(_template_pod(document, _TEMPLATE_PATHS[kind]))
            elif kind == "InferenceService":
                found += [
                    self._component_pod(document, component)
                    for component in _COMPONENTS
                    if component in document["spec"]
                ]
        return found

    @cached_property
    def services(self) -> dict[str, Service]:
        """Services by name: the written ones, and one per component of an InferenceService."""
        services = {d["metadata"]["name"]: _written_service(d) for d in self.of_kind("Service")}
        for pod in self.pods:
            if pod.owner["kind"] == "InferenceService":
                services[pod.workload] = _kserve_service(pod)
        return services

    def _component_pod(self, document: Document, component: str) -> Pod:
        isvc = document["metadata"]["name"]
        given = document["spec"][component]
        spec = {key: value for key, value in given.items() if key != "model"}
        runtime: Document = {}
        if "model" in given:
            runtime = self.find("ServingRuntime", given["model"].get("runtime", "")) or {}
            runtime = runtime.get("spec", {})
            spec = _merged(spec, runtime, given["model"])
        workload = f"{isvc}-{component}"
        metadata = document["metadata"]
        return Pod(
            owner=document,
            path=f"spec.{component}",
            spec=spec,
            labels={
                **runtime.get("labels", {}),
                **metadata.get("labels", {}),
                **given.get("labels", {}),
                "serving.kserve.io/inferenceservice": isvc,
                "component": component,
                "app": f"isvc.{workload}",
            },
            annotations={
                **runtime.get("annotations", {}),
                **metadata.get("annotations", {}),
                **given.get("annotations", {}),
            },
            workload=workload,
        )


def _template_pod(document: Document, path: str) -> Pod:
    metadata = at(document, path.removesuffix("spec") + "metadata", {}) if path != "spec" else {}
    metadata = metadata or document["metadata"]
    return Pod(
        owner=document,
        path=path,
        spec=at(document, path, {}),
        labels=metadata.get("labels", {}),
        annotations=metadata.get("annotations", {}),
        workload=document["metadata"]["name"],
    )


def _merged(spec: Document, runtime: Document, model: Document) -> Document:
    """Returns a predictor's pod: the runtime's containers, its main one with the model's fields."""
    containers = copy.deepcopy(runtime.get("containers", []))
    for container in containers:
        if container.get("name") == MAIN_CONTAINER:
            container.update({k: v for k, v in model.items() if k not in _MODEL_ONLY})
    volumes = [*runtime.get("volumes", []), *spec.get("volumes", [])]
    others = spec.get("containers", [])
    return {**runtime, **spec, "containers": [*containers, *others], "volumes": volumes}


def _written_service(document: Document) -> Service:
    ports = {
        port.get("name", str(port["port"])): (port["port"], port.get("targetPort", port["port"]))
        for port in document["spec"].get("ports", [])
    }
    metadata = document["metadata"]
    selector = document["spec"].get("selector", {})
    return Service(metadata["name"], selector, ports, metadata.get("labels", {}), document)


def _kserve_service(pod: Pod) -> Service:
    main = next((c for c in pod.spec.get("containers", [])), {})
    ports = {
        port["name"]: (port["containerPort"] if position else _SERVICE_PORT, port["containerPort"])
        for position, port in enumerate(main.get("ports", []))
    }
    if ports and "logger" in pod.spec:
        # The agent that logs stands before the first port.
        ports[next(iter(ports))] = (_SERVICE_PORT, AGENT_PORT)
    return Service(pod.workload, {"app": pod.labels["app"]}, ports, pod.labels, pod.owner)
