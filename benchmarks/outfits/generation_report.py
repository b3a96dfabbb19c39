"""The latencies of outfit generation as Markdown."""

from collections.abc import Mapping
from typing import Any

from benchmarks.models.table import markdown


def generation_section(found: Mapping[str, Any]) -> str:
    """Returns one table of everything that `generation.main` measured, and how times grow."""
    rows = [
        *found["runs"],
        found["with_departments"],
        *found["by_items"][:-1],
        *found["by_beam"],
        *found["by_slots"],
        *found["by_outfits"],
        *found["cuts"],
        *found["alternatives"],
    ]
    table = markdown(
        ["request", "p50 ms", "p99 ms", "p99 of its own thread's time, ms"],
        [
            [row["name"], *(f"{row[name]:.2f}" for name in ("p50_ms", "p99_ms", "cpu_p99_ms"))]
            for row in rows
        ],
    )
    growth, changed = found["growth"], found["personalised"]
    kept = ", ".join(
        f"{cut['candidates_per_slot']:,}: {cut['score_kept']:.4f} of the score, "
        f"{cut['same_share']:.0%} the same outfit"
        for cut in found["cuts"]
    )
    weights = ", ".join(f"{weight}: {share:.0%}" for weight, share in changed.items())
    return (
        f"{found['num_items']:,} items, of which the template's types hold "
        f"{found['searched_items']:,}; {found['style_dim']} dimensions; one request at a time.\n\n"
        f"{table}\n\n"
        f"The median grows with items to the power {growth['items_exponent']:.2f}, with beams to "
        f"the power {growth['beam_exponent']:.2f}. What a cut per slot keeps: {kept}. Best outfits "
        f"that the customer changes, by weight: {weights}."
    )
