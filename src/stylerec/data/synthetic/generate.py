"""Generates the synthetic retailer: canonical tables, pictures, and their ground truth."""

import json
import math
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from stylerec.data.arrow_types import arrow_schema
from stylerec.data.staging import TRUTH_FOLDER, replaced_folder
from stylerec.data.synthetic.affinity import Shop
from stylerec.data.synthetic.calibration import calibrated
from stylerec.data.synthetic.catalogue import Catalogue, draw_catalogue
from stylerec.data.synthetic.config import SyntheticConfig
from stylerec.data.synthetic.customers import draw_customers
from stylerec.data.synthetic.event_tables import (
    customers_table,
    examination_table,
    impressions_table,
    interactions_table,
    sessions_table,
)
from stylerec.data.synthetic.item_table import items_table, items_truth_table
from stylerec.data.synthetic.outfits import draw_outfits, outfits_table
from stylerec.data.synthetic.pictures import draw_pictures
from stylerec.data.synthetic.row_groups import RowGroupWriter, write_table
from stylerec.data.synthetic.shopping import shop_block
from stylerec.data.synthetic.truth import CONSTANTS, World, draw_world
from stylerec.schema.columns import IMPRESSIONS, INTERACTIONS, ITEMS, OUTFITS

CUSTOMERS_PER_BLOCK = 2_048
_MAX_CUSTOMER_LINES = 20
"""Lines of progress, however many blocks there are."""


class SyntheticReport(BaseModel):
    """What was generated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    num_customers: int
    num_items: int
    num_interactions: int
    num_impressions: int
    num_outfits: int
    num_pictures: int
    duration_s: float


def generate(
    folder: Path,
    config: SyntheticConfig | None = None,
    *,
    progress: Callable[[str], None] | None = None,
    customers_per_block: int = CUSTOMERS_PER_BLOCK,
) -> SyntheticReport:
    """Writes a synthetic retailer and returns its sizes; the same config gives the same bytes.

    `folder` gets `items`, `interactions`, `outfits` and `impressions` as parquet, the pictures in
    `images/`, and `truth/`, which no model reads: `world.safetensors`, `items.parquet`,
    `customers.parquet`, `sessions.parquet`, `examination.parquet` and `truth.json`.

    Args:
        folder: Replaced as a whole once everything is written.
        config: What to generate; None for the default retailer.
        progress: Takes one line per step.
        customers_per_block: Customers computed at once. Decides the memory, never the bytes.

    Raises:
        DataError: `folder` holds something other than tables, or cannot be written.
    """
    config = config or SyntheticConfig()
    start = perf_counter()
    with replaced_folder(folder) as staged:
        counts = _write(staged, config, progress or _say_nothing, customers_per_block)
    return SyntheticReport(
        folder=folder,
        num_customers=config.num_customers,
        num_items=config.num_items,
        num_interactions=counts[INTERACTIONS.name],
        num_impressions=counts.get(IMPRESSIONS.name, 0),
        num_outfits=config.num_outfits,
        num_pictures=config.num_items if config.has_pictures else 0,
        duration_s=perf_counter() - start,
    )


def _write(
    folder: Path, config: SyntheticConfig, say: Callable[[str], None], customers_per_block: int
) -> dict[str, int]:
    """Writes everything into an empty folder; returns rows per table of events."""
    world = draw_world(config.seed)
    catalogue = draw_catalogue(world, config)
    shop = calibrated(Shop.open(world, catalogue, config), config)
    _write_items(folder, shop, config)
    say(f"synthetic: {config.num_items:,} items")
    counts = _write_customers(folder, shop, config, say, customers_per_block)
    if config.num_outfits:
        _write_outfits(folder, world, catalogue, config)
        say(f"synthetic: {config.num_outfits:,} outfits")
    if config.has_pictures:
        draw_pictures(folder, world, catalogue)
        say(f"synthetic: {config.num_items:,} pictures")
    return counts


def _say_nothing(line: str) -> None:
    """Takes a line of progress nobody asked for."""


def _write_items(folder: Path, shop: Shop, config: SyntheticConfig) -> None:
    """Writes the items and the part of the ground truth that needs no customer."""
    write_table(folder / f"{ITEMS.name}.parquet", items_table(shop.world, shop.catalogue, config))
    truth_folder = folder / TRUTH_FOLDER
    truth_folder.mkdir()
    shop.world.save(truth_folder / "world.safetensors")
    write_table(truth_folder / "items.parquet", items_truth_table(shop.catalogue))
    write_table(truth_folder / "examination.parquet", examination_table(config))
    constants = CONSTANTS | {"click_threshold": shop.click_threshold}
    document = {"config": config.model_dump(mode="json"), "constants": constants}
    (truth_folder / "truth.json").write_text(json.dumps(document, indent=2, sort_keys=True))


def _write_customers(
    folder: Path,
    shop: Shop,
    config: SyntheticConfig,
    say: Callable[[str], None],
    customers_per_block: int,
) -> dict[str, int]:
    """Streams customers into their tables, block after block; returns rows per table."""
    catalogue, total = shop.catalogue, config.num_customers
    blocks_per_line = math.ceil(total / customers_per_block / _MAX_CUSTOMER_LINES)
    writers: dict[str, RowGroupWriter] = {}
    with ExitStack() as stack:

        def append(name: str, table: pa.Table) -> None:
            if name not in writers:
                writer = RowGroupWriter(folder / f"{name}.parquet", table.schema)
                writers[name] = stack.enter_context(writer)
            writers[name].write(table)

        for first in range(0, total, customers_per_block):
            count = min(customers_per_block, total - first)
            profiles, requests = draw_customers(shop.world, config, first=first, count=count)
            pages = shop_block(shop, profiles, requests)
            block = (catalogue, config, profiles, requests, pages)
            append(INTERACTIONS.name, interactions_table(*block))
            if config.impressions_share > 0:
                append(IMPRESSIONS.name, impressions_table(*block))
            append(f"{TRUTH_FOLDER}/customers", customers_table(config, profiles))
            append(f"{TRUTH_FOLDER}/sessions", sessions_table(profiles, requests, pages))
            done = writers[INTERACTIONS.name].num_rows
            if first // customers_per_block % blocks_per_line == 0 or first + count == total:
                say(f"synthetic: {first + count:,} of {total:,} customers, {done:,} interactions")
    return {name: writer.num_rows for name, writer in writers.items()}


def _write_outfits(
    folder: Path, world: World, catalogue: Catalogue, config: SyntheticConfig
) -> None:
    path, first = folder / f"{OUTFITS.name}.parquet", 0
    with RowGroupWriter(path, arrow_schema(OUTFITS)) as writer:
        for block in draw_outfits(
            world, catalogue, seed=config.seed, num_outfits=config.num_outfits
        ):
            writer.write(outfits_table(catalogue, block, first=first))
            first += len(block)
