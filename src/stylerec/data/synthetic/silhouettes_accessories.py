"""Outlines of shoes, bags and accessories, drawn as in `silhouettes`."""

import math
from collections.abc import Callable

from stylerec.data.synthetic.silhouettes import Part, Point, disc, mirrored, soft


def _heels(wide: float, long: float) -> list[Part]:
    height = 0.3 + 0.12 * long
    heel_top, floor = 0.78 - height, 0.8
    shoe: list[Point] = [
        (0.2, heel_top - 0.14), (0.17, heel_top + 0.04), (0.28, heel_top + 0.1),
        (0.56, 0.74), (0.7, floor), (0.9, floor), (0.92, 0.73 - 0.04 * wide), (0.74, 0.66),
        (0.5, heel_top + 0.04), (0.3, heel_top - 0.02),
    ]  # fmt: skip
    heel = ((0.18, heel_top + 0.03), (0.28, heel_top + 0.09), (0.235, floor), (0.2, floor))
    opening: list[Point] = [
        (0.23, heel_top - 0.08), (0.3, heel_top), (0.5, heel_top + 0.06), (0.68, 0.66),
        (0.55, 0.68), (0.32, heel_top + 0.07),
    ]  # fmt: skip
    return [Part(heel, "shade"), Part(soft(shoe, rounds=1)), Part(soft(opening), "light")]


def _trainers(wide: float, long: float) -> list[Part]:
    top = 0.34 - 0.06 * long
    shoe: list[Point] = [
        (0.14, top), (0.1, 0.66), (0.9, 0.68), (0.92, 0.6 - 0.04 * wide), (0.78, 0.52),
        (0.58, 0.42), (0.46, top - 0.02), (0.4, top + 0.06), (0.24, top + 0.06),
    ]  # fmt: skip
    sole: list[Point] = [(0.08, 0.64), (0.92, 0.66), (0.94, 0.76), (0.09, 0.76)]
    laces = [Part(((x, y), (x + 0.1, y - 0.05)), "thread") for x, y in
             ((0.46, 0.47), (0.52, 0.51), (0.58, 0.55))]  # fmt: skip
    swoop = ((0.2, 0.6), (0.36, 0.5), (0.5, 0.6))
    return [
        Part(soft(shoe, rounds=1)), Part(swoop, "shade"), *laces,
        Part(soft(sole, rounds=1), "light"),
    ]  # fmt: skip


def _boots(wide: float, long: float) -> list[Part]:
    top = 0.2 - 0.2 * long
    shaft = 0.5 + 0.06 * wide
    boot: list[Point] = [
        (0.22, top), (0.24, 0.5), (0.2, 0.78), (0.86, 0.79), (0.9, 0.7), (0.8, 0.63),
        (0.56, 0.56), (shaft, 0.44), (shaft + 0.02, top),
    ]  # fmt: skip
    sole = ((0.19, 0.77), (0.88, 0.77), (0.88, 0.83), (0.42, 0.83), (0.4, 0.88), (0.2, 0.88))
    gusset = ((0.34, top + 0.06), (0.42, top + 0.06), (0.41, 0.46), (0.35, 0.46))
    return [Part(soft(boot, rounds=1)), Part(sole, "shade"), Part(gusset, "shade")]


def _sandals(wide: float, long: float) -> list[Part]:
    lift = 0.05 + 0.06 * (long + 0.5)
    sole: list[Point] = [
        (0.1, 0.66), (0.4, 0.7), (0.92, 0.7), (0.92, 0.7 + lift), (0.1, 0.7 + lift),
    ]  # fmt: skip
    thick = 0.06 + 0.03 * wide
    front: list[Point] = [
        (0.6, 0.7), (0.68, 0.52), (0.72 + thick, 0.53), (0.86, 0.7), (0.78, 0.7), (0.72, 0.6),
        (0.68, 0.7),
    ]  # fmt: skip
    ankle: list[Point] = [
        (0.12, 0.68), (0.16, 0.36), (0.4, 0.34), (0.4, 0.34 + thick), (0.23, 0.36 + thick),
        (0.2, 0.68),
    ]  # fmt: skip
    link = ((0.36, 0.38), (0.42, 0.38), (0.7, 0.56), (0.66, 0.6))
    return [
        Part(soft(sole, rounds=1), "shade"), Part(tuple(front)), Part(tuple(ankle)), Part(link),
    ]  # fmt: skip


def _loafers(wide: float, long: float) -> list[Part]:
    top = 0.46 - 0.05 * long
    shoe: list[Point] = [
        (0.12, top), (0.1, 0.7), (0.9, 0.71), (0.92, 0.62 - 0.04 * wide), (0.76, 0.54),
        (0.54, top), (0.46, top + 0.1), (0.26, top + 0.09),
    ]  # fmt: skip
    sole = ((0.09, 0.7), (0.91, 0.7), (0.91, 0.74), (0.32, 0.74), (0.31, 0.79), (0.1, 0.79))
    strap = ((0.5, 0.5), (0.57, 0.47), (0.68, 0.69), (0.58, 0.7))
    return [Part(soft(shoe, rounds=1)), Part(strap, "shade"), Part(sole, "shade")]


