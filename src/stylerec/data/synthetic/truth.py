"""The latent ground truth: styles, what makes a customer want an item, what goes with what.

Models never read it; evaluations may, to compare what was learnt with what is so. D style
dimensions, A aesthetics, M missions, O occasions; a department is 0 womenswear or 1 menswear.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from stylerec.data.synthetic.assortment import (
    COLOURS,
    DEPARTMENTS,
    METALS,
    MISSIONS,
    OCCASIONS,
    PATTERNS,
)
from stylerec.data.synthetic.randomness import (
    BoolArray,
    Float64Array,
    FloatArray,
    IntArray,
    Stream,
    generator,
    unit,
)
from stylerec.data.synthetic.wording import AESTHETIC_INDEX, AESTHETICS, BRANDS

STYLE_DIM = 16

WEIGHT_STYLE = 7.0
"""Share of the customer's own, slowly drifting style in what they want."""
WEIGHT_MISSION = 1.0
"""Share of the session's mission, which switches abruptly; it decides the product type too."""
WEIGHT_LAST = 2.0
"""Share of the item looked at last: people compare like with like."""
WEIGHT_OCCASION = 1.0
WEIGHT_FOCUS = 2.5
"""For the product type the customer is after right now."""
WEIGHT_APPEAL = 0.35
WEIGHT_PRICE = 0.6
WEIGHT_SALE = 0.8
OUTFIT_STYLE_WEIGHT = 6.0
OUTFIT_COLOUR_WEIGHT = 2.0
OUTFIT_OCCASION_WEIGHT = 1.2

CONSTANTS = {
    "weight_style": WEIGHT_STYLE,
    "weight_mission": WEIGHT_MISSION,
    "weight_last": WEIGHT_LAST,
    "weight_occasion": WEIGHT_OCCASION,
    "weight_focus": WEIGHT_FOCUS,
    "weight_appeal": WEIGHT_APPEAL,
    "weight_price": WEIGHT_PRICE,
    "weight_sale": WEIGHT_SALE,
    "outfit_style_weight": OUTFIT_STYLE_WEIGHT,
    "outfit_colour_weight": OUTFIT_COLOUR_WEIGHT,
    "outfit_occasion_weight": OUTFIT_OCCASION_WEIGHT,
}
"""What an evaluation needs besides `World`, as written beside it."""


@dataclass(frozen=True)
class World:
    """Style vectors of everything that gives an item its style, and the rules of compatibility.

    Attributes:
        aesthetic: float32 `[A, D]`, orthonormal up to the grid.
        brand: float32 `[num_brands, D]`.
        brand_look: int64 `[num_brands, 2]`, main and second aesthetic of a brand.
        brand_price: float64 `[num_brands]`, factor on the type's median price.
        brand_departments: bool `[num_brands, 2]`.
        colour: float32 `[num_colours, D]`.
        pattern: float32 `[num_patterns, D]`.
        department: float32 `[2, D]`.
        mission: float32 `[M, D]`.
        occasion: float32 `[O, D]`.
        fit_axis: float32 `[D]`; a style's product with it makes the cut slim or relaxed.
        length_axis: float32 `[D]`; the same for short or long.
        compatibility_weight: float32 `[D]`, see `pair_compatibility`.
        colour_harmony: float32 `[num_colours, num_colours]`, symmetric.
    """

    aesthetic: FloatArray
    brand: FloatArray
    brand_look: IntArray
    brand_price: Float64Array
    brand_departments: BoolArray
    colour: FloatArray
    pattern: FloatArray
    department: FloatArray
    mission: FloatArray
    occasion: FloatArray
    fit_axis: FloatArray
    length_axis: FloatArray
    compatibility_weight: FloatArray
    colour_harmony: FloatArray

    def save(self, path: Path) -> None:
        """Writes every array as safetensors."""
        arrays = {item.name: getattr(self, item.name) for item in fields(self)}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)

    @classmethod
    def load(cls, path: Path) -> "World":
        """Reads what `save` wrote."""
        return cls(**load_file(path))


