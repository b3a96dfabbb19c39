"""What a measurement ran on."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = ("torch", "tensorflow-cpu", "onnxruntime", "numpy")


def describe_machine() -> dict[str, Any]:
    """Returns processor, cores, memory, versions and date, without names or paths."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _first_value(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "has_amx": "amx_bf16" in (_first_value(Path("/proc/cpuinfo"), "flags") or "").split(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
    }


def machine_line(machine: dict[str, Any]) -> str:
    """Returns the description as one sentence."""
    amx = ", AMX" if machine["has_amx"] else ""
    versions = ", ".join(f"{name} {machine[name]}" for name in _PACKAGES if machine[name])
    return (
        f"{machine['date']}: {machine['processor']}, {machine['cores']} cores{amx}, "
        f"{machine['memory_gib']} GiB, no GPU used; Python {machine['python']}, {versions}"
    )


def _first_value(path: Path, key: str) -> str | None:
    if not path.exists():
        return None
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
