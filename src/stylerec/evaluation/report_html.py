"""The few HTML elements that the report is made of; everything is escaped here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

_NUMBER = re.compile(r"[+-]?\d[\d,.]*%?( [±(].*)?$|n/a$")
_MARKS = {"passed": "yes", "failed": "no"}


def section(title: str, note: str, body: str) -> str:
    """Returns a titled part of the page; an empty note is left out."""
    paragraph = f"<p>{escape(note)}</p>" if note else ""
    return f"<section><h2>{escape(title)}</h2>{paragraph}{body}</section>"


def heading(text: str, note: str = "") -> str:
    """Returns a heading within a section."""
    paragraph = f"<p>{escape(note)}</p>" if note else ""
    return f"<h3>{escape(text)}</h3>{paragraph}"


def facts(figures: Mapping[str, int]) -> str:
    """Returns large numbers with their names below."""
    cells = "".join(
        f'<div class="fact"><b>{number:,}</b><span>{escape(name)}</span></div>'
        for name, number in figures.items()
    )
    return f'<div class="facts">{cells}</div>'


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, row_classes: Iterable[str] = ()
) -> str:
    """Returns a table; columns of numbers are aligned right."""
    classes = list(row_classes) or [""] * len(rows)
    is_number = [
        bool(rows) and all(_NUMBER.match(row[column]) for row in rows)
        for column in range(len(header))
    ]
    head = "".join(_cell("th", text, is_number[i]) for i, text in enumerate(header))
    body = "".join(
        f'<tr class="{css}">'
        + "".join(_cell("td", text, is_number[i]) for i, text in enumerate(row))
        + "</tr>"
        for css, row in zip(classes, rows, strict=True)
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def folded(summary: str, body: str) -> str:
    """Returns a part that opens on a click."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def figure(value: object) -> str:
    """Returns a figure as text: four decimals, or thousands with commas; n/a for None."""
    if value is None:
        return "n/a"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4f}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def _cell(tag: str, text: str, is_number: bool) -> str:
    css = "number" if is_number else _MARKS.get(text, "")
    value, bracket, around = text.partition(" (") if is_number and tag == "td" else (text, "", "")
    small = f"<small>{escape(bracket + around)}</small>" if bracket else ""
    return f'<{tag} class="{css}">{escape(value)}{small}</{tag}>'
