"""Outlines of the garments in unit coordinates: x to the right, y down, the picture is 1 x 1.

Every outline takes `wide` and `long`, -0.5 to 0.5: how generous and how long the piece is cut.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]
Paint = Literal["fabric", "shade", "light", "line", "thread", "strap"]
"""Fabric carries the pattern, shade is darker, light is a sole or a lining. The last three are
drawn as lines: thin and dark, thin and pale, thick in the garment's colour."""
LINES = ("line", "thread", "strap")


@dataclass(frozen=True)
class Part:
    """One shape of a garment: a filled outline, or a line for the paints in `LINES`."""

    points: tuple[Point, ...]
    paint: Paint = "fabric"


def soft(points: list[Point], *, is_closed: bool = True, rounds: int = 2) -> tuple[Point, ...]:
    """Returns the outline with its corners cut (Chaikin, 1974), which rounds it."""
    for _ in range(rounds):
        pairs = list(zip(points, points[1:] + points[:1], strict=True))
        if not is_closed:
            pairs = pairs[:-1]
        cut = [
            point
            for (ax, ay), (bx, by) in pairs
            for point in (
                (0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by),
                (0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by),
            )
        ]
        points = cut if is_closed else [points[0], *cut, points[-1]]
    return tuple(points)


def mirrored(left: list[Point]) -> list[Point]:
    """Returns a closed outline from its left half, listed from top to bottom."""
    return left + [(1.0 - x, y) for x, y in reversed(left)]


def _both(points: list[Point], paint: Paint) -> list[Part]:
    """Returns a part and its mirror image."""
    return [Part(tuple(points), paint), Part(tuple((1.0 - x, y) for x, y in points), paint)]


def _sleeved(wide: float, hem: float, *, cuff: float = 0.74, flare: float = 0.0) -> list[Part]:
    """Returns the body of a long-sleeved piece with its sleeves behind it."""
    side = 0.31 - 0.1 * wide
    sleeve = [
        (0.34, 0.18), (0.22 - 0.05 * wide, 0.26), (0.1 - 0.04 * wide, cuff - 0.01),
        (0.19 - 0.02 * wide, cuff + 0.02), (side + 0.02, 0.42),
    ]  # fmt: skip
    body = mirrored(
        [(0.42, 0.15), (0.32, 0.18), (side, 0.34), (side - flare, hem), (0.45, hem + 0.01)]
    )
    return [*_both(list(soft(sleeve, rounds=1)), "fabric"), Part(soft(body, rounds=1))]


def _t_shirt(wide: float, long: float) -> list[Part]:
    side, hem = 0.3 - 0.1 * wide, 0.8 + 0.12 * long
    body = mirrored(
        [
            (0.42, 0.19), (0.31, 0.22), (0.12 - 0.03 * wide, 0.4), (0.22 - 0.02 * wide, 0.48),
            (side, 0.4), (side, hem), (0.48, hem),
        ]
    )  # fmt: skip
    neck = mirrored([(0.41, 0.18), (0.43, 0.235), (0.48, 0.26)])
    return [Part(soft(body, rounds=1)), Part(soft(neck), "shade")]


def _top(wide: float, long: float) -> list[Part]:
    hem = 0.72 + 0.14 * long
    body = mirrored([(0.34, 0.3), (0.3, 0.44), (0.32, 0.54), (0.26 - 0.1 * wide, hem), (0.5, hem)])
    neck = [(0.35, 0.31), (0.5, 0.38), (0.65, 0.31)]
    straps = _both([(0.355, 0.32), (0.4, 0.14)], "line")
    return [*straps, Part(soft(body, rounds=1)), Part(soft(neck, is_closed=False), "line")]


def _shirt(wide: float, long: float) -> list[Part]:
    hem = 0.82 + 0.1 * long
    collar = [(0.5, 0.24), (0.4, 0.14), (0.36, 0.2), (0.44, 0.29)]
    buttons = [Part(disc(0.5, y, 0.013), "light") for y in (0.36, 0.47, 0.58, 0.69)]
    placket = Part(((0.5, 0.24), (0.5, hem)), "line")
    return [*_sleeved(wide, hem), placket, *_both(collar, "shade"), *buttons]


def _knitwear(wide: float, long: float) -> list[Part]:
    hem = 0.78 + 0.12 * long
    side = 0.31 - 0.1 * wide
    neck = mirrored([(0.42, 0.1), (0.4, 0.19), (0.46, 0.22)])
    band = ((side, hem - 0.06), (1 - side, hem - 0.06), (1 - side, hem + 0.01), (side, hem + 0.01))
    ribs = [
        Part(((x, hem - 0.06), (x, hem)), "line")
        for x in (side + step * (1 - 2 * side) / 8 for step in range(1, 8))
    ]
    return [
        *_sleeved(wide + 0.2, hem),
        Part(soft(neck, rounds=1), "shade"),
        Part(band, "shade"),
        *ribs,
    ]


