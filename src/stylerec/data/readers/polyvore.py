"""Polyvore outfits as text: the Polyvore-T test and validation sets, and training outfits.

Source: a folder with

- `mcn_test_no_dup_with_category_3more_name.json` and `mcn_valid_...` (Wang et al., "Outfit
  Compatibility Prediction and Diagnosis with Multi-Layered Comparison Network", MM 2019): set id to
  slot (`upper`, `bottom`, `shoe`, `bag`, `accessory`) to `index` and `name`;
- `train_no_dup_new_100.json` (Cui et al., "Dressing as a Whole", WWW 2019): a list of `set_id`,
  `items_index` and `items_category`, whose sets are in neither of the above;
- `merged_items.jsonl`: `id` (`<set>_<index>`), `name` or null and `category_id`;
- `category_id.txt`: a category number and its name per line;
- `polyvore_v1_text_6793.parquet`: `set_id`, `clothingItemIndex` and `clothingItemPrice`, of which
  training items' are read: a held-out item has a name and a category only.

An item belongs to one set, so ids never repeat between outfits. Product type is the slot, category
the name of the category number. A training item's slot is the one that validation puts its category
into most often; items of categories that validation does not know are left out, and so are training
sets that keep fewer than two items. The outfit id starts with its side: `train/`, `validation/` or
`test/`. There is no interaction or picture here, and no hero: the first item stands for one.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stylerec.data.readers.sources import ReadResult, nothing_read
from stylerec.data.table_writer import TableWriter
from stylerec.errors import DataError
from stylerec.schema.columns import (
    CATEGORY,
    IS_HERO,
    ITEM_ID,
    ITEMS,
    OUTFIT_ID,
    OUTFITS,
    PRICE,
    PRODUCT_TYPE,
    TITLE,
)

TRAIN, VALIDATION, TEST = "train", "validation", "test"
_SLOTTED = {
    VALIDATION: "mcn_valid_no_dup_with_category_3more_name.json",
    TEST: "mcn_test_no_dup_with_category_3more_name.json",
}
_TRAIN = "train_no_dup_new_100.json"
_ITEMS, _CATEGORIES = "merged_items.jsonl", "category_id.txt"
_PRICES = "polyvore_v1_text_6793.parquet"
_PRICE_COLUMNS = ["set_id", "clothingItemIndex", "clothingItemPrice"]
_MIN_ITEMS = 2


@dataclass(frozen=True)
class _Piece:
    """An item of an outfit: side and set, item id, name, category number and slot."""

    outfit_id: str
    item_id: str
    name: str | None
    category_id: int | None
    slot: str


def read(source: Path, output: Path) -> ReadResult:
    """Writes `items` and `outfits`.

    Args:
        source: The folder.
        output: Existing folder for the tables.

    Raises:
        DataError: A file is missing, unreadable or of another layout, or holds no outfit.
    """
    described = _described(source / _ITEMS)
    category_names = _category_names(source / _CATEGORIES)
    held_out = [
        piece
        for side, name in _SLOTTED.items()
        for piece in _slotted(source / name, side, described)
    ]
    if not held_out:
        raise nothing_read(source / _SLOTTED[TEST], layout="set id to slots")
    skipped: Counter[str] = Counter()
    slot_of = _usual_slots(held_out)
    train = list(_training(source / _TRAIN, described, slot_of, skipped))
    price_of = _prices(source / _PRICES)
    pieces = [*train, *held_out]
    items = pd.DataFrame(
        {
            ITEM_ID: [piece.item_id for piece in pieces],
            TITLE: [piece.name or None for piece in pieces],
            CATEGORY: [category_names.get(piece.category_id or -1) for piece in pieces],
            PRODUCT_TYPE: [piece.slot for piece in pieces],
            PRICE: [
                price_of.get(piece.item_id) if piece.outfit_id.startswith(TRAIN) else None
                for piece in pieces
            ],
        }
    ).drop_duplicates(ITEM_ID)
    outfit_ids = pd.Series([piece.outfit_id for piece in pieces])
    outfits = pd.DataFrame(
        {
            OUTFIT_ID: outfit_ids,
            ITEM_ID: [piece.item_id for piece in pieces],
            IS_HERO: ~outfit_ids.duplicated(),
        }
    )
    for table, rows in ((ITEMS, items), (OUTFITS, outfits)):
        with TableWriter(output / f"{table.name}.parquet", table, rows.columns) as writer:
            writer.write(rows)
    num_named, num_priced = (int(items[name].notna().sum()) for name in (TITLE, PRICE))
    note = f"{num_named:,} of {len(items):,} items have a name, {num_priced:,} a price"
    return ReadResult(skipped=dict(skipped), notes=(note,))


def _slotted(path: Path, side: str, described: Mapping[str, dict[str, Any]]) -> Iterator[_Piece]:
    try:
        for set_id, slots in _json(path).items():
            for slot, item in slots.items():
                item_id = f"{set_id}_{item['index']}"
                category_id = described.get(item_id, {}).get("category_id")
                yield _Piece(f"{side}/{set_id}", item_id, item["name"], category_id, slot)
    except (AttributeError, KeyError, TypeError) as error:
        raise _other_layout(path, "set id to slot to index and name", error) from error


def _training(
    path: Path,
    described: Mapping[str, dict[str, Any]],
    slot_of: Mapping[int, str],
    skipped: Counter[str],
) -> Iterator[_Piece]:
    try:
        for outfit in _json(path):
            set_id = outfit["set_id"]
            pieces = []
            for index, category_id in zip(
                outfit["items_index"], outfit["items_category"], strict=True
            ):
                if category_id not in slot_of:
                    skipped["training item of a category without a slot"] += 1
                    continue
                item_id = f"{set_id}_{index}"
                name = described.get(item_id, {}).get("name")
                slot = slot_of[category_id]
                pieces.append(_Piece(f"{TRAIN}/{set_id}", item_id, name, category_id, slot))
            if len(pieces) < _MIN_ITEMS:
                skipped["training set with fewer than two such items"] += 1
                continue
            yield from pieces
    except (KeyError, TypeError, ValueError) as error:
        raise _other_layout(path, "set_id, items_index, items_category", error) from error


def _usual_slots(pieces: list[_Piece]) -> dict[int, str]:
    """Returns the slot that each category is most often in, over validation alone."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for piece in pieces:
        if piece.outfit_id.startswith(VALIDATION) and piece.category_id is not None:
            counts[piece.category_id][piece.slot] += 1
    return {
        category: min(slots, key=lambda slot: (-slots[slot], slot))
        for category, slots in counts.items()
    }


