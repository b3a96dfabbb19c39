"""What a real API server says to a build, without changing anything on it."""

import subprocess

import yaml

from manifests.checks.finding import Finding
from manifests.checks.objects import Build
from manifests.checks.rendering import kubectl

_TIMEOUT_S = 120


def server_dry_run(build: Build) -> list[Finding]:
    """Returns the objects that the cluster of KUBECONFIG would refuse; admission included."""
    done = subprocess.run(
        [kubectl(), "apply", "--server-side", "--dry-run=server", "--force-conflicts",
         "--validate=strict", "--field-manager=stylerec-manifests-check", "--filename=-"],
        input=yaml.safe_dump_all(build.documents),
        capture_output=True, text=True, check=False, timeout=_TIMEOUT_S,
    )  # fmt: skip
    if done.returncode == 0:
        return []
    return [
        Finding(
            build.name,
            "",
            "*",
            "server-side dry run",
            "an object that the cluster takes",
            line,
            "mend the object, or install the operator that its kind belongs to",
            "server-dry-run",
        )
        for line in done.stderr.strip().splitlines()
    ]