def _sports_top(wide: float, long: float) -> list[Part]:
    side, hem = 0.33 - 0.08 * wide, 0.66 + 0.2 * long
    body = mirrored(
        [(0.42, 0.16), (0.36, 0.16), (0.37, 0.3), (side - 0.01, 0.4), (side, hem), (0.5, hem)]
    )
    neck = mirrored([(0.42, 0.15), (0.44, 0.25), (0.48, 0.29)])
    panel = [(side, 0.4), (side + 0.06, 0.5), (side + 0.05, hem), (side, hem)]
    return [Part(soft(body, rounds=1)), Part(soft(neck), "shade"), *_both(panel, "shade")]


def _jacket(wide: float, long: float) -> list[Part]:
    hem = 0.72 + 0.1 * long
    side = 0.31 - 0.1 * wide
    band = ((side, hem - 0.05), (1 - side, hem - 0.05), (1 - side, hem + 0.02), (side, hem + 0.02))
    collar = [(0.5, 0.22), (0.38, 0.12), (0.35, 0.2), (0.47, 0.28)]
    pocket = [(side + 0.05, 0.5), (side + 0.12, 0.6)]
    return [
        *_sleeved(wide + 0.3, hem, cuff=0.7), Part(band, "shade"), *_both(collar, "shade"),
        Part(((0.49, 0.22), (0.51, 0.22), (0.51, hem), (0.49, hem)), "light"),
        *_both(pocket, "line"),
    ]  # fmt: skip


def _blazer(wide: float, long: float, *, hem: float = 0.8) -> list[Part]:
    hem += 0.1 * long
    lapel = [(0.41, 0.14), (0.34, 0.19), (0.37, 0.32), (0.41, 0.31), (0.49, 0.5)]
    shirt = mirrored([(0.43, 0.14), (0.5, 0.48)])
    pocket = [(0.33 - 0.06 * wide, 0.64), (0.43, 0.64)]
    return [
        *_sleeved(wide, hem, flare=0.02), Part(tuple(shirt), "light"), *_both(lapel, "shade"),
        Part(((0.5, 0.5), (0.5, hem)), "line"), *_both(pocket, "line"),
        Part(disc(0.515, 0.55, 0.014), "light"),
    ]  # fmt: skip


def _coat(wide: float, long: float) -> list[Part]:
    hem = 0.89 + 0.14 * long
    wide -= 0.25
    side = 0.32 - 0.1 * wide
    lapel = [(0.42, 0.11), (0.36, 0.16), (0.38, 0.28), (0.49, 0.38)]
    belt = ((side, 0.52), (1 - side, 0.52), (1 - side, 0.57), (side, 0.57))
    buttons = [Part(disc(x, y, 0.014), "light") for x in (0.45, 0.55) for y in (0.44, 0.64)]
    return [
        *_sleeved(wide, hem, cuff=0.66, flare=0.05), *_both(lapel, "shade"), Part(belt, "shade"),
        Part(((0.5, 0.4), (0.5, hem)), "line"), *buttons,
    ]  # fmt: skip


def _dress(wide: float, long: float) -> list[Part]:
    hem = 0.78 + 0.3 * long
    body = mirrored(
        [
            (0.42, 0.12), (0.37, 0.12), (0.37, 0.22), (0.34, 0.29), (0.38, 0.43),
            (0.26 - 0.14 * wide, hem), (0.5, hem + 0.02),
        ]
    )  # fmt: skip
    neck = mirrored([(0.42, 0.11), (0.45, 0.2), (0.49, 0.23)])
    waist = Part(((0.385, 0.42), (0.615, 0.42), (0.62, 0.45), (0.38, 0.45)), "shade")
    return [Part(soft(body, rounds=1)), Part(soft(neck), "shade"), waist]


def _skirt(wide: float, long: float) -> list[Part]:
    hem = 0.72 + 0.36 * long
    side = 0.24 - 0.16 * wide
    body = mirrored(
        [(0.36, 0.2), (0.32, 0.34), (side, hem), (0.36, hem + 0.025), (0.5, hem + 0.03)]
    )
    band = ((0.36, 0.15), (0.64, 0.15), (0.645, 0.21), (0.355, 0.21))
    folds = [
        *_both([(0.42, 0.25), (0.36 - 0.08 * wide, hem)], "line"),
        Part(((0.5, 0.25), (0.5, hem + 0.02)), "line"),
    ]
    return [Part(tuple(body)), Part(band, "shade"), *folds]


