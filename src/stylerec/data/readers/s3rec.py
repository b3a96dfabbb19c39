"""The S3-Rec sequence format (Zhou et al., CIKM 2020), as its Amazon and Yelp files have it.

Source: a folder with `<Name>.txt`, one line per customer, `customer item item ...` in time order,
and optionally `items.jsonl`, one object per item with `item_id` and any of `title`, `description`,
`brand`, `price` and `categories` (a path from the coarsest level down). The format has neither
times nor event types: those columns are left out, and within a customer the order of the rows is
the time order.

Of a path such as Skin Care > Face > Treatments & Masks > Masks the first level becomes the
department and the first two the product type. The category is the deepest level that still holds
at least 10 items, so that "the same category" offers a choice. Category and product type are
written as paths, because names such as Lotions occur under several parents.
"""

import html
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stylerec.data.readers.sources import ReadResult, find_file, nothing_read
from stylerec.data.table_writer import TableWriter
from stylerec.errors import DataError
from stylerec.schema.columns import (
    BRAND,
    CATEGORY,
    CUSTOMER_ID,
    DEPARTMENT,
    DESCRIPTION,
    INTERACTIONS,
    ITEM_ID,
    ITEMS,
    PRICE,
    PRODUCT_TYPE,
    TITLE,
)

MIN_CATEGORY_ITEMS = 10
PATH_SEPARATOR = " > "

_LAYOUT = "customer item item ..."
_ITEMS_FILE = "items.jsonl"
_PATH = "categories"
_PART_ROWS = 200_000
_MISSING_WORDS = {"", "unknown", "none", "nan", "n/a"}


def read(source: Path, output: Path) -> ReadResult:
    """Writes `interactions` and `items` from the sequences and the optional item file.

    Args:
        source: The sequence file, or the folder that holds it.
        output: Existing folder for the tables.

    Raises:
        DataError: A file is missing or unreadable, or holds no row of this layout.
    """
    path = find_file(source, "*.txt", preferred=f"{source.name}.txt")
    skipped: Counter[str] = Counter()
    item_ids: dict[str, None] = {}
    columns = (CUSTOMER_ID, ITEM_ID)
    with TableWriter(output / f"{INTERACTIONS.name}.parquet", INTERACTIONS, columns) as writer:
        for customers, items in _parts(path, skipped):
            writer.write({CUSTOMER_ID: customers, ITEM_ID: items})
            item_ids.update(dict.fromkeys(items))
    if not item_ids:
        raise nothing_read(path, layout=_LAYOUT)
    items_path = path.parent / _ITEMS_FILE
    has_descriptions = items_path.exists()
    described = _described_items(items_path) if has_descriptions else {}
    undescribed = [item_id for item_id in item_ids if item_id not in described]
    described.update({item_id: {} for item_id in undescribed})
    _write_items(output / f"{ITEMS.name}.parquet", described)
    notes = (f"{len(undescribed):,} items are not described by {_ITEMS_FILE}",)
    return ReadResult(
        skipped=dict(skipped), notes=notes if has_descriptions and undescribed else ()
    )


def _parts(path: Path, skipped: Counter[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Yields the customer and the item of each interaction, in file order."""
    customers: list[str] = []
    items: list[str] = []
    known: set[str] = set()
    for number, line in enumerate(_lines(path), start=1):
        customer, *sequence = line.split() or [""]
        if customer in known:
            raise DataError(
                f"{path}, line {number}",
                expected="one line per customer",
                got="a customer of an earlier line",
                fix="join the customer's lines in time order",
            )
        if not sequence:
            skipped["line without an item"] += 1
            continue
        known.add(customer)
        customers += [customer] * len(sequence)
        items += sequence
        if len(items) >= _PART_ROWS:
            yield customers, items
            customers, items = [], []
    yield customers, items


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            str(path),
            expected="readable UTF-8 text",
            got=getattr(error, "strerror", None) or "bytes that are not UTF-8",
            fix="check the file and the format's name",
        ) from error


def _described_items(path: Path) -> dict[str, dict[str, Any]]:
    described = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            described[str(record[ITEM_ID])] = {
                TITLE: _text(record.get(TITLE)),
                DESCRIPTION: _text(record.get(DESCRIPTION)),
                BRAND: _text(record.get(BRAND)),
                PRICE: None if record.get(PRICE) is None else float(record[PRICE]),
                _PATH: tuple(filter(None, map(_text, record.get(_PATH) or ()))),
            }
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(
                f"{path}, line {number}",
                expected=f"a JSON object with {ITEM_ID}, texts, a {PRICE} and a list {_PATH}",
                got=f"{type(error).__name__}: {error}",
                fix="correct the line, or remove the file to import without descriptions",
            ) from error
    return described


def _text(value: object) -> str | None:
    """Returns a scraped text without HTML entities, or None for what stands for no value."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    # Some titles were escaped twice: &amp;#39; is an apostrophe.
    text = html.unescape(html.unescape(value)).strip()
    return None if text.lower() in _MISSING_WORDS else text


def _write_items(path: Path, described: dict[str, dict[str, Any]]) -> None:
    paths = [item.get(_PATH, ()) for item in described.values()]
    num_items = Counter(levels[:depth] for levels in paths for depth in range(1, len(levels) + 1))
    columns: dict[str, list[Any]] = {
        name: [item.get(name) for item in described.values()]
        for name in (TITLE, DESCRIPTION, BRAND, PRICE)
    }
    columns[CATEGORY] = [_joined(_deepest_full(levels, num_items)) for levels in paths]
    columns[PRODUCT_TYPE] = [_joined(levels[:2]) for levels in paths]
    columns[DEPARTMENT] = [_joined(levels[:1]) for levels in paths]
    filled = {
        name: values for name, values in columns.items() if any(v is not None for v in values)
    }
    with TableWriter(path, ITEMS, (ITEM_ID, *filled)) as writer:
        writer.write({ITEM_ID: list(described), **filled})


def _deepest_full(levels: tuple[str, ...], num_items: Counter[tuple[str, ...]]) -> tuple[str, ...]:
    for depth in range(len(levels), 1, -1):
        if num_items[levels[:depth]] >= MIN_CATEGORY_ITEMS:
            return levels[:depth]
    return levels[:1]


def _joined(levels: Sequence[str]) -> str | None:
    return PATH_SEPARATOR.join(levels) or None
