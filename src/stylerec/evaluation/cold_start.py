"""How well items are recommended that no model was trained with. N customers, V items."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from stylerec.aside import written_aside
from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import Split, Targets, is_within
from stylerec.errors import ConfigError, DataError
from stylerec.evaluation.blocks import BlockScorer
from stylerec.evaluation.context import EvaluationContext
from stylerec.evaluation.ranking import evaluate_scorer
from stylerec.evaluation.results import RankingMetrics
from stylerec.schema.tensors import FIRST_ITEM_INDEX

COLD_ITEMS_FILE = "cold_items.npy"


def hold_out_items(
    prepared: Path, output: Path, *, share: float = 0.1, seed: int = 0
) -> NDArray[np.int64]:
    """Writes prepared data without some items' training interactions and returns these items.

    The items are drawn among those with an interaction. Their interactions leave the training part
    of every history, popularity and bought-together pairs; content stays. Validation targets are
    those of the other items, so that early stopping sees no cold item. Test targets all stay, and
    so do cold items between training and a target: serving knows them by their content. Targets
    left without any history go. Customers keep their rows, some with nothing in them.

    Args:
        prepared: Folder of `PreparedData` to derive from.
        output: Folder to write, whole or not at all; it also gets the items as `cold_items.npy`.
        share: Share of these items that is held out, above 0 and below 1.
        seed: The same seed draws the same items.

    Returns:
        Item indices, int64, ascending.

    Raises:
        ConfigError: `share` leaves no item, or `output` is `prepared`.
        DataError: The output cannot be written.
    """
    _check(prepared, output, share)
    data = PreparedData(prepared)
    cold = _draw_items(data, share, seed)
    is_cold = np.zeros(data.vocabulary.num_items, dtype=np.bool_)
    is_cold[cold] = True
    histories, split, is_kept = _without_training(data.histories, data.split, is_cold)
    num_dropped = int((~is_kept).sum())
    propensity = data.propensity
    summary = data.summary.model_copy(
        update={
            "num_interactions": len(histories.item_index),
            "dropped": {**data.summary.dropped, "interactions_with_held_out_items": num_dropped},
        }
    )
    with written_aside(output, error=DataError, write_errors=(SafetensorError,)) as folder:
        np.save(folder / COLD_ITEMS_FILE, cold, allow_pickle=False)
        PreparedData(folder).write(
            summary=summary,
            vocabulary=data.vocabulary,
            items=data.items,
            item_features=data.item_features,
            histories=histories,
            split=split,
            customers=data.customers,
            catalogue_arrays=_without_items(data.catalogue_arrays, is_cold),
            propensity=None if propensity is None else propensity[is_kept],
            outfits=data.outfits if len(data.outfits) else None,
            images=data.images,
        )
    return cold


def cold_items(folder: Path) -> NDArray[np.int64]:
    """Returns the items that `hold_out_items` held out when it wrote the folder."""
    items: NDArray[np.int64] = np.load(folder / COLD_ITEMS_FILE, allow_pickle=False)
    return items


def evaluate_cold_start(
    scorer: BlockScorer,
    prepared: PreparedData,
    cold: NDArray[np.int64],
    *,
    block: int = 256,
    max_customers: int | None = None,
    context: EvaluationContext | None = None,
) -> RankingMetrics:
    """Returns how cold test targets rank among all items, cold and warm; see `evaluate_scorer`.

    Args:
        scorer: A model trained on what `hold_out_items` wrote, such as
            `onnx_scorer(exported, num_items)`.
        prepared: That data.
        cold: The items it held out.
        block: Customers scored at a time.
        max_customers: Evaluates a fixed random subset of that size; None for all.
        context: Of the prepared data, for slices, novelty and popularity bias.
    """
    histories, test = prepared.histories, prepared.split.test
    is_cold = np.isin(histories.item_index[test.place], cold)
    return evaluate_scorer(
        scorer,
        histories,
        test[is_cold],
        block=block,
        max_customers=max_customers,
        context=context,
    )


def _check(prepared: Path, output: Path, share: float) -> None:
    if not 0.0 < share < 1.0:
        raise ConfigError(
            "cold_start.share",
            expected="a number above 0 and below 1",
            got=f"{share:g}",
            fix="0.1 is usual",
        )
    if output.resolve() == prepared.resolve():
        raise ConfigError(
            "cold_start.output",
            expected="another folder than the prepared data",
            got=str(output),
            fix="name a new folder",
        )


def _draw_items(data: PreparedData, share: float, seed: int) -> NDArray[np.int64]:
    counts = np.bincount(data.histories.item_index, minlength=data.vocabulary.num_items)
    known = FIRST_ITEM_INDEX + np.flatnonzero(counts[FIRST_ITEM_INDEX:])
    num_cold = round(share * len(known))
    if not 0 < num_cold < len(known):
        raise ConfigError(
            "cold_start.share",
            expected="a share that holds out some items and keeps others",
            got=f"{share:g} of {len(known)} items",
            fix="choose another share or take a larger data set",
        )
    return np.sort(np.random.default_rng(seed).choice(known, num_cold, replace=False))


def _without_training(
    histories: Histories, split: Split, is_cold: NDArray[np.bool_]
) -> tuple[Histories, Split, NDArray[np.bool_]]:
    """Returns histories and split without cold training interactions, and which ones are kept."""
    offsets = np.asarray(histories.offsets, dtype=np.int64)
    is_trained = is_within(np.diff(offsets), np.asarray(split.train_lengths))
    is_kept = ~(is_trained & is_cold[histories.item_index])
    # Kept interactions before each row, and before the end.
    num_before = np.concatenate([[0], np.cumsum(is_kept, dtype=np.int64)])
    moved = Histories(
        item_index=histories.item_index[is_kept],
        event_type=histories.event_type[is_kept],
        timestamp_s=histories.timestamp_s[is_kept],
        offsets=num_before[offsets],
    )
    num_dropped = np.diff(offsets) - np.diff(moved.offsets)

    def targets(before: Targets, *, has_cold: bool) -> Targets:
        place = num_before[before.place]
        is_wanted = place > moved.offsets[before.customer]
        if not has_cold:
            is_wanted &= ~is_cold[histories.item_index[before.place]]
        return Targets(np.asarray(before.customer), place)[is_wanted]

    derived = Split(
        train_lengths=np.asarray(split.train_lengths) - num_dropped,
        validation=targets(split.validation, has_cold=False),
        test=targets(split.test, has_cold=True),
    )
    return moved, derived, is_kept


def _without_items(
    arrays: dict[str, NDArray[Any]], is_cold: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    """Returns the catalogue's arrays as if nobody had met the cold items; content stays."""
    changed = dict(arrays)
    if "popularity" in arrays:
        changed["popularity"] = np.where(is_cold, 0.0, arrays["popularity"]).astype(np.float32)
    if "neighbour_index" in arrays:
        index, score = arrays["neighbour_index"], arrays["neighbour_score"]
        is_gone = is_cold[index] | is_cold[:, None]
        # Stable, so that what is left stays best first and the padding goes to the end.
        order = np.argsort(is_gone, axis=1, kind="stable")
        for name, values in (("neighbour_index", index), ("neighbour_score", score)):
            cleared = np.where(is_gone, 0, values).astype(values.dtype)
            changed[name] = np.take_along_axis(cleared, order, axis=1)
    return changed
