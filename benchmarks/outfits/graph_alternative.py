"""The beam search inside an ONNX graph, run as Triton would run it: what the served one beats.

The graph does less than `stylerec.serving.outfit_search`: no customer, no slots of one type twice,
one outfit and no diversity. So its time is a lower bound of what a whole one would take.

Legend: S slots, C candidates of a slot, W beams, T items of a beam so far, D style, V vocabulary.
"""

import logging
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.outfits.generation_catalogue import Shop
from stylerec.models.outfit.export import cpu_session


class BeamGraph(nn.Module):
    """Fills one slot after another with the items that go best with the beams so far.

    Args:
        style_VD: Style embedding of every item.
        beam_width: W.
    """

    style_VD: Tensor

    def __init__(self, style_VD: Tensor, *, beam_width: int) -> None:
        super().__init__()
        self.register_buffer("style_VD", style_VD)
        self.beam_width = beam_width

    def forward(self, hero: Tensor, *slots: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the W best outfits' items, int64 `[W, S]`, and sums of pairs, float32 `[W]`.

        Args:
            hero: int64 `[1]`.
            slots: int64 `[C]` each, at least W items; no item in two slots.
        """
        sum_WD, score_W = self.style_VD[hero], self.style_VD.new_zeros(1)
        items_WT = hero.new_zeros(1, 0)
        for slot_C in slots:
            rows_CD = self.style_VD[slot_C]
            score_WC = score_W[:, None] + sum_WD @ rows_CD.T
            score_W, place_W = torch.topk(score_WC.flatten(), self.beam_width)
            num_candidates = slot_C.shape[0]
            parent_W = torch.div(place_W, num_candidates, rounding_mode="floor")
            own_W = place_W - parent_W * num_candidates
            sum_WD = sum_WD[parent_W] + rows_CD[own_W]
            items_WT = torch.cat([items_WT[parent_W], slot_C[own_W][:, None]], dim=1)
        return items_WT, score_W


def graph_runner(
    shop: Shop, lists: Sequence[NDArray[np.int64]], *, beam_width: int
) -> Callable[[int], list[NDArray[np.int64]]]:
    """Returns what runs the exported graph for hero number n with these candidates per slot."""
    graph = BeamGraph(torch.from_numpy(shop.style_VD), beam_width=beam_width).eval()
    inputs = [torch.from_numpy(shop.heroes[:1]), *map(torch.from_numpy, lists)]
    names = ["hero", *(f"slot_{place}" for place in range(len(lists)))]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            graph,
            tuple(inputs),
            path,
            input_names=names,
            opset_version=18,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        session = cpu_session(path)
    feeds = dict(zip(names[1:], lists, strict=True))

    def run(turn: int) -> list[NDArray[np.int64]]:
        hero = shop.heroes[turn % len(shop.heroes)]
        found: list[NDArray[np.int64]] = session.run(None, {"hero": hero[None], **feeds})
        return found

    return run
