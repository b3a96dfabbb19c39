"""The beam search inside an ONNX graph, run as Triton would run it."""

import logging
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.outfits.beam_graph import OutfitGenerator
from benchmarks.outfits.generation_catalogue import Shop
from stylerec.models.outfit.export import cpu_session

_HISTORY = 50


def graph_runner(
    shop: Shop, lists: Sequence[NDArray[np.int64]], *, beam_width: int
) -> Callable[[int], object]:
    """Returns what runs the exported graph for hero number n with these candidates per slot."""
    slots = np.zeros((1, len(lists), max(map(len, lists))), dtype=np.int64)
    for slot, items in enumerate(lists):
        slots[0, slot, : len(items)] = items
    feeds = {
        "hero_index": np.full((1, 1), 2, dtype=np.int64),
        "slot_candidate_index": slots,
        "history_item_index": np.zeros((1, _HISTORY), dtype=np.int64),
        "customer_weight": np.zeros((1, 1), dtype=np.float32),
    }
    graph = OutfitGenerator(
        torch.from_numpy(shop.style_VD),
        scale=torch.tensor(1.0),
        bias=torch.tensor(0.0),
        beam_width=beam_width,
    ).eval()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            graph,
            kwargs={name: torch.from_numpy(array) for name, array in feeds.items()},
            f=path,
            input_names=list(feeds),
            opset_version=18,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        session = cpu_session(path)

    def run(turn: int) -> object:
        hero = shop.heroes[turn % len(shop.heroes)]
        return session.run(None, {**feeds, "hero_index": hero[None, None]})

    return run
