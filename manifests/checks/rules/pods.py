"""What every container and pod has to say about itself."""

import re
from collections.abc import Iterator

from manifests.checks.finding import Finding
from manifests.checks.objects import Build, Document, Pod, at

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_TAG = re.compile(r":([\w][\w.-]*)$")
# `1.2.3`, `26.07-py3`: a version, not a channel such as `latest`, `stable` or `3`.
_VERSION_TAG = re.compile(r"v?\d+\.\d+")
_RUN_ONCE = {"Job", "CronJob"}
_SECRET_NAME = re.compile(r"PASSWORD|TOKEN|SECRET|CREDENTIAL|API_KEY|_AUTH$")


def pinned_images(build: Build) -> Iterator[Finding]:
    """Images have a digest or an exact version."""
    for pod in build.pods:
        for path, container in pod.containers():
            image = container.get("image", "")
            tag = _TAG.search(image)
            if not _DIGEST.search(image) and not (tag and _VERSION_TAG.match(tag[1])):
                yield build.finding(
                    pod.owner, f"{path}.image", expected="a digest or an exact version",
                    got=image or "none", fix="pin it under `images:` of the overlay",
                )  # fmt: skip


def resources(build: Build) -> Iterator[Finding]:
    """Containers request and limit CPU and memory."""
    for pod in build.pods:
        for path, container in pod.containers():
            for kind in ("requests", "limits"):
                for name in ("cpu", "memory"):
                    if at(container, f"resources.{kind}.{name}") is None:
                        yield build.finding(
                            pod.owner, f"{path}.resources.{kind}.{name}", expected="a quantity",
                            got="none", fix="set it from what the container was measured to use",
                        )  # fmt: skip


def probes(build: Build) -> Iterator[Finding]:
    """Containers that stay have a liveness probe, those with ports readiness and startup too."""
    for pod in build.pods:
        if pod.owner["kind"] in _RUN_ONCE:
            continue
        for container in pod.spec.get("containers", []):
            path = f"{pod.path}.containers[{container.get('name')}]"
            wanted = ["livenessProbe"]
            if container.get("ports"):
                wanted += ["readinessProbe", "startupProbe"]
            for probe in wanted:
                if probe not in container:
                    yield build.finding(
                        pod.owner, f"{path}.{probe}", expected="a probe", got="none",
                        fix="add one, with the reason for it as a comment",
                    )  # fmt: skip


def restricted_profile(build: Build) -> Iterator[Finding]:
    """Pods pass the restricted Pod Security Standard, init containers included."""
    for pod in build.pods:
        for path, expected, got in _restricted_faults(pod):
            yield build.finding(
                pod.owner, path, expected=f"{expected} (restricted profile)", got=got,
                fix="set the security context; the namespace refuses the pod otherwise",
            )  # fmt: skip


def _restricted_faults(pod: Pod) -> Iterator[tuple[str, str, object]]:
    spec, top = pod.spec, pod.spec.get("securityContext", {})
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield f"{pod.path}.{field}", "false", True
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"}
    allowed |= {"persistentVolumeClaim", "projected", "secret"}
    for volume in spec.get("volumes", []):
        for kind in set(volume) - {"name"} - allowed:
            yield f"{pod.path}.volumes[{volume['name']}]", "no volume of the node", kind
    for path, container in pod.containers():
        own = container.get("securityContext", {})
        yield from _container_faults(f"{path}.securityContext", own, {**top, **own})
        for port in container.get("ports", []):
            if "hostPort" in port:
                yield f"{path}.ports[{port.get('name')}].hostPort", "none", port["hostPort"]


def _container_faults(
    path: str, own: Document, effective: Document
) -> Iterator[tuple[str, str, object]]:
    if own.get("privileged"):
        yield f"{path}.privileged", "false", True
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{path}.allowPrivilegeEscalation", "false", own.get("allowPrivilegeEscalation")
    if effective.get("runAsNonRoot") is not True:
        yield f"{path}.runAsNonRoot", "true", effective.get("runAsNonRoot")
    if effective.get("runAsUser") == 0:
        yield f"{path}.runAsUser", "a user other than root", 0
    if "ALL" not in at(own, "capabilities.drop", []):
        yield f"{path}.capabilities.drop", "[ALL]", at(own, "capabilities.drop")
    added = set(at(own, "capabilities.add", [])) - {"NET_BIND_SERVICE"}
    if added:
        yield f"{path}.capabilities.add", "at most NET_BIND_SERVICE", sorted(added)
    profile = at(effective, "seccompProfile.type")
    if profile not in ("RuntimeDefault", "Localhost"):
        yield f"{path}.seccompProfile.type", "RuntimeDefault or Localhost", profile


def read_only_root(build: Build) -> Iterator[Finding]:
    """Containers write to volumes only."""
    for pod in build.pods:
        for path, container in pod.containers():
            if at(container, "securityContext.readOnlyRootFilesystem") is not True:
                yield build.finding(
                    pod.owner, f"{path}.securityContext.readOnlyRootFilesystem", expected="true",
                    got="a root file system that can be written",
                    fix="set it, and mount an emptyDir where the program writes",
                )  # fmt: skip


def no_token(build: Build) -> Iterator[Finding]:
    """No pod has a token of the Kubernetes API, as none calls it."""
    for pod in build.pods:
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield build.finding(
                pod.owner, f"{pod.path}.automountServiceAccountToken", expected="false",
                got=pod.spec.get("automountServiceAccountToken"),
                fix="set it; a pod that needs the API gets a role and a projected token",
            )  # fmt: skip


def own_account(build: Build) -> Iterator[Finding]:
    """Each workload has a ServiceAccount of its own, which exists."""
    users: dict[str, set[str]] = {}
    for pod in build.pods:
        account = pod.spec.get("serviceAccountName", "default")
        workload = pod.owner["metadata"]["name"].removesuffix("-canary")
        users.setdefault(account, set()).add(workload)
        if build.find("ServiceAccount", account) is None or len(users[account]) > 1:
            yield build.finding(
                pod.owner, f"{pod.path}.serviceAccountName", expected="an account of its own",
                got=f"{account}, of {', '.join(sorted(users[account]))}",
                fix="add a ServiceAccount for this workload and name it here",
            )  # fmt: skip


def secrets_by_reference(build: Build) -> Iterator[Finding]:
    """What is secret comes from a Secret, not from a manifest."""
    for pod in build.pods:
        for path, container in pod.containers():
            for variable in container.get("env", []):
                if _SECRET_NAME.search(variable["name"]) and "value" in variable:
                    yield build.finding(
                        pod.owner, f"{path}.env[{variable['name']}]", expected="a secretKeyRef",
                        got="a value in plain text", fix="refer to a key of a Secret",
                    )  # fmt: skip
