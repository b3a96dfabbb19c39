"""Throughput of the ranking model beside a plain Keras `fit` as Markdown; knows no TensorFlow."""

from typing import Any

from benchmarks.models.table import markdown


def speed_table(results: dict[str, Any]) -> str:
    """Returns the speeds and the profiles of all measured models as Markdown."""
    speeds = markdown(
        ["examples/s: median (min to max)", "ours", "Keras `fit`", "ratio", "ratio of CPU time"],
        [
            (
                name,
                _range(result["ours"]["examples_per_s"], ",.0f"),
                _range(result["keras_fit"]["examples_per_s"], ",.0f"),
                _range(result["ratio"], ".2f"),
                _range(result["ratio_of_cpu_time"], ".2f"),
            )
            for name, result in results["models"].items()
        ],
    )
    return "\n\n".join([speeds, *(_profile_table(*item) for item in results["models"].items())])


def _profile_table(name: str, result: dict[str, Any]) -> str:
    ours, peer = (result["profile_ms_per_step"][side] for side in ("ours", "keras_fit"))
    rows = [
        (*_cells(one), *_cells(other))
        for one, other in zip(list(ours.items()), list(peer.items()), strict=True)
    ]
    return markdown([f"{name}: ours", "ms a step", "Keras `fit`", "ms a step"], rows)


def _cells(entry: tuple[str, float]) -> tuple[str, str]:
    return entry[0], f"{entry[1]:.1f}"


def _range(spread: dict[str, float], form: str) -> str:
    return f"{spread['median']:{form}} ({spread['min']:{form}} to {spread['max']:{form}})"
