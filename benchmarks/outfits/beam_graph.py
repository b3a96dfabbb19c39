"""Beam search inside one ONNX graph: what the served search is measured against.

The served search (`stylerec.serving.outfit_search`) runs in numpy over blocks of the style table.
This is the alternative inside Triton, kept so that the comparison can be measured again. The
customer's style starts the sum as if it were a weighted item of length 1, a slot nobody can fill is
skipped, and beams that hold the same items in other slots count once.

Legend: B requests, S slots, C candidates per slot, L history, W beams, T items of a beam so far,
N = S + 1, D style, V vocabulary rows, M = W * C extensions.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from stylerec.schema.tensors import FIRST_ITEM_INDEX, PADDING_INDEX, UNKNOWN_INDEX

IMPOSSIBLE_SCORE = -1e9
_TINY = 1e-12


@dataclass(frozen=True)
class Beams:
    """The outfits under construction.

    Attributes:
        items_BWT: int64, the hero, then the item of each slot so far, 0 where it was skipped.
        sum_BWD: Sum of the hero's, the weighted customer's and the items' style embeddings.
        score_BW: Sum of the dot products so far, `IMPOSSIBLE_SCORE` for a beam that does not exist.
    """

    items_BWT: Tensor
    sum_BWD: Tensor
    score_BW: Tensor

    @property
    def is_alive_BW(self) -> Tensor:
        """Which beams exist."""
        return self.score_BW > 0.5 * IMPOSSIBLE_SCORE


class OutfitGenerator(nn.Module):
    """Finds the best outfits of one item per slot around a hero, and scores them.

    Ties go to the earlier beam, then to the lower item index. With at least as many beams as there
    are combinations the search is exhaustive.

    Args:
        style_VD: Style embedding of every item; rows 0 and 1 are zero.
        scale: Factor of the summed dot products.
        bias: Added to them.
        beam_width: W.
    """

    style_VD: Tensor
    scale: Tensor
    bias: Tensor

    def __init__(self, style_VD: Tensor, *, scale: Tensor, bias: Tensor, beam_width: int) -> None:
        super().__init__()
        self.register_buffer("style_VD", style_VD.detach().clone())
        self.register_buffer("scale", scale.detach().clone())
        self.register_buffer("bias", bias.detach().clone())
        self.beam_width = beam_width

    def forward(
        self,
        hero_index: Tensor,
        slot_candidate_index: Tensor,
        history_item_index: Tensor,
        customer_weight: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Returns W outfits per request, best first.

        An index outside the vocabulary counts as unknown; unknown items are never chosen, and an
        unknown hero adds nothing to any score.

        Args:
            hero_index: int64 `[B, 1]`.
            slot_candidate_index: int64 `[B, S, C]`, 0 padded; a slot of padding is skipped.
            history_item_index: int64 `[B, L]`, 0 padded on any side.
            customer_weight: float32 `[B, 1]`; 0 ignores the history.

        Returns:
            Item of each slot, int64 `[B, W, S]`, 0 for skipped slots; score in 0 to 1, float32
            `[B, W]`; scaled dot products of all pairs, hero first, float32 `[B, W, S+1, S+1]`, 0 on
            the diagonal and for skipped slots. Without a customer the score is the sigmoid of the
            bias and the sum over pairs. Where there are fewer than W outfits the rest scores -1e9
            and holds zeros.
        """
        hero_B1 = self._known(hero_index)
        customer_BD = self._customer(self._known(history_item_index)) * customer_weight
        beams = self._start(hero_B1, customer_BD)
        candidates_BSC = self._known(slot_candidate_index)
        for slot in range(slot_candidate_index.shape[1]):
            beams = self._extend(beams, _distinct_candidates(candidates_BSC[:, slot]))
        has_items_BW = beams.is_alive_BW & (beams.items_BWT[:, :, 1:] != PADDING_INDEX).any(dim=2)
        outfit_BWN = torch.where(has_items_BW[:, :, None], beams.items_BWT, PADDING_INDEX)
        score_BW = torch.where(
            has_items_BW,
            torch.sigmoid(self.scale * beams.score_BW + self.bias),
            IMPOSSIBLE_SCORE,
        )
        return outfit_BWN[:, :, 1:], score_BW, self._pair_scores(outfit_BWN)

    def _known(self, index: Tensor) -> Tensor:
        """Returns indices with those outside the vocabulary made unknown."""
        is_inside = (index >= 0) & (index < self.style_VD.shape[0])
        known: Tensor = torch.where(is_inside, index, UNKNOWN_INDEX)
        return known

    def _customer(self, history_BL: Tensor) -> Tensor:
        """Returns the unit mean of the history's style embeddings, `[B, D]`, zero if empty."""
        total_BD = functional.embedding(history_BL, self.style_VD).sum(dim=1)
        # The mean's direction is the sum's, and padding adds nothing to the sum.
        return functional.normalize(total_BD, dim=1, eps=_TINY)

    def _start(self, hero_B1: Tensor, customer_BD: Tensor) -> Beams:
        """Returns beams of which only the first exists, holding the hero and the customer."""
        sum_B1D = functional.embedding(hero_B1, self.style_VD) + customer_BD[:, None]
        first_W = torch.arange(self.beam_width, device=hero_B1.device) == 0
        start_W = torch.where(first_W, 0.0, IMPOSSIBLE_SCORE)
        return Beams(
            hero_B1[:, None].expand(-1, self.beam_width, -1),
            sum_B1D.expand(-1, self.beam_width, -1),
            start_W.expand(hero_B1.shape[0], -1),
        )

    def _extend(self, beams: Beams, candidates_BC: Tensor) -> Beams:
        """Returns the best W beams with one more item, the same ones where none can grow."""
        candidate_BCD = functional.embedding(candidates_BC, self.style_VD)
        gain_BWC = beams.sum_BWD @ candidate_BCD.transpose(1, 2)
        can_grow_BWC = (
            beams.is_alive_BW[:, :, None]
            & (candidates_BC >= FIRST_ITEM_INDEX)[:, None]
            & ~_contains(beams.items_BWT, candidates_BC)
            & ~_repeats_earlier_beam(beams, candidates_BC)
        )
        score_BWC = torch.where(
            can_grow_BWC, beams.score_BW[:, :, None] + gain_BWC, IMPOSSIBLE_SCORE
        )
        score_BW, place_BW = _top(score_BWC.flatten(1), self.beam_width)
        num_candidates = candidates_BC.shape[1]
        parent_BW = torch.div(place_BW, num_candidates, rounding_mode="floor")
        chosen_BW = candidates_BC.gather(1, place_BW - parent_BW * num_candidates)
        # A request none of whose beams can grow skips the slot: its beams stay as they were.
        stays_B1 = ~can_grow_BWC.flatten(1).any(dim=1, keepdim=True)
        own_W = torch.arange(self.beam_width, device=parent_BW.device)
        parent_BW = torch.where(stays_B1, own_W, parent_BW)
        chosen_BW = torch.where(stays_B1, PADDING_INDEX, chosen_BW)
        items_BWT = _of_parent(beams.items_BWT, parent_BW)
        added_BWD = functional.embedding(chosen_BW, self.style_VD)
        return Beams(
            torch.cat([items_BWT, chosen_BW[:, :, None]], dim=2),
            _of_parent(beams.sum_BWD, parent_BW) + added_BWD,
            torch.where(stays_B1, beams.score_BW, score_BW),
        )

    def _pair_scores(self, outfit_BWN: Tensor) -> Tensor:
        style_BWND = functional.embedding(outfit_BWN, self.style_VD)
        pairs_BWNN = self.scale * (style_BWND @ style_BWND.transpose(2, 3))
        off_diagonal_NN = 1.0 - torch.eye(outfit_BWN.shape[2], device=pairs_BWNN.device)
        return pairs_BWNN * off_diagonal_NN