def _legs(wide: float, bottom: float, *, ankle: float, hip: float = 0.33) -> list[Part]:
    """Returns two trouser legs; `ankle` is half the width at the bottom."""
    middle = (hip + 0.46) / 2 - 0.02
    leg = [
        (0.36, 0.12), (hip - 0.04 * wide, 0.3), (middle - ankle - 0.08 * wide, bottom),
        (middle + ankle + 0.04 * wide, bottom), (0.5, 0.4), (0.5, 0.12),
    ]  # fmt: skip
    return _both(leg, "fabric")


def _waistband(top: float = 0.1, paint: Paint = "shade") -> Part:
    return Part(((0.355, top), (0.645, top), (0.65, top + 0.06), (0.35, top + 0.06)), paint)


def _trousers(wide: float, long: float) -> list[Part]:
    bottom = 0.9 + 0.08 * long
    crease = [(0.42, 0.2), (0.375 - 0.02 * wide, bottom - 0.02)]
    return [*_legs(wide + 0.3, bottom, ankle=0.075), _waistband(), *_both(crease, "line")]


def _jeans(wide: float, long: float) -> list[Part]:
    bottom = 0.9 + 0.08 * long
    pocket = list(soft([(0.36, 0.24), (0.41, 0.24), (0.44, 0.16)], is_closed=False))
    seam = [(0.345 - 0.02 * wide, 0.3), (0.31 - 0.06 * wide, bottom - 0.02)]
    turn_up = [(0.29, bottom - 0.05), (0.44, bottom - 0.05)]
    return [
        *_legs(wide, bottom, ankle=0.07), _waistband(), *_both(pocket, "thread"),
        *_both(seam, "thread"), *_both(turn_up, "thread"),
        Part(((0.5, 0.16), (0.5, 0.32)), "thread"), Part(disc(0.5, 0.13, 0.016), "light"),
    ]  # fmt: skip


def _shorts(wide: float, long: float) -> list[Part]:
    bottom = 0.58 + 0.12 * long
    tie = [(0.49, 0.16), (0.46, 0.28)]
    leg = [
        (0.36, 0.12), (0.3 - 0.04 * wide, 0.3), (0.25 - 0.05 * wide, bottom),
        (0.455, bottom + 0.02), (0.5, 0.4), (0.5, 0.12),
    ]  # fmt: skip
    return [*_both(leg, "fabric"), _waistband(), *_both(tie, "thread")]


def _leggings(wide: float, long: float) -> list[Part]:
    bottom = 0.9 + 0.06 * long
    panel = [(0.35, 0.3), (0.385, 0.5), (0.36, 0.72)]
    band = Part(((0.355, 0.08), (0.645, 0.08), (0.655, 0.2), (0.345, 0.2)), "shade")
    return [*_legs(0.3 * wide - 0.3, bottom, ankle=0.04, hip=0.34), band, *_both(panel, "thread")]


def _joggers(wide: float, long: float) -> list[Part]:
    bottom = 0.88 + 0.06 * long
    cuff = [
        (0.315, bottom - 0.02),
        (0.425, bottom - 0.02),
        (0.42, bottom + 0.04),
        (0.32, bottom + 0.04),
    ]
    tie = [(0.49, 0.16), (0.46, 0.3)]
    return [
        *_legs(wide + 0.2, bottom, ankle=0.05, hip=0.3), _waistband(), *_both(cuff, "shade"),
        *_both(tie, "thread"),
    ]  # fmt: skip


def _swimwear(wide: float, long: float) -> list[Part]:
    leg = 0.66 - 0.12 * long
    body = mirrored(
        [
            (0.41, 0.12), (0.37, 0.12), (0.36, 0.28), (0.32, 0.38), (0.37 - 0.04 * wide, 0.52),
            (0.31, leg), (0.4, leg + 0.1), (0.46, 0.84), (0.5, 0.86),
        ]
    )  # fmt: skip
    neck = mirrored([(0.41, 0.11), (0.43, 0.27), (0.48, 0.33)])
    return [Part(soft(body)), Part(soft(neck), "light")]


def disc(x: float, y: float, radius: float, *, flat: float = 1.0) -> tuple[Point, ...]:
    """Returns a circle, or an ellipse `flat` times as high as wide."""
    high = radius * flat
    square = [(x - radius, y - high), (x + radius, y - high), (x + radius, y + high)]
    return soft([*square, (x - radius, y + high)], rounds=3)


CLOTHES: dict[str, Callable[[float, float], list[Part]]] = {
    "dress": _dress,
    "top": _top,
    "t-shirt": _t_shirt,
    "shirt": _shirt,
    "knitwear": _knitwear,
    "sports-top": _sports_top,
    "leggings": _leggings,
    "joggers": _joggers,
    "jacket": _jacket,
    "blazer": _blazer,
    "coat": _coat,
    "trousers": _trousers,
    "jeans": _jeans,
    "skirt": _skirt,
    "shorts": _shorts,
    "swimwear": _swimwear,
}
