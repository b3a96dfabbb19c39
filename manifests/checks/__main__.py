"""`python -m manifests.checks`: judges all combinations; with KUBECONFIG set, asks the cluster too.

With `--release <folder>` the models have to be those of that release. Exits with 1 where something
is found. A line has the build, object, path, what was expected, what is there, what to do, and the
rule.
"""

import argparse
import functools
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from manifests.checks.dry_run import server_dry_run
from manifests.checks.finding import Finding
from manifests.checks.rendering import Combination, combinations, kubectl, render
from manifests.checks.rules.kserve import models_beside
from manifests.checks.table import RULES, judge
from stylerec.errors import ConfigError


def findings_of(combination: Combination, released: frozenset[str] | None = None) -> list[Finding]:
    """Returns what is wrong with a combination, be it that it does not render.

    Args:
        combination: What to render.
        released: Models of the release that will be served; None where that is not known.
    """
    try:
        build = render(combination)
    except ConfigError as error:
        return [
            Finding(
                combination.name, f"manifests/overlays/{combination.overlay}/kustomization.yaml",
                "Kustomization", ".", error.expected, error.got, error.fix, rule="renders",
            )
        ]  # fmt: skip
    asked = server_dry_run(build) if _has_cluster() and not combination.components else []
    absent = models_beside(build, released) if released is not None else ()
    return [*judge(build), *absent, *asked]


def main(arguments: Sequence[str] = ()) -> int:
    """Prints every finding once, with the first build that has it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m manifests.checks")
    parser.add_argument("--release", type=Path, help="folder of the release that will be served")
    given = parser.parse_args(arguments)
    try:
        kubectl()
        released = None if given.release is None else _models_of(given.release)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    found: dict[tuple[str, ...], Finding] = {}
    chosen = list(combinations())
    with ProcessPoolExecutor() as pool:
        for findings in pool.map(
            functools.partial(findings_of, released=released), chosen, chunksize=8
        ):
            for each in findings:
                found.setdefault((each.rule, each.object, each.path), each)
    for finding in found.values():
        print(finding)
    asked = "and a cluster" if _has_cluster() else "no cluster asked (KUBECONFIG is not set)"
    print(f"{len(chosen)} combinations, {len(RULES)} rules, {asked}: {len(found)} findings")
    return 1 if found else 0


def _models_of(release: Path) -> frozenset[str]:
    try:
        return frozenset(json.loads((release / "release.json").read_bytes())["models"])
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(
            f"--release {release}",
            expected="a folder with a release.json",
            got=type(error).__name__,
            fix="name a folder under the root of all releases",
        ) from error


def _has_cluster() -> bool:
    return bool(os.environ.get("KUBECONFIG"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