def _described(path: Path) -> dict[str, dict[str, Any]]:
    described: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        try:
            record = json.loads(line)
            described[record["id"]] = record
        except (ValueError, KeyError, TypeError) as error:
            raise _other_layout(f"{path}, line {number}", "id, name, category_id", error) from error
    return described


def _category_names(path: Path) -> dict[int, str]:
    rows = (line.split(maxsplit=1) for line in _text(path).splitlines() if line.strip())
    try:
        return {int(number): name for number, name in rows}
    except ValueError as error:
        raise _other_layout(path, "a number and a name per line", error) from error


def _prices(path: Path) -> dict[str, float]:
    """Returns item id to price, of items that have one above 0."""
    try:
        table = pd.read_parquet(path, columns=_PRICE_COLUMNS)
        ids = table["set_id"].astype(str) + "_" + table["clothingItemIndex"].astype(int).astype(str)
        prices = pd.Series(table["clothingItemPrice"].astype(float).to_numpy(), index=ids)
    except (OSError, ValueError, KeyError) as error:
        raise _other_layout(path, ", ".join(_PRICE_COLUMNS), error) from error
    return {str(item_id): price for item_id, price in prices[prices > 0].items()}


def _json(path: Path) -> Any:  # noqa: ANN401
    try:
        return json.loads(_text(path))
    except ValueError as error:
        raise _other_layout(path, "one JSON value", error) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            str(path),
            expected="readable UTF-8 text",
            got=getattr(error, "strerror", None) or "bytes that are not UTF-8",
            fix="check the folder and the format's name",
        ) from error


def _other_layout(where: Path | str, layout: str, error: Exception) -> DataError:
    return DataError(
        str(where),
        expected=layout,
        got=f"{type(error).__name__}: {error}",
        fix="check the folder and the format's name",
    )
