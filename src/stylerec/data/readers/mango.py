"""MANGO x UPC Datathon 2023 (Fashion Compatibility Challenge): stylists' outfits with packshots.

Source: a folder with `product_data.csv` (`cod_modelo_color` and the columns of `_PRODUCT_COLUMNS`),
`outfit_data.csv` (`cod_outfit, cod_modelo_color`, one row per item of an outfit), and the pictures
by file name in `img128/` or another folder that `des_filename` names. There is no interaction: the
tables are items and outfits, repeated outfits included.

- Product type is the garment's own (`des_product_type`, 123 values), category its family (39): the
  aggregated family would put bags, shoes and jewellery into one category.
- Title is colour and product type, the only words there are. Everything else is an attribute
  `name:value`; `era` is the start of the picture's file name, the catalogue's year. Outfits never
  mix eras, so negatives have to come from the same one.
- Hero is the outfit's first item, in file order, that is neither accessory, swimwear, underwear,
  beauty nor home; the first item where all are. The file lists an accessory first in most outfits,
  but shops sell an outfit on the page of its garments.
"""

from pathlib import Path, PurePosixPath

import pandas as pd

from stylerec.data.csv_files import CsvFile
from stylerec.data.readers.sources import (
    MALFORMED_ROW,
    ReadResult,
    copy_pictures,
    nothing_read,
)
from stylerec.data.staging import IMAGES_FOLDER
from stylerec.data.table_writer import TableWriter
from stylerec.errors import DataError
from stylerec.schema.columns import (
    ATTRIBUTES,
    CATEGORY,
    COLOUR,
    DEPARTMENT,
    IMAGE_PATH,
    IS_HERO,
    ITEM_ID,
    ITEMS,
    OUTFIT_ID,
    OUTFITS,
    PRODUCT_TYPE,
    TITLE,
)

_PICTURES = "img128"
_PRODUCT, _OUTFIT, _FILE = "cod_modelo_color", "cod_outfit", "des_filename"
_COLOUR, _SEX, _AGE = "des_agrup_color_eng", "des_sex", "des_age"
_TYPE, _FAMILY, _GROUP = "des_product_type", "des_product_family", "des_product_category"
_ERA_CHARACTERS = 4

_ATTRIBUTES = {
    "fabric": "des_fabric",
    "shade": "des_color_specification_esp",
    "line": "des_line",
    "sex": _SEX,
    "age": _AGE,
    "group": _GROUP,
    "family_group": "des_product_aggregated_family",
}
_PRODUCT_COLUMNS = (_PRODUCT, _FILE, _COLOUR, _TYPE, _FAMILY, *_ATTRIBUTES.values())
_DEPARTMENTS = {"Female": "Women", "Male": "Men", "Unisex": "Unisex"}
_NEVER_HERO = {"Accesories, Swim and Intimate", "Beauty", "Home"}


def read(source: Path, output: Path) -> ReadResult:
    """Writes `items`, `outfits` and the pictures.

    Args:
        source: The datathon's folder.
        output: Existing folder for the tables.

    Raises:
        DataError: A file is missing, unreadable, lacks a column, or holds no row.
    """
    skipped: dict[str, int] = {}
    products = _rows(source / "product_data.csv", _PRODUCT_COLUMNS, skipped)
    links = _rows(source / "outfit_data.csv", (_OUTFIT, _PRODUCT), skipped)
    items, num_missing = _items(products, source, output)
    with TableWriter(output / f"{ITEMS.name}.parquet", ITEMS, items.columns) as writer:
        writer.write(items)
    outfits = _outfits(links, products)
    with TableWriter(output / f"{OUTFITS.name}.parquet", OUTFITS, outfits.columns) as writer:
        writer.write(outfits)
    notes = (f"{num_missing:,} products have no picture",) if num_missing else ()
    return ReadResult(skipped=skipped, notes=notes)


def _rows(path: Path, columns: tuple[str, ...], skipped: dict[str, int]) -> pd.DataFrame:
    file = CsvFile(path)
    missing = [name for name in columns if name not in file.columns]
    if missing:
        raise DataError(
            f"{path}, column {missing[0]}",
            expected=f"the columns {', '.join(columns)}",
            got=f"no {', '.join(missing)}",
            fix="check the file and the format's name",
        )
    parts = [cells.select(list(columns)).to_pandas() for cells in file.batches()]
    if not sum(map(len, parts)):
        raise nothing_read(path, layout=", ".join(columns))
    if file.malformed_rows:
        skipped[f"{path.name}: {MALFORMED_ROW}"] = len(file.malformed_rows)
    rows: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return rows


def _items(products: pd.DataFrame, source: Path, output: Path) -> tuple[pd.DataFrame, int]:
    """Returns the items, their pictures copied, and how many pictures are missing."""
    names = [PurePosixPath(name).name for name in products[_FILE].fillna("")]
    has_picture = [bool(name) and (source / _PICTURES / name).is_file() for name in names]
    copy_pictures(
        source / _PICTURES,
        output,
        (
            (name, f"{IMAGES_FOLDER}/{name}")
            for name, is_there in zip(names, has_picture, strict=True)
            if is_there
        ),
    )
    colour = products[_COLOUR].str.capitalize()
    attributes = pd.DataFrame(
        {name: name + ":" + products[column] for name, column in _ATTRIBUTES.items()}
    )
    attributes["era"] = [f"era:{name[:_ERA_CHARACTERS]}" if name else None for name in names]
    items = pd.DataFrame(
        {
            ITEM_ID: products[_PRODUCT],
            TITLE: colour + " " + products[_TYPE].str.lower(),
            CATEGORY: products[_FAMILY],
            PRODUCT_TYPE: products[_TYPE],
            DEPARTMENT: products[_SEX].map(_DEPARTMENTS).where(products[_AGE] != "Kids", "Kids"),
            COLOUR: colour,
            ATTRIBUTES: [
                [text for text in row if isinstance(text, str)]
                for row in attributes.itertuples(index=False)
            ],
        }
    )
    if any(has_picture):
        items[IMAGE_PATH] = [
            f"{IMAGES_FOLDER}/{name}" if is_there else None
            for name, is_there in zip(names, has_picture, strict=True)
        ]
    return items, len(has_picture) - sum(has_picture)


def _outfits(links: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    group = links[_PRODUCT].map(products.drop_duplicates(_PRODUCT).set_index(_PRODUCT)[_GROUP])
    # Within an outfit garments sort before the rest, each in file order; the first is the hero.
    hero_rows = (
        links.assign(is_no_garment=group.isna() | group.isin(_NEVER_HERO))
        .sort_values("is_no_garment", kind="stable")
        .drop_duplicates(_OUTFIT)
        .index
    )
    return pd.DataFrame(
        {
            OUTFIT_ID: links[_OUTFIT],
            ITEM_ID: links[_PRODUCT],
            IS_HERO: links.index.isin(hero_rows),
        }
    )