def _bag(wide: float, long: float) -> list[Part]:
    side, bottom = 0.22 - 0.1 * wide, 0.8 + 0.08 * long
    arc = [
        (0.5 - 0.16 * math.cos(math.pi * step / 12), 0.42 - 0.26 * math.sin(math.pi * step / 12))
        for step in range(13)
    ]
    body = mirrored([(0.26, 0.4), (side, bottom), (0.5, bottom + 0.01)])
    flap = mirrored([(0.255, 0.4), (side + 0.02, 0.56), (0.5, 0.63)])
    return [
        Part(tuple(arc), "strap"), Part(soft(body, rounds=1)), Part(soft(flap, rounds=1), "shade"),
        Part(disc(0.5, 0.6, 0.03), "light"),
    ]  # fmt: skip


def _jewellery(wide: float, long: float) -> list[Part]:
    depth = 0.42 + 0.16 * long
    chain = [
        (0.5 - 0.3 * math.cos(math.pi * step / 16), 0.16 + depth * math.sin(math.pi * step / 16))
        for step in range(17)
    ]
    bottom, size = 0.16 + depth, 0.07 + 0.04 * wide
    drop: list[Point] = [
        (0.5, bottom), (0.5 - size, bottom + 1.4 * size), (0.5, bottom + 2.6 * size),
        (0.5 + size, bottom + 1.4 * size),
    ]  # fmt: skip
    beads = [Part(disc(x, y, 0.026)) for x, y in chain[2:-2:2]]
    return [Part(tuple(chain), "line"), *beads, Part(tuple(drop))]


def _sunglasses(wide: float, long: float) -> list[Part]:
    radius, flat = 0.165 + 0.03 * wide, 0.85 + 0.3 * long
    lenses = [
        part
        for x in (0.29, 0.71)
        for part in (
            Part(disc(x, 0.5, radius + 0.03, flat=flat)),
            Part(disc(x, 0.5, radius - 0.015, flat=flat), "shade"),
            Part(((x - 0.07, 0.5), (x + 0.01, 0.42)), "thread"),
        )
    ]
    bridge = ((0.44, 0.46), (0.56, 0.46), (0.56, 0.5), (0.44, 0.5))
    arms = [
        Part(((0.12, 0.46), (0.05, 0.38)), "strap"),
        Part(((0.88, 0.46), (0.95, 0.38)), "strap"),
    ]
    return [*arms, Part(bridge), *lenses]


def _hat(wide: float, long: float) -> list[Part]:
    brim = 0.3 + 0.16 * (wide + 0.5)
    crown_top = 0.3 - 0.06 * long
    crown = mirrored([(0.36, crown_top), (0.28, 0.62), (0.5, 0.65)])
    edge: list[Point] = [
        (0.5 - brim, 0.7), (0.28, 0.58), (0.72, 0.58), (0.5 + brim, 0.7), (0.5, 0.76),
    ]  # fmt: skip
    band = ((0.29, 0.54), (0.71, 0.54), (0.72, 0.61), (0.28, 0.61))
    return [Part(soft(edge, rounds=2)), Part(soft(crown, rounds=1)), Part(band, "shade")]


def _scarf(wide: float, long: float) -> list[Part]:
    bottom = 0.8 + 0.12 * long
    tail = 0.12 + 0.04 * wide
    loop: list[Point] = [
        (0.26, 0.22), (0.5, 0.14), (0.74, 0.22), (0.72, 0.38), (0.5, 0.46), (0.28, 0.38),
    ]  # fmt: skip
    gap: list[Point] = [(0.36, 0.24), (0.5, 0.2), (0.64, 0.24), (0.5, 0.31)]
    left = ((0.34, 0.36), (0.36 + tail, 0.4), (0.34 + tail, bottom), (0.32, bottom))
    right = ((0.5, 0.4), (0.64, 0.34), (0.58 + tail, bottom - 0.12), (0.56, bottom - 0.12))
    fringe = [
        Part(((0.33 + step * tail / 4, bottom), (0.33 + step * tail / 4, bottom + 0.06)), "line")
        for step in range(5)
    ]
    return [
        Part(right), *fringe, Part(left), Part(soft(loop)), Part(soft(gap), "shade"),
    ]  # fmt: skip


ACCESSORIES: dict[str, Callable[[float, float], list[Part]]] = {
    "heels": _heels,
    "trainers": _trainers,
    "boots": _boots,
    "sandals": _sandals,
    "loafers": _loafers,
    "bag": _bag,
    "jewellery": _jewellery,
    "sunglasses": _sunglasses,
    "hat": _hat,
    "scarf": _scarf,
}
