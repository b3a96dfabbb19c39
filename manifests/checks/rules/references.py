"""Names that one object uses for another: the other has to exist."""

from collections.abc import Iterator

from manifests.checks.finding import Finding
from manifests.checks.objects import Build, Document, Pod, Service, at

_GATEWAY_OVERLAYS = {"deployment", "horizontalPodAutoscaler", "podDisruptionBudget", "service"}
_GATEWAY_OVERLAYS |= {"serviceAccount"}
_ROUTES = ("HTTPRoute", "GRPCRoute")


def _selects(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


def service_backend(build: Build) -> Iterator[Finding]:
    """A Service selects pods, and its target ports are theirs."""
    for service in build.services.values():
        if service.owner["kind"] != "Service":
            continue
        pods = [pod for pod in build.pods if _selects(service.selector, pod.labels)]
        if not pods:
            yield build.finding(
                service.owner, "spec.selector", expected="the labels of a pod",
                got=service.selector, fix="correct the selector",
            )  # fmt: skip
        for pod in pods:
            ports = _ports(pod)
            for name, (_, target) in service.ports.items():
                if target not in ports:
                    yield build.finding(
                        service.owner, f"spec.ports[{name}].targetPort",
                        expected=f"a port of {pod.workload}", got=target,
                        fix="name one of its container ports",
                    )  # fmt: skip


def _ports(pod: Pod) -> set[int | str]:
    found: set[int | str] = set()
    for container in pod.spec.get("containers", []):
        for port in container.get("ports", []):
            found |= {port["containerPort"], port.get("name", "")}
    return found


def route_backend(build: Build) -> Iterator[Finding]:
    """A route's backends are Services of this build, on ports that they have."""
    for route in build.of_kind(*_ROUTES):
        for position, rule in enumerate(route["spec"].get("rules", [])):
            path = f"spec.rules[{position}].backendRefs"
            if not rule.get("backendRefs"):
                yield build.finding(
                    route, path, expected="a backend", got="none", fix="name a Service"
                )
            for reference in rule.get("backendRefs", []):
                service = build.services.get(reference["name"])
                ports = {number for number, _ in service.ports.values()} if service else set()
                if reference.get("port") not in ports:
                    yield build.finding(
                        route, f"{path}[{reference['name']}]",
                        expected="a Service and port of this build",
                        got=f"{reference['name']}:{reference.get('port')}",
                        fix=f"the Services are {', '.join(sorted(build.services))}",
                    )  # fmt: skip


def route_parent(build: Build) -> Iterator[Finding]:
    """A route's parent is a listener of a Gateway of this build."""
    for route in build.of_kind(*_ROUTES):
        for parent in route["spec"].get("parentRefs", []):
            gateway = build.find("Gateway", parent["name"]) or {}
            listeners = [each["name"] for each in at(gateway, "spec.listeners", [])]
            if parent.get("sectionName", next(iter(listeners), None)) not in listeners:
                yield build.finding(
                    route, "spec.parentRefs", expected="a listener of a Gateway of this build",
                    got=f"{parent['name']}/{parent.get('sectionName')}", fix="correct the name",
                )  # fmt: skip


def gateway_options(build: Build) -> Iterator[Finding]:
    """A Gateway's parameters are a ConfigMap of this build, with keys that Istio reads."""
    for gateway in build.of_kind("Gateway"):
        name = at(gateway, "spec.infrastructure.parametersRef.name")
        if name is None:
            continue
        keys = set((build.find("ConfigMap", name) or {}).get("data", {}))
        if not keys or keys - _GATEWAY_OVERLAYS:
            yield build.finding(
                gateway, "spec.infrastructure.parametersRef",
                expected=f"a ConfigMap with keys of {', '.join(sorted(_GATEWAY_OVERLAYS))}",
                got=f"{name} with {', '.join(sorted(keys)) or 'none'}",
                fix="correct the name or the key; Istio passes over what it does not know",
            )  # fmt: skip


def scale_target(build: Build) -> Iterator[Finding]:
    """What is scaled exists, and KServe does not scale it as well."""
    pods = {pod.workload: pod for pod in build.pods}
    for scaler in build.of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler["spec"]["scaleTargetRef"]["name"]
        mode = pods[target].annotations.get("serving.kserve.io/autoscalerClass") if (
            target in pods
        ) else None  # fmt: skip
        if target not in pods or (
            pods[target].owner["kind"] == "InferenceService" and mode != "external"
        ):
            yield build.finding(
                scaler, "spec.scaleTargetRef.name",
                expected="a Deployment of this build that no other scaler has",
                got=target if target not in pods else f"{target} with autoscalerClass {mode}",
                fix="correct the name, or annotate the InferenceService with `external`",
            )  # fmt: skip


def budget_target(build: Build) -> Iterator[Finding]:
    """A disruption budget selects pods."""
    for budget in build.of_kind("PodDisruptionBudget"):
        selector = at(budget, "spec.selector.matchLabels", {})
        if not any(_selects(selector, pod.labels) for pod in build.pods):
            yield build.finding(
                budget, "spec.selector", expected="the labels of a pod", got=selector,
                fix="correct the selector",
            )  # fmt: skip


def monitor_target(build: Build) -> Iterator[Finding]:
    """A ServiceMonitor selects Services that have its port."""
    for monitor in build.of_kind("ServiceMonitor"):
        selector = at(monitor, "spec.selector.matchLabels", {})
        services = [each for each in build.services.values() if _selects(selector, each.labels)]
        for endpoint in monitor["spec"].get("endpoints", []):
            yield from _endpoint_faults(build, monitor, endpoint.get("port"), services)


def _endpoint_faults(
    build: Build, monitor: Document, port: str | None, services: list[Service]
) -> Iterator[Finding]:
    # Of a runtime that is not in this build nobody knows the ports.
    lacking = [each.name for each in services if each.ports and port not in each.ports]
    if lacking or not services:
        yield build.finding(
            monitor, "spec.endpoints[].port", expected="a port of every Service that it selects",
            got=f"{port}, which {', '.join(lacking) or 'no Service at all'} lacks",
            fix="correct the selector or the port's name",
        )  # fmt: skip


def mounted_objects(build: Build) -> Iterator[Finding]:
    """ConfigMaps, claims and priority classes that pods name are in this build."""
    for pod in build.pods:
        for path, kind, name in _named(pod):
            if build.find(kind, name) is None:
                yield build.finding(
                    pod.owner, path, expected=f"a {kind} of this build", got=name,
                    fix="correct the name, or add the object",
                )  # fmt: skip


def _named(pod: Pod) -> Iterator[tuple[str, str, str]]:
    for volume in pod.spec.get("volumes", []):
        path = f"{pod.path}.volumes[{volume['name']}]"
        if "configMap" in volume:
            yield path, "ConfigMap", volume["configMap"].get("name", "")
        if "persistentVolumeClaim" in volume:
            yield path, "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]
    if "priorityClassName" in pod.spec:
        yield f"{pod.path}.priorityClassName", "PriorityClass", pod.spec["priorityClassName"]
    for path, container in pod.containers():
        for source in container.get("envFrom", []):
            if "configMapRef" in source:
                yield f"{path}.envFrom", "ConfigMap", source["configMapRef"]["name"]
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("configMapKeyRef")
            if reference:
                yield f"{path}.env[{variable['name']}]", "ConfigMap", reference["name"]
