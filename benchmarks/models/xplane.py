"""How long each kind of TensorFlow operation took, from a profile that TensorFlow wrote."""

from collections import Counter
from pathlib import Path

from tensorflow.tsl.profiler.protobuf import xplane_pb2

_PREFIXES = ("_Mkl", "_MklNative")


def op_milliseconds(folder: Path) -> Counter[str]:
    """Returns the self time of every kind of operation, in milliseconds.

    Args:
        folder: What was given to `tf.profiler.experimental.start`, with one profile in it.
    """
    space = xplane_pb2.XSpace()
    [path] = folder.glob("plugins/profile/*/*.xplane.pb")
    space.ParseFromString(path.read_bytes())
    total: Counter[str] = Counter()
    for plane in space.planes:
        if "CPU" not in plane.name and "GPU" not in plane.name:
            continue
        names = plane.event_metadata
        for line in plane.lines:
            events = [(e.offset_ps, e.duration_ps, names[e.metadata_id].name) for e in line.events]
            total.update(_self_times(events))
    return total


def _self_times(events: list[tuple[int, int, str]]) -> Counter[str]:
    """Returns time less that of operations inside, of events `name:Kind` on one thread."""
    total: Counter[str] = Counter()
    open_until: list[tuple[int, str]] = []
    for start, duration, name in sorted(events, key=lambda event: (event[0], -event[1])):
        while open_until and open_until[-1][0] <= start:
            open_until.pop()
        milliseconds = duration / 1e9
        kind = _kind(name)
        if open_until:
            total[open_until[-1][1]] -= milliseconds
        total[kind] += milliseconds
        open_until.append((start + duration, kind))
    del total[""]
    return total


def _kind(name: str) -> str:
    """Returns the kind of an operation, empty for the runtime's own functions around them."""
    _, separator, kind = name.rpartition(":")
    if not separator or "::" in name:
        return ""
    for prefix in reversed(_PREFIXES):
        kind = kind.removeprefix(prefix)
    return kind