def draw_world(seed: int) -> World:
    """Returns the ground truth of a seed; it does not depend on the retailer's size."""
    rng = generator(seed, Stream.WORLD)

    def noise(rows: int) -> Float64Array:
        return np.asarray(rng.normal(0.0, STYLE_DIM**-0.5, (rows, STYLE_DIM)), dtype=np.float64)

    basis, _ = np.linalg.qr(rng.normal(size=(STYLE_DIM, STYLE_DIM)))
    aesthetic = unit(basis[: len(AESTHETICS)])
    brand_look = _brand_looks(rng)
    mission = unit(
        np.stack([_blend(aesthetic, mission.aesthetics) for mission in MISSIONS])
        + 0.5 * noise(len(MISSIONS))
    )
    colour = unit(_favoured(aesthetic, tuple(COLOURS), "colours") + 0.6 * noise(len(COLOURS)))
    departments = rng.random((len(BRANDS), len(DEPARTMENTS))) < (0.8, 0.65)
    departments[~departments.any(axis=1)] = True
    return World(
        aesthetic=aesthetic,
        brand=unit(
            aesthetic[brand_look[:, 0]]
            + 0.5 * aesthetic[brand_look[:, 1]]
            + 0.8 * noise(len(BRANDS))
        ),
        brand_look=brand_look,
        brand_price=np.exp(np.asarray(rng.normal(0.0, 0.35, len(BRANDS)), dtype=np.float64)),
        brand_departments=departments,
        colour=colour,
        pattern=unit(_favoured(aesthetic, PATTERNS, "patterns") + 0.6 * noise(len(PATTERNS))),
        department=unit(noise(len(DEPARTMENTS))),
        mission=mission,
        occasion=_occasions(mission),
        fit_axis=unit(noise(1))[0],
        length_axis=unit(noise(1))[0],
        compatibility_weight=rng.uniform(0.6, 1.4, STYLE_DIM).astype(np.float32),
        colour_harmony=_colour_harmony(colour),
    )


def _brand_looks(rng: np.random.Generator) -> IntArray:
    """Returns each brand's main and second aesthetic; main ones are shared out evenly."""
    main = np.arange(len(BRANDS)) % len(AESTHETICS)
    second = (main + rng.integers(1, len(AESTHETICS), len(BRANDS))) % len(AESTHETICS)
    return np.stack([main, second], axis=1)


def _blend(aesthetic: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Returns the sum of the named aesthetics, each later one counting half of the one before."""
    rows = [aesthetic[AESTHETIC_INDEX[name]] for name in names]
    return np.asarray(sum(row * 0.5**place for place, row in enumerate(rows)), dtype=np.float32)


def _favoured(aesthetic: FloatArray, values: tuple[str, ...], kind: str) -> FloatArray:
    """Returns, per colour or pattern, the sum of the aesthetics that favour it."""
    vectors = np.zeros((len(values), STYLE_DIM), dtype=np.float32)
    for look, vector in zip(AESTHETICS, aesthetic, strict=True):
        for place, value in enumerate(getattr(look, kind)):
            vectors[values.index(value)] += vector * np.float32(0.7**place)
    return vectors


def _occasions(mission: FloatArray) -> FloatArray:
    """Returns the mean style of the missions that share an occasion, `[O, D]`."""
    return unit(
        np.stack(
            [
                mission[[m.occasion == occasion for m in MISSIONS]].mean(axis=0)
                for occasion in OCCASIONS
            ]
        )
    )


def _colour_harmony(colour: FloatArray) -> FloatArray:
    """Returns how well two colours sit together: neutrals with all, the rest with their kin."""
    neutrals = {"black", "white", "grey", "navy", "cream", "camel", *METALS}
    names = tuple(COLOURS)
    is_neutral = np.array([name in neutrals for name in names])
    kin = colour @ colour.T
    harmony = np.where(is_neutral[:, None] | is_neutral[None, :], 0.3, kin - 0.2)
    metals = [names.index(metal) for metal in METALS]
    harmony[np.ix_(metals, metals)] = -0.4
    harmony[metals, metals] = 0.4
    return harmony.astype(np.float32)


def pair_compatibility(
    world: World,
    *,
    styles: tuple[FloatArray, FloatArray],
    colours: tuple[NDArray[np.integer], NDArray[np.integer]],
    occasions: tuple[NDArray[np.integer], NDArray[np.integer]],
) -> FloatArray:
    """Returns how well two items go together: 6 style + 2 colour + 1.2 occasion.

    Style is the product of the two style vectors with `compatibility_weight` per dimension,
    colour the entry of `colour_harmony`, occasion 1 where both items are made for the same one.
    Each argument is the pair of both sides' values and broadcasts: styles `[..., D]`, the rest
    `[...]`. A stylist picks an item with probability proportional to exp(sum over the outfit).
    """
    style = (styles[0] * world.compatibility_weight * styles[1]).sum(axis=-1)
    colour = world.colour_harmony[colours[0], colours[1]]
    occasion = (occasions[0] == occasions[1]).astype(np.float32)
    total = (
        OUTFIT_STYLE_WEIGHT * style
        + OUTFIT_COLOUR_WEIGHT * colour
        + OUTFIT_OCCASION_WEIGHT * occasion
    )
    return np.asarray(total, dtype=np.float32)
