"""The items table, and the ground truth of the items."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stylerec.data.arrow_types import arrow_schema
from stylerec.data.staging import IMAGES_FOLDER
from stylerec.data.synthetic.assortment import (
    COLOURS,
    DEPARTMENTS,
    OCCASIONS,
    PATTERNS,
    PRODUCT_TYPES,
    TYPE_NAMES,
)
from stylerec.data.synthetic.catalogue import NEVER_S, Catalogue
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.event_tables import item_ids, vectors
from stylerec.data.synthetic.randomness import FloatArray, IntArray, Stream, generator
from stylerec.data.synthetic.truth import World
from stylerec.data.synthetic.wording import (
    AESTHETICS,
    BRANDS,
    FITS,
    LENGTHS,
    NUM_ADJECTIVES,
    NUM_MATERIALS,
    NUM_NOUNS,
    ItemWords,
    describe,
)
from stylerec.schema import columns

_COLOUR_NAMES = tuple(COLOURS)


def cut(world: World, catalogue: Catalogue) -> tuple[FloatArray, FloatArray]:
    """Returns how wide and how long each item is cut, 0 to 1, `[V]` each, from its style."""

    def position(axis: FloatArray) -> FloatArray:
        spread = catalogue.style @ axis / np.float32(0.5)
        return np.asarray(np.clip(0.5 + spread, 0.0, 1.0), dtype=np.float32)

    return position(world.fit_axis), position(world.length_axis)


def image_paths(catalogue: Catalogue) -> list[str]:
    """Returns where each item's picture lies, relative to the folder of the tables."""
    return [f"{IMAGES_FOLDER}/{item}.png" for item in item_ids(catalogue.item_number).to_pylist()]


def items_table(world: World, catalogue: Catalogue, config: SyntheticConfig) -> pa.Table:
    """Returns the items in order of their ids, which is the order of their launches."""
    order = np.argsort(catalogue.item_number)
    texts = _texts(world, catalogue, config)
    kinds = [PRODUCT_TYPES[number] for number in catalogue.product_type]
    end_price = _sale_price(catalogue)
    paths = image_paths(catalogue) if config.has_pictures else [None] * catalogue.num_items
    table = pa.table(
        {
            columns.ITEM_ID: item_ids(catalogue.item_number),
            columns.TITLE: [title for title, _, _ in texts],
            columns.DESCRIPTION: [description for _, description, _ in texts],
            columns.BRAND: _named(BRANDS, catalogue.brand),
            columns.CATEGORY: [kind.category for kind in kinds],
            columns.PRODUCT_TYPE: [kind.name for kind in kinds],
            columns.DEPARTMENT: _named(DEPARTMENTS, catalogue.department),
            columns.COLOUR: _named(_COLOUR_NAMES, catalogue.colour),
            columns.PRICE: catalogue.price,
            columns.SALE_PRICE: end_price,
            columns.IN_STOCK: catalogue.sold_out_s == NEVER_S,
            columns.FIRST_SEEN: pa.array(catalogue.launch_s * 1_000_000).cast(
                pa.timestamp("us", tz="UTC")
            ),
            columns.IMAGE_PATH: paths,
            columns.MARKETS: [
                [name for name, is_sold in zip(config.markets, row, strict=True) if is_sold]
                for row in catalogue.is_sold_in
            ],
            columns.ATTRIBUTES: [attributes for _, _, attributes in texts],
        },
        schema=arrow_schema(columns.ITEMS),
    )
    return table.take(pa.array(order))


def _named(names: tuple[str, ...], numbers: IntArray) -> pa.Array:
    return pa.array(names).take(pa.array(numbers))


def _sale_price(catalogue: Catalogue) -> pa.Array:
    """Returns the reduced price of items on sale at the end of the period, null for the others."""
    return pa.array(catalogue.sale_price, mask=catalogue.sale_from_s == NEVER_S)


def _texts(
    world: World, catalogue: Catalogue, config: SyntheticConfig
) -> list[tuple[str, str, list[str]]]:
    rng = generator(config.seed, Stream.CATALOGUE, 1)
    size = catalogue.num_items
    noun, material, adjective = (
        rng.integers(0, count, size) for count in (NUM_NOUNS, NUM_MATERIALS, NUM_ADJECTIVES)
    )
    fit, length = (_third(part) for part in cut(world, catalogue))
    return [
        describe(
            ItemWords(
                product_type=TYPE_NAMES[catalogue.product_type[row]],
                department=DEPARTMENTS[catalogue.department[row]],
                brand=BRANDS[catalogue.brand[row]],
                colour=_COLOUR_NAMES[catalogue.colour[row]],
                pattern=PATTERNS[catalogue.pattern[row]],
                aesthetic=int(catalogue.aesthetic[row]),
                occasion=OCCASIONS[catalogue.occasion[row]],
                fit=FITS[fit[row]],
                length=LENGTHS[length[row]],
                noun=int(noun[row]),
                material=int(material[row]),
                adjective=int(adjective[row]),
            )
        )
        for row in range(size)
    ]


def _third(position: FloatArray) -> NDArray[np.int64]:
    return np.minimum((position * 3).astype(np.int64), 2)


def items_truth_table(catalogue: Catalogue) -> pa.Table:
    """Returns the latent side of every item, rows as in `items_table`."""
    order = np.argsort(catalogue.item_number)
    table = pa.table(
        {
            columns.ITEM_ID: item_ids(catalogue.item_number),
            "style": vectors(catalogue.style),
            "aesthetic": _named(tuple(look.name for look in AESTHETICS), catalogue.aesthetic),
            "pattern": _named(PATTERNS, catalogue.pattern),
            "occasion": _named(OCCASIONS, catalogue.occasion),
            "appeal": catalogue.appeal,
        }
    )
    return table.take(pa.array(order))
