from benchmarks.outfits.generation_report import generation_section
from benchmarks.outfits.report import headline, markdown_report


def row(name: str, **values: float) -> dict:
    return {"name": name, "p50_ms": 2.0, "p99_ms": 3.456, "cpu_p99_ms": 3.0, **values}


FOUND = {
    "num_items": 1_000,
    "searched_items": 400,
    "style_dim": 256,
    "runs": [row("run 1"), row("run 2", p99_ms=5.456)],
    "with_departments": row("with departments"),
    "by_items": [row("500 items"), row("1,000 items")],
    "by_beam": [row("beam 1")],
    "by_slots": [row("1 slots")],
    "by_outfits": [row("1 outfits")],
    "cuts": [row("cut", candidates_per_slot=100, score_kept=0.9, same_share=0.5)],
    "alternatives": [row("ONNX graph")],
    "growth": {"items_exponent": 0.9, "beam_exponent": 0.4},
    "personalised": {"0.2": 0.25},
}


def test_the_section_has_a_line_per_measurement_and_the_growth() -> None:
    text = generation_section(FOUND)
    assert "| run 1 | 2.00 | 3.46 | 3.00 |" in text
    assert "| ONNX graph |" in text
    # The whole catalogue is what the runs measured.
    assert "| 500 items |" in text
    assert "| 1,000 items |" not in text
    assert "power 0.90" in text
    assert "0.2: 25%" in text


def test_the_report_shows_it_and_takes_the_mean_of_the_runs() -> None:
    results = {"generation": FOUND}
    assert headline(results)["generation_p99_ms"]["mean"] == (3.456 + 5.456) / 2
    assert generation_section(FOUND) in markdown_report(results)
