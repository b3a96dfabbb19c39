"""All rules, by the name that findings carry."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from manifests.checks.finding import Finding
from manifests.checks.objects import Build
from manifests.checks.rules import kserve, metrics, network, pods, references, schema, settings

Rule = Callable[[Build], Iterator[Finding]]

RULES: dict[str, Rule] = {
    rule.__name__.replace("_", "-"): rule
    for rule in (
        schema.kubernetes_schema,
        schema.crd_schema,
        schema.crd_validations,
        schema.known_kind,
        pods.pinned_images,
        pods.resources,
        pods.probes,
        pods.restricted_profile,
        pods.read_only_root,
        pods.no_token,
        pods.own_account,
        pods.secrets_by_reference,
        kserve.standard_mode,
        kserve.one_predictor,
        kserve.known_runtime,
        kserve.no_storage_uri_in_transformer,
        kserve.no_canary_traffic,
        kserve.served_models,
        kserve.blocked_variables,
        settings.settings_fields,
        settings.dependency_addresses,
        references.service_backend,
        references.route_backend,
        references.route_parent,
        references.gateway_options,
        references.scale_target,
        references.budget_target,
        references.monitor_target,
        references.mounted_objects,
        metrics.promql_parses,
        metrics.promql_names,
        metrics.alert_runbooks,
        network.allowed_flows,
        network.closed_flows,
    )
}


def judge(build: Build) -> list[Finding]:
    """Returns what all rules find in a build."""
    return [replace(finding, rule=name) for name, rule in RULES.items() for finding in rule(build)]
