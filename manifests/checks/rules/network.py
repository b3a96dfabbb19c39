"""The flows that the design needs are allowed, and those that nobody needs are not."""

from collections.abc import Iterator

from pydantic import ValidationError

from manifests.checks.finding import Finding
from manifests.checks.objects import AGENT_PORT, MAIN_CONTAINER, Build
from manifests.checks.policies import INTERNET, NODE_METADATA, Peer, is_allowed
from manifests.checks.rules.settings import settings_of
from stylerec.settings import Settings

Flow = tuple[str, Peer, Peer, int, str]

_GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
_INTERNET = Peer("the internet", namespace="", address=INTERNET)
_METADATA_SERVICE = Peer("the nodes' metadata service", namespace="", address=NODE_METADATA)
_DNS = Peer("DNS", {"k8s-app": "kube-dns"}, "kube-system")
_PROMETHEUS = Peer("Prometheus", {"app.kubernetes.io/name": "prometheus"}, "monitoring")
_PIPELINES = Peer("a pipeline's task", {"pipelines.kubeflow.org/v2_component": "true"}, "kubeflow")
_ISTIOD = Peer("istiod", {"app": "istiod"}, "istio-system")
_COLLECTOR = Peer("the trace collector", {"app.kubernetes.io/name": "otel-collector"},
                  "observability")  # fmt: skip
# No policy names it: what was forgotten is closed, not open.
_NEW_POD = Peer("a pod that no policy names")
_EVENTS = Peer("the event stream", {"app": "sink"}, "events")
_STRANGER = Peer("a pod of another namespace", {"app": "stranger"}, "default")
_REDIS_PORT, _TRITON_PORT, _HTTP_PORT, _GRPC_PORT = 6379, 8000, 8080, 8081


def needed_flows(build: Build) -> Iterator[Flow]:
    """Yields what has to be possible: purpose, source, target, port, protocol."""
    routers, tritons, redis = _pods(build)
    gateways = _gateways(build)
    for pod in (*routers, *tritons, *redis, *gateways):
        yield "names", pod, _DNS, 53, "UDP"
    for router in routers:
        yield from (("scores", router, each, _TRITON_PORT, "TCP") for each in tritons)
        settings = _router_settings(build)
        store = redis or [_INTERNET]
        port = _REDIS_PORT if redis else settings.redis_port
        yield from (("histories", router, each, port, "TCP") for each in store)
        if "://" in settings.release_uri:
            yield from (("releases", pod, _INTERNET, 443, "TCP") for pod in (router, *tritons))
        for gateway in gateways:
            yield "requests", gateway, router, _http_port(build, router), "TCP"
            yield "requests (gRPC)", gateway, router, _GRPC_PORT, "TCP"
    for gateway in gateways:
        yield "callers", _INTERNET, gateway, 443, "TCP"
        yield "the gateway's configuration", gateway, _ISTIOD, 15012, "TCP"
    yield from (("materialisation", _PIPELINES, each, _REDIS_PORT, "TCP") for each in redis)
    yield from _observed_flows(build)


def _observed_flows(build: Build) -> Iterator[Flow]:
    routers, tritons, _ = _pods(build)
    if build.of_kind("ServiceMonitor"):
        for router in routers:
            yield "metrics", _PROMETHEUS, router, _http_port(build, router), "TCP"
        yield from (("metrics", _PROMETHEUS, each, 8002, "TCP") for each in tritons)
        yield from (("metrics", _PROMETHEUS, each, 15090, "TCP") for each in _gateways(build))
    for router in routers:
        if _http_port(build, router) == AGENT_PORT:
            yield "impressions", router, _EVENTS, 80, "TCP"
    if build.of_kind("Telemetry"):
        yield from (("spans", each, _COLLECTOR, 4318, "TCP") for each in tritons)
        yield from (("spans", each, _COLLECTOR, 4317, "TCP") for each in _gateways(build))


def unneeded_flows(build: Build) -> Iterator[Flow]:
    """Yields what nobody has a reason for."""
    routers, tritons, redis = _pods(build)
    for pod in (*routers, *tritons, *redis, _NEW_POD):
        for port in (_HTTP_PORT, _TRITON_PORT, _REDIS_PORT):
            yield "no way around the gateway", _INTERNET, pod, port, "TCP"
            yield "no way around the gateway", _STRANGER, pod, port, "TCP"
        yield "no credentials of the node", pod, _METADATA_SERVICE, 80, "TCP"
    for pod in redis:
        yield "nothing leaves the store", pod, _INTERNET, 443, "TCP"
        yield from (("models read no histories", each, pod, _REDIS_PORT, "TCP") for each in tritons)
    for gateway in _gateways(build):
        for pod in (*tritons, *redis):
            for port in (_TRITON_PORT, _REDIS_PORT):
                yield "the gateway asks routers only", gateway, pod, port, "TCP"


def allowed_flows(build: Build) -> Iterator[Finding]:
    """Every needed flow is allowed by the policies of both ends."""
    for purpose, source, target, port, protocol in needed_flows(build):
        if not is_allowed(build, source, target, port, protocol):
            yield _finding(
                build, source, target, port, expected=f"a flow ({purpose})", got="denied",
                fix="allow it by a NetworkPolicy: egress of the source, ingress of the target",
            )  # fmt: skip


def closed_flows(build: Build) -> Iterator[Finding]:
    """No flow is allowed that nobody needs."""
    for purpose, source, target, port, protocol in unneeded_flows(build):
        if is_allowed(build, source, target, port, protocol):
            yield _finding(
                build, source, target, port, expected=f"no flow ({purpose})", got="allowed",
                fix="narrow the policy that allows it; `default-deny` has to be there",
            )  # fmt: skip


def _finding(
    build: Build, source: Peer, target: Peer, port: int, *, expected: str, got: str, fix: str
) -> Finding:
    path = f"{source.name} to {target.name}:{port}"
    return Finding(build.name, "", "NetworkPolicy/*", path, expected, got, fix)


def _pods(build: Build) -> tuple[list[Peer], list[Peer], list[Peer]]:
    def of(key: str, value: str) -> list[Peer]:
        return [Peer(p.workload, p.labels) for p in build.pods if p.labels.get(key) == value]

    routers, tritons = of("component", "transformer"), of("component", "predictor")
    return routers, tritons, of("app.kubernetes.io/name", "redis")


def _http_port(build: Build, router: Peer) -> int:
    """Returns the pod's port that REST calls arrive at."""
    return int(build.services[router.name].ports["http"][1])


def _gateways(build: Build) -> list[Peer]:
    names = [gateway["metadata"]["name"] for gateway in build.of_kind("Gateway")]
    return [Peer(f"gateway {name}", {_GATEWAY_LABEL: name}) for name in names]


def _router_settings(build: Build) -> Settings:
    for pod in build.pods:
        if pod.labels.get("component") == "transformer":
            for _, container in pod.containers():
                if container["name"] == MAIN_CONTAINER:
                    try:
                        return settings_of(build, container)
                    except (ValidationError, ValueError):
                        break
    return Settings()
