"""Environment variables against `stylerec.settings`; a name that is no field would be ignored."""

import functools
import json
from collections.abc import Iterator

from pydantic import ValidationError

from manifests.checks.finding import Finding
from manifests.checks.objects import Build, Document, Pod
from stylerec.settings import Settings

_PREFIX = "STYLEREC_"
_JSON_FIELDS = {"triton_hosts"}


def variables_of(build: Build, container: Document) -> dict[str, str | None]:
    """Returns a container's variables; None for a value that only the cluster knows."""
    found: dict[str, str | None] = {}
    for source in container.get("envFrom", []):
        name = source.get("configMapRef", {}).get("name", "")
        found |= (build.find("ConfigMap", name) or {}).get("data", {})
    for variable in container.get("env", []):
        reference = variable.get("valueFrom", {}).get("configMapKeyRef")
        if reference:
            data = (build.find("ConfigMap", reference["name"]) or {}).get("data", {})
            found[variable["name"]] = data.get(reference["key"])
        else:
            found[variable["name"]] = variable.get("value")
    return found


def settings_of(build: Build, container: Document) -> Settings:
    """Returns the settings that a container would build; secrets are left out.

    Raises:
        ValidationError: A variable is no field, or its value is none that the field takes.
    """
    variables = variables_of(build, container).items()
    return _settings(frozenset(each for each in variables if each[0].startswith(_PREFIX)))


@functools.cache
def _settings(variables: frozenset[tuple[str, str | None]]) -> Settings:
    given = {
        name.removeprefix(_PREFIX).lower(): value for name, value in variables if value is not None
    }
    parsed = {k: json.loads(v) if k in _JSON_FIELDS else v for k, v in given.items()}
    return Settings(**parsed)


def settings_fields(build: Build) -> Iterator[Finding]:
    """Every STYLEREC_ variable is a setting, with a value that it takes."""
    for pod in build.pods:
        for path, container in pod.containers():
            for name in variables_of(build, container):
                field = name.removeprefix(_PREFIX).lower()
                if name.startswith(_PREFIX) and field not in Settings.model_fields:
                    yield build.finding(
                        pod.owner, f"{path}.env[{name}]", expected="a field of Settings",
                        got=field, fix="correct the name; stylerec/settings.py lists them",
                    )  # fmt: skip
            yield from _value_faults(build, pod, path, container)


def _value_faults(build: Build, pod: Pod, path: str, container: Document) -> Iterator[Finding]:
    try:
        settings_of(build, container)
    except ValidationError as error:
        for fault in error.errors():
            if fault["type"] != "extra_forbidden":
                place = ".".join(str(part) for part in fault["loc"])
                yield build.finding(
                    pod.owner, f"{path}.env[{_PREFIX}{place.upper()}]", expected=fault["msg"],
                    got=fault["input"], fix="correct the value",
                )  # fmt: skip
    except json.JSONDecodeError as error:
        yield build.finding(
            pod.owner, f"{path}.env", expected="JSON where a setting is a mapping",
            got=error.msg, fix="correct the value",
        )  # fmt: skip


def dependency_addresses(build: Build) -> Iterator[Finding]:
    """Hosts without a dot are Services of this build, on a port that they have."""
    for pod in build.pods:
        for path, container in pod.containers():
            try:
                settings = settings_of(build, container)
            except (ValidationError, json.JSONDecodeError):
                continue
            if "STYLEREC_REDIS_HOST" not in variables_of(build, container):
                continue
            addresses = {"redis": f"{settings.redis_host}:{settings.redis_port}"}
            for what, address in {**addresses, **settings.triton_hosts}.items():
                host, _, port = address.partition(":")
                service = build.services.get(host)
                ports = [number for number, _ in service.ports.values()] if service else []
                if "." not in host and int(port) not in ports:
                    yield build.finding(
                        pod.owner, f"{path}.env ({what})",
                        expected="a Service and port of this build", got=address,
                        fix=f"the Services are {', '.join(sorted(build.services))}",
                    )  # fmt: skip
