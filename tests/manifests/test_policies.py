import pytest

from manifests.checks.objects import Build
from manifests.checks.policies import INTERNET, NODE_METADATA, Peer, is_allowed

SHOP = Peer("shop", {"app": "shop"})
STORE = Peer("store", {"app": "store"})
OUTSIDE = Peer("outside", namespace="", address=INTERNET)


def policy(pod=None, **rules):
    kinds = [kind for kind in ("Ingress", "Egress") if kind.lower() in rules]
    spec = {"podSelector": {"matchLabels": pod} if pod else {}, "policyTypes": kinds, **rules}
    return {"kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": spec}


def allowed(*policies, source=SHOP, target=STORE, port=80, protocol="TCP"):
    return is_allowed(Build("b", list(policies)), source, target, port, protocol)


def to(*peers, port=80):
    return [{"to": list(peers), "ports": [{"protocol": "TCP", "port": port}]}]


class TestIsAllowed:
    def test_everything_is_without_policies(self):
        assert allowed()

    def test_nothing_is_under_a_default_deny(self):
        assert not allowed(policy(ingress=[], egress=[]))

    def test_takes_both_ends(self):
        deny = policy(ingress=[], egress=[])
        leave = policy({"app": "shop"}, egress=to({"podSelector": {"matchLabels": STORE.labels}}))
        enter = policy(
            {"app": "store"}, ingress=[{"from": [{"podSelector": {"matchLabels": SHOP.labels}}]}]
        )
        assert not allowed(deny, leave)
        assert not allowed(deny, enter)
        assert allowed(deny, leave, enter)

    @pytest.mark.parametrize(("port", "protocol"), [(81, "TCP"), (80, "UDP")])
    def test_another_port_or_protocol_is_not(self, port, protocol):
        leave = policy(egress=to({"podSelector": {}}))
        assert allowed(leave)
        assert not allowed(leave, port=port, protocol=protocol)

    def test_a_pod_selector_means_the_same_namespace(self):
        leave = policy(egress=to({"podSelector": {}}))
        elsewhere = Peer("elsewhere", STORE.labels, "other")
        assert not allowed(leave, target=elsewhere)
        by_name = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}
        assert allowed(policy(egress=to(by_name)), target=elsewhere)

    def test_a_block_of_addresses_leaves_out_its_exceptions(self):
        block = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}
        leave = policy(egress=to(block))
        assert allowed(leave, target=OUTSIDE)
        assert not allowed(leave, target=Peer("node", namespace="", address=NODE_METADATA))

    def test_match_expressions_are_taken(self):
        leave = policy(egress=[{}])
        leave["spec"]["podSelector"] = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}
        deny = policy(egress=[])
        assert allowed(deny, leave)
        assert not allowed(deny, leave, source=Peer("unnamed"))
