"""The `prepare` step: a folder of tables to a folder of prepared data."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stylerec.data.preparation.catalogue import (
    ITEM_INDEX,
    build_vocabulary,
    complete_items,
    item_markets,
    neighbour_arrays,
    popularity_array,
)
from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.content import content_embedding
from stylerec.data.preparation.engine import Engine, fetch, open_engine
from stylerec.data.preparation.interactions import (
    PreparedInteractions,
    no_interactions,
    prepare_interactions,
)
from stylerec.data.preparation.outfits import index_outfits, outfit_neighbours, outfit_popularity
from stylerec.data.preparation.output import replaced_output
from stylerec.data.preparation.pictures import decode_pictures
from stylerec.data.preparation.propensities import PreparedPropensities, prepare_propensities
from stylerec.data.preparation.queries import ROW
from stylerec.data.preparation.summary import summarise
from stylerec.data.prepared import DatasetSummary, PreparedData
from stylerec.data.splits import make_split
from stylerec.errors import DataError
from stylerec.features.content import build_item_features, column_values
from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.columns import (
    IMAGE_PATH,
    IMPRESSIONS,
    INTERACTIONS,
    IS_HERO,
    ITEM_ID,
    ITEMS,
    MARKET,
    OUTFIT_ID,
    OUTFITS,
)


@dataclass(frozen=True)
class _Run:
    tables: Path
    scratch: Path
    engine: Engine
    config: PrepareConfig
    progress: Callable[[str], None]


@dataclass(frozen=True)
class _Catalogue:
    items: pd.DataFrame
    vocabulary: Vocabulary
    images: NDArray[np.uint8] | None
    dropped: dict[str, int]


def prepare(
    tables: Path,
    output: Path,
    config: PrepareConfig,
    *,
    progress: Callable[[str], None] = print,
) -> DatasetSummary:
    """Prepares a folder of validated tables and returns what it holds and lacks.

    The same tables and configuration give the same bytes. The output is written aside and renamed,
    so a failure leaves what was there.

    Args:
        tables: Folder of canonical tables, parquet or CSV; without interactions it needs outfits.
        output: Folder to write; an earlier prepared folder there is replaced.
        config: Bounds and memory.
        progress: Takes one line per step.

    Raises:
        DataError: A table is missing, unreadable or has no usable row, or `output` holds
            something else than prepared data.
    """
    # The scratch folder is on the disk of the output, which must have room, and goes before it.
    with replaced_output(output) as result, TemporaryDirectory(dir=result) as folder:
        scratch = Path(folder)
        (scratch / "engine").mkdir()
        with open_engine(scratch / "engine", config) as engine:
            run = _Run(tables, scratch, engine, config, progress)
            summary = _prepare_into(PreparedData(result), run)
    progress(f"prepare: {summary.num_items:,} items, written to {output.name}")
    return summary


def _prepare_into(target: PreparedData, run: _Run) -> DatasetSummary:
    catalogue = _prepare_catalogue(run)
    outfits, dropped_outfits = _read_outfits(run, catalogue.vocabulary)
    interactions = _prepare_interactions(run, catalogue, outfits)
    known_markets = set(interactions.popularity[MARKET].dropna()) | item_markets(catalogue.items)
    markets = tuple(sorted(known_markets))
    run.progress("prepare: item features and content embedding")
    arrays = _catalogue_arrays(catalogue, interactions, markets, run.config)
    propensities = _prepare_propensities(run, catalogue, interactions, arrays["content_embedding"])
    summary = summarise(
        items=catalogue.items,
        interactions=interactions,
        outfits=outfits,
        has_images=catalogue.images is not None,
        has_content=bool(arrays["content_embedding"].any()),
        missing_propensities=propensities.missing,
        markets=markets,
        dropped={**interactions.dropped, **catalogue.dropped, **dropped_outfits},
    )
    target.write(
        summary=summary,
        vocabulary=catalogue.vocabulary,
        items=catalogue.items,
        item_features=build_item_features(catalogue.items, catalogue.vocabulary, catalogue.images),
        histories=interactions.histories,
        split=make_split(interactions.histories, run.config.split),
        propensity=propensities.of_interactions,
        propensities=propensities.table,
        customers=interactions.customers,
        catalogue_arrays=arrays,
        outfits=outfits if len(outfits) else None,
        images=catalogue.images,
    )
    return summary


def _prepare_propensities(
    run: _Run,
    catalogue: _Catalogue,
    interactions: PreparedInteractions,
    content: NDArray[np.float32],
) -> PreparedPropensities:
    read = run.engine.read(run.tables, IMPRESSIONS)
    found = prepare_propensities(
        run.engine,
        None if read is None else read[0],
        interactions,
        run.engine.table_of(catalogue.items[[ITEM_ID, ITEM_INDEX]]),
        content,
        run.config,
        scratch=run.scratch,
    )
    if found.of_interactions is not None and found.table is not None:
        run.progress(f"prepare: position bias of {len(found.table.touchpoints)} touchpoints")
    return found


def _catalogue_arrays(
    catalogue: _Catalogue,
    interactions: PreparedInteractions,
    markets: tuple[str, ...],
    config: PrepareConfig,
) -> dict[str, NDArray[Any]]:
    num_items = catalogue.vocabulary.num_items
    return {
        "popularity": popularity_array(interactions.popularity, markets, num_items),
        "content_embedding": content_embedding(
            catalogue.items, num_dimensions=config.content_dim, max_words=config.max_content_words
        ),
        **neighbour_arrays(
            interactions.neighbours, num_items=num_items, num_neighbours=config.num_neighbours
        ),
    }


def _prepare_catalogue(run: _Run) -> _Catalogue:
    read = run.engine.read(run.tables, ITEMS)
    if read is None:
        raise DataError(
            str(run.tables),
            expected="an items table (items.parquet or items.csv)",
            got="none",
            fix="add it; a table of item_id alone is enough",
        )
    table, _ = read
    items = complete_items(fetch(table.drop(ROW)))
    vocabulary = build_vocabulary(items)
    paths = column_values(items, IMAGE_PATH)
    if not any(paths):
        return _Catalogue(items, vocabulary, None, {})
    decoded = decode_pictures(
        run.tables,
        paths,
        run.scratch / "images.npy",
        num_threads=run.config.num_threads,
        progress=run.progress,
    )
    counts = {"pictures_missing": decoded.num_missing, "pictures_corrupt": decoded.num_corrupt}
    return _Catalogue(
        items,
        vocabulary,
        decoded.images if decoded.num_decoded else None,
        {reason: number for reason, number in counts.items() if number},
    )


def _read_outfits(run: _Run, vocabulary: Vocabulary) -> tuple[pd.DataFrame, dict[str, int]]:
    read = run.engine.read(run.tables, OUTFITS)
    if read is None:
        return pd.DataFrame({OUTFIT_ID: [], ITEM_INDEX: [], IS_HERO: []}), {}
    table, _ = read
    return index_outfits(fetch(table.order_by(ROW)), vocabulary)


def _prepare_interactions(
    run: _Run, catalogue: _Catalogue, outfits: pd.DataFrame
) -> PreparedInteractions:
    read = run.engine.read(run.tables, INTERACTIONS)
    if read is not None:
        item_index = run.engine.table_of(catalogue.items[[ITEM_ID, ITEM_INDEX]])
        table, present = read
        return prepare_interactions(
            run.engine,
            table,
            present,
            item_index,
            run.config,
            scratch=run.scratch,
            progress=run.progress,
        )
    if not len(outfits):
        raise DataError(
            str(run.tables),
            expected="an interactions table, or an outfits table with known items",
            got="neither",
            fix="add interactions.parquet or outfits.parquet",
        )
    return no_interactions(
        popularity=outfit_popularity(outfits),
        neighbours=outfit_neighbours(run.engine, outfits, run.config),
    )
