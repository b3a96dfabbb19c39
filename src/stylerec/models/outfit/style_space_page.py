"""The style space as one self-contained HTML page and as a PNG."""

import base64
import io
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from stylerec.models.outfit.style_space import StyleSpace

COLOURS = (
    "#1f77b4",
    "#e4572e",
    "#2a9d5c",
    "#8e5bbd",
    "#c59b08",
    "#d1478c",
    "#17a2b8",
    "#8c6239",
    "#5b6770",
    "#7fb800",
    "#3d348b",
    "#ff8fa3",
)
"""One per product type, told apart on white."""
_SHEET_COLUMNS = 32
_JPEG_QUALITY = 72


def page(space: "StyleSpace", titles: Sequence[str], pictures: NDArray[np.uint8] | None) -> str:
    """Returns the page; it loads nothing from elsewhere.

    Args:
        space: The map.
        titles: What each of its items is called.
        pictures: uint8 `[M, P, P, 3]`, zeros where an item has none; None without pictures.
    """
    has_picture = (
        np.zeros(len(titles), dtype=np.bool_) if pictures is None else pictures.any(axis=(1, 2, 3))
    )
    shown = None if pictures is None else pictures[has_picture]
    side = 0 if pictures is None else int(pictures.shape[1])
    data: dict[str, Any] = {
        "types": [
            {"name": name, "colour": COLOURS[place % len(COLOURS)]}
            for place, name in enumerate(space.types)
        ],
        "titles": list(titles),
        "type": space.type_M.tolist(),
        "x": np.round(space.place_M2[:, 0].astype(float), 4).tolist(),
        "y": np.round(space.place_M2[:, 1].astype(float), 4).tolist(),
        "neighbours": space.neighbour_MK.tolist(),
        "matches": [[m for m in row if m >= 0] for row in space.match_MK.tolist()],
        "scores": np.round(space.match_score_MK.astype(float), 2).tolist(),
        "picture": np.where(has_picture, np.cumsum(has_picture) - 1, -1).tolist(),
        "side": side,
        "columns": _SHEET_COLUMNS,
    }
    template = files("stylerec.models.outfit").joinpath("style_space.html").read_text("utf-8")
    # A title must not be able to end the script that holds it.
    encoded = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    sheet = "" if shown is None or not len(shown) else _sheet(shown)
    return Template(template).substitute(data=encoded, sheet=sheet)


def _sheet(pictures: NDArray[np.uint8]) -> str:
    """Returns all pictures side by side as one data URI: a page of one picture opens fast."""
    side = pictures.shape[1]
    num_rows = -(-len(pictures) // _SHEET_COLUMNS)
    sheet = np.full((num_rows * side, _SHEET_COLUMNS * side, 3), 255, dtype=np.uint8)
    for place, picture in enumerate(pictures):
        row, column = divmod(place, _SHEET_COLUMNS)
        sheet[row * side : (row + 1) * side, column * side : (column + 1) * side] = picture
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, format="JPEG", quality=_JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def save_picture(space: "StyleSpace", path: Path) -> None:
    """Writes the map as a PNG: a point per item, product types by colour."""
    figure = Figure(figsize=(11.0, 8.0), dpi=130, layout="constrained")
    axes = figure.subplots()
    for kind, name in enumerate(space.types):
        is_kind = space.type_M == kind
        x, y = space.place_M2[is_kind].T
        colour = COLOURS[kind % len(COLOURS)]
        axes.scatter(x, y, s=22, color=colour, alpha=0.8, linewidths=0.3, edgecolors="white")
        # For the legend alone: solid, and there even if the type has no item here.
        axes.scatter([], [], s=50, color=colour, label=f"{name} ({int(is_kind.sum()):,})")
    axes.set_title(f"Style space: {len(space.item_M):,} items, t-SNE", loc="left", fontsize=13)
    axes.set(xticks=[], yticks=[], xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    for spine in axes.spines.values():
        spine.set_color("#dfe4e8")
    if space.types:
        figure.legend(loc="outside right upper", frameon=False, fontsize=10)
    # Matplotlib's version would make two equal maps differ.
    figure.savefig(path, format="png", metadata={"Software": None})
