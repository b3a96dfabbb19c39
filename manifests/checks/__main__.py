"""`python -m manifests.checks`: judges all combinations; with KUBECONFIG set, asks the cluster too.

Exits with 1 where something is found. A line has the build, object, path, what was expected, what
is there, what to do, and the rule.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor

from manifests.checks.dry_run import server_dry_run
from manifests.checks.finding import Finding
from manifests.checks.rendering import Combination, combinations, kubectl, render
from manifests.checks.table import RULES, judge
from stylerec.errors import ConfigError


def findings_of(combination: Combination) -> list[Finding]:
    """Returns what is wrong with a combination, be it that it does not render."""
    try:
        build = render(combination)
    except ConfigError as error:
        return [
            Finding(
                combination.name, "kustomization.yaml", ".", error.expected, error.got, error.fix,
                rule="renders",
            )
        ]  # fmt: skip
    asked = server_dry_run(build) if _has_cluster() and not combination.components else []
    return [*judge(build), *asked]


def main() -> int:
    """Prints every finding once, with the first build that has it; returns the exit code."""
    try:
        kubectl()
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    found: dict[tuple[str, ...], Finding] = {}
    chosen = list(combinations())
    with ProcessPoolExecutor() as pool:
        for findings in pool.map(findings_of, chosen, chunksize=8):
            for each in findings:
                found.setdefault((each.rule, each.object, each.path), each)
    for finding in found.values():
        print(finding)
    asked = "and a cluster" if _has_cluster() else "no cluster asked (KUBECONFIG is not set)"
    print(f"{len(chosen)} combinations, {len(RULES)} rules, {asked}: {len(found)} findings")
    return 1 if found else 0


def _has_cluster() -> bool:
    return bool(os.environ.get("KUBECONFIG"))


if __name__ == "__main__":
    sys.exit(main())
