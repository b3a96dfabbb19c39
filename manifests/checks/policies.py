"""Who may talk to whom under a build's NetworkPolicies."""

import ipaddress
from dataclasses import dataclass, field

from manifests.checks.objects import Build, Document

OWN_NAMESPACE = "."
INTERNET = "203.0.113.7"
NODE_METADATA = "169.254.169.254"


@dataclass(frozen=True)
class Peer:
    """One end of a flow.

    Attributes:
        name: How findings call it.
        labels: Labels of its pod.
        namespace: Its namespace; `.` for the build's own, empty for an address outside.
        address: Its address, where it is no pod.
    """

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = OWN_NAMESPACE
    address: str | None = None


def is_allowed(build: Build, source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
    """Returns whether the policies let `source` open a connection to a port of `target`."""
    return all(
        _is_open(build, direction, owner, other, port, protocol)
        for direction, owner, other in (("Egress", source, target), ("Ingress", target, source))
    )


def _is_open(
    build: Build, direction: str, owner: Peer, other: Peer, port: int, protocol: str
) -> bool:
    if owner.namespace != OWN_NAMESPACE or owner.address is not None:
        return True
    policies = [
        policy["spec"]
        for policy in build.of_kind("NetworkPolicy")
        if direction in policy["spec"].get("policyTypes", [])
        and matches(policy["spec"].get("podSelector", {}), owner.labels)
    ]
    rules = [rule for policy in policies for rule in policy.get(direction.lower(), [])]
    side = "to" if direction == "Egress" else "from"
    return not policies or any(
        _has_port(rule, port, protocol)
        and (side not in rule or any(_is_peer(each, other) for each in rule[side]))
        for rule in rules
    )


def matches(selector: Document, labels: dict[str, str]) -> bool:
    """Returns whether a label selector selects these labels."""
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    for term in selector.get("matchExpressions", []):
        value, values = labels.get(term["key"]), term.get("values", [])
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[term["operator"]]
        if not holds:
            return False
    return True


def _has_port(rule: Document, port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    return ports is None or any(
        each.get("port", port) == port and each.get("protocol", "TCP") == protocol for each in ports
    )


def _is_peer(rule: Document, other: Peer) -> bool:
    if "ipBlock" in rule:
        block = rule["ipBlock"]
        return other.address is not None and _is_in(other.address, block["cidr"]) and not any(
            _is_in(other.address, excepted) for excepted in block.get("except", [])
        )  # fmt: skip
    if other.address is not None:
        return False
    if "namespaceSelector" in rule:
        namespace = {"kubernetes.io/metadata.name": other.namespace}
        if not matches(rule["namespaceSelector"], namespace):
            return False
    elif other.namespace != OWN_NAMESPACE:
        return False
    return matches(rule.get("podSelector", {}), other.labels)


def _is_in(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network)