def _distinct_candidates(candidates_BC: Tensor) -> Tensor:
    """Returns sorted candidates `[B, C + 1]` with repeats made padding.

    One column of padding is added, so that a slot always has a column to choose.
    """
    sorted_BC = torch.sort(functional.pad(candidates_BC, (1, 0)), dim=1).values
    is_repeat_BC = functional.pad(sorted_BC[:, 1:] == sorted_BC[:, :-1], (1, 0))
    return torch.where(is_repeat_BC, PADDING_INDEX, sorted_BC)


def _contains(items_BWT: Tensor, candidates_BC: Tensor) -> Tensor:
    """Returns which beams hold which candidates already, bool `[B, W, C]`."""
    return (items_BWT[:, :, None] == candidates_BC[:, None, :, None]).any(dim=3)


def _repeats_earlier_beam(beams: Beams, candidates_BC: Tensor) -> Tensor:
    """Returns which extensions hold the same items as one of an earlier beam, bool `[B, W, C]`.

    That is so when the two beams differ by one item each, the candidate is the other's item, and
    the other beam can still choose ours. All beams that exist have equally many items.
    X is the other beam.
    """
    items_BWT = beams.items_BWT
    in_other_BWXT = (items_BWT[:, :, None, :, None] == items_BWT[:, None, :, None]).any(dim=4)
    is_own_BWXT = ~in_other_BWXT & (items_BWT != PADDING_INDEX)[:, :, None]
    differ_by_one_BWX = is_own_BWXT.sum(dim=3) == 1
    own_item_BWX = (is_own_BWXT * items_BWT[:, :, None]).sum(dim=3)
    is_offered_BWX = (own_item_BWX[:, :, :, None] == candidates_BC[:, None, None]).any(dim=3)
    is_earlier_WX = torch.ones_like(own_item_BWX[0], dtype=torch.bool).tril(diagonal=-1)
    is_twin_BWX = differ_by_one_BWX & is_offered_BWX & is_earlier_WX & beams.is_alive_BW[:, None, :]
    others_item_BWX = own_item_BWX.transpose(1, 2)
    is_others_BWXC = others_item_BWX[:, :, :, None] == candidates_BC[:, None, None]
    return (is_twin_BWX[:, :, :, None] & is_others_BWXC).any(dim=2)


def _top(score_BM: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Returns the `count` highest scores and their places, the first of equal ones first.

    ONNX's TopK orders ties so by definition; torch's does not, and its stable sort, which would,
    cannot be exported.
    """
    if torch.compiler.is_exporting():
        highest = torch.topk(score_BM, count, dim=1)
        return highest.values, highest.indices
    ordered = torch.sort(score_BM, dim=1, descending=True, stable=True)
    return ordered.values[:, :count], ordered.indices[:, :count]


def _of_parent(values_BWX: Tensor, parent_BW: Tensor) -> Tensor:
    """Returns each new beam's parent's row, `[B, W, X]`."""
    return values_BWX.gather(1, parent_BW[:, :, None].expand(-1, -1, values_BWX.shape[2]))
