"""Draws a product picture of every item: what it is, its colour, its pattern, its cut.

Outline from the product type and the cut, which come from the style vector; colour and pattern from
the item; the pattern's scale from the style vector too. So pictures tell more than the item's text.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from stylerec.data.synthetic.assortment import (
    COLOURS,
    DEPARTMENTS,
    MENSWEAR,
    PATTERNS,
    TYPE_NAMES,
)
from stylerec.data.synthetic.catalogue import Catalogue
from stylerec.data.synthetic.item_table import cut, image_paths
from stylerec.data.synthetic.randomness import Float64Array, FloatArray
from stylerec.data.synthetic.silhouettes import CLOTHES, LINES, Part
from stylerec.data.synthetic.silhouettes_accessories import ACCESSORIES
from stylerec.data.synthetic.truth import World

PICTURE_SIZE = 64
_SUPERSAMPLING = 3
_CANVAS = PICTURE_SIZE * _SUPERSAMPLING
_BACKGROUND = (250, 250, 248)
_LIGHT = (246, 244, 238)
_RGB = np.array(list(COLOURS.values()), dtype=np.float64)
_OUTLINES = CLOTHES | ACCESSORIES
_Y, _X = np.mgrid[0:_CANVAS, 0:_CANVAS] / _CANVAS
_LIGHT_FALL = 1.06 - 0.16 * _X[:1, :, None]
_SCALE_STEPS = 12

Mask = NDArray[np.bool_]


def _stripe(scale: float) -> Mask:
    return np.asarray(np.sin(_Y * 60 / scale) > 0.35)


def _check(scale: float) -> Mask:
    return np.asarray((np.sin(_X * 42 / scale) > 0.4) ^ (np.sin(_Y * 42 / scale) > 0.4))


def _grid(step: float) -> tuple[Float64Array, Float64Array]:
    """Returns the offsets from the nearest point of a staggered grid, in grid steps."""
    row = np.floor(_Y / step)
    return (_X / step + 0.5 * (row % 2)) % 1.0 - 0.5, (_Y / step) % 1.0 - 0.5


def _dots(scale: float) -> Mask:
    x, y = _grid(0.09 * scale)
    return np.asarray(x**2 + y**2 < 0.08)


def _floral(scale: float) -> Mask:
    x, y = _grid(0.17 * scale)
    petals = 0.24 + 0.15 * np.cos(5 * np.arctan2(y, x))
    distance = np.hypot(x, y)
    return np.asarray((distance < petals) & (distance > 0.08))


def _animal(scale: float) -> Mask:
    x, y = _X * 40 / scale, _Y * 40 / scale
    waves = np.sin(x + 2 * np.sin(0.6 * y)) + np.sin(0.9 * y + 1.7 * np.sin(0.5 * x + 1))
    return np.asarray((waves > 0.7) & (waves < 1.75))


def _zigzag(scale: float) -> Mask:
    wave = np.abs((_X / (0.16 * scale)) % 1.0 - 0.5)
    return np.asarray((_Y / (0.12 * scale) + 1.2 * wave) % 1.0 > 0.55)


def _colour_block(scale: float) -> Mask:
    return np.asarray(0.42 + 0.2 * scale < _Y + 0.25 * _X)


def _plain(scale: float) -> Mask:
    return np.zeros((_CANVAS, _CANVAS), dtype=np.bool_)


_PATTERN_MASKS: dict[str, Callable[[float], Mask]] = {
    "plain": _plain,
    "stripe": _stripe,
    "check": _check,
    "floral": _floral,
    "dots": _dots,
    "animal": _animal,
    "zigzag": _zigzag,
    "colour block": _colour_block,
}


@lru_cache(maxsize=256)
def _mask(pattern: str, step: int) -> Image.Image:
    """Returns where a pattern puts its second colour, at one of a few scales; never drawn on."""
    is_printed = _PATTERN_MASKS[pattern](0.8 + 0.5 * step / _SCALE_STEPS)
    return Image.fromarray(is_printed.astype(np.uint8) * 255)


@lru_cache(maxsize=64)
def _cloth(colour: int, *, is_printed: bool) -> Image.Image:
    """Returns a sheet of the colour, or of the pattern's second colour; never drawn on.

    Light falls from the left: a little relief keeps plain pieces from looking flat.
    """
    base = _RGB[colour]
    if is_printed:
        base = base + 0.6 * (255 - base) if base.mean() < 140 else base * 0.62
    sheet = np.clip(np.broadcast_to(base * _LIGHT_FALL, (_CANVAS, _CANVAS, 3)), 0, 255)
    return Image.fromarray(sheet.astype(np.uint8))


def draw_picture(
    *, product_type: str, department: str, colour: int, pattern: str, wide: float, long: float
) -> Image.Image:
    """Returns one product picture, RGB, 64 x 64 pixels.

    Args:
        product_type: One of `TYPE_NAMES`.
        department: One of `DEPARTMENTS`; swimwear differs.
        colour: Index into `COLOURS`.
        pattern: One of `PATTERNS`.
        wide: How generous the cut is, 0 to 1; also the pattern's scale.
        long: How long the cut is, 0 to 1.
    """
    base = _RGB[colour]
    fabric = _cloth(colour, is_printed=False).copy()
    fabric.paste(_cloth(colour, is_printed=True), mask=_mask(pattern, round(_SCALE_STEPS * wide)))
    is_trunks = product_type == "swimwear" and department == MENSWEAR
    parts = _OUTLINES["shorts" if is_trunks else product_type](wide - 0.5, long - 0.5)
    picture = _paint(parts, fabric, base)
    return picture.reduce(_SUPERSAMPLING)


def _paint(parts: list[Part], fabric: Image.Image, base: Float64Array) -> Image.Image:
    """Returns the parts painted one over the other, at canvas size."""

    def tone(factor: float) -> tuple[int, int, int]:
        red, green, blue = (int(channel * factor) for channel in base)
        return red, green, blue

    is_dark = base.mean() < 60
    line = (120, 120, 126) if is_dark else tone(0.5)
    shade = (70, 70, 76) if is_dark else tone(0.76)
    lines = {"line": (line, 2), "thread": ((214, 196, 150), 2), "strap": (tone(0.9), 9)}
    picture = Image.new("RGB", (_CANVAS, _CANVAS), _BACKGROUND)
    draw = ImageDraw.Draw(picture)
    for part in parts:
        points = [(x * _CANVAS, y * _CANVAS) for x, y in part.points]
        if part.paint in LINES:
            colour, width = lines[part.paint]
            draw.line(points, fill=colour, width=width, joint="curve")
            continue
        if part.paint == "fabric":
            mask = Image.new("L", (_CANVAS, _CANVAS))
            ImageDraw.Draw(mask).polygon(points, fill=255)
            picture.paste(fabric, mask=mask)
        else:
            draw.polygon(points, fill=shade if part.paint == "shade" else _LIGHT)
        draw.line([*points, points[0]], fill=line, width=2, joint="curve")
    return picture


def draw_pictures(folder: Path, world: World, catalogue: Catalogue) -> None:
    """Writes the picture of every item below `folder`."""
    wide, long = cut(world, catalogue)
    paths = image_paths(catalogue)
    (folder / paths[0]).parent.mkdir(parents=True, exist_ok=True)
    for row, path in enumerate(paths):
        _draw_item(catalogue, row, wide, long).save(folder / path, format="PNG", compress_level=6)


def _draw_item(catalogue: Catalogue, row: int, wide: FloatArray, long: FloatArray) -> Image.Image:
    return draw_picture(
        product_type=TYPE_NAMES[catalogue.product_type[row]],
        department=DEPARTMENTS[catalogue.department[row]],
        colour=int(catalogue.colour[row]),
        pattern=PATTERNS[catalogue.pattern[row]],
        wide=float(wide[row]),
        long=float(long[row]),
    )
