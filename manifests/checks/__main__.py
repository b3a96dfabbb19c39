"""`python -m manifests.checks`: judges all combinations; with KUBECONFIG set, asks the cluster too.

Exits with 1 where something is found. A line has the build, object, path, what was expected, what
is there, what to do, and the rule.
"""

import os
import sys

from manifests.checks.dry_run import server_dry_run
from manifests.checks.finding import Finding
from manifests.checks.rendering import combinations, render
from manifests.checks.table import RULES, judge
from stylerec.errors import ConfigError


def main() -> int:
    """Prints every finding once, with the first build that has it; returns the exit code."""
    found: dict[tuple[str, ...], Finding] = {}
    count = 0
    try:
        for combination in combinations():
            build = render(combination)
            findings = judge(build)
            if os.environ.get("KUBECONFIG") and not combination.components:
                findings += server_dry_run(build)
            for finding in findings:
                found.setdefault((finding.rule, finding.object, finding.path), finding)
            count += 1
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for finding in found.values():
        print(finding)
    asked = "with" if os.environ.get("KUBECONFIG") else "without (KUBECONFIG is not set)"
    print(f"{count} combinations, {len(RULES)} rules, {len(found)} findings; {asked} a cluster")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
