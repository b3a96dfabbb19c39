"""The set scorer inside the served graph: `evidence_scorer` over `SetTables`, in torch.

Every lookup of a pair is a comparison of one item with the other's remembered partners, so that the
graph holds a table of R x M instead of V x V.

Legend: B outfits, N items, M partners, T and S traits, F channels, E pooled channels; of
two N's the first is the item that is asked about the other.
"""

from dataclasses import fields

import torch
from torch import Tensor, nn

from stylerec.data.outfit_traits import PRIOR_WEIGHT
from stylerec.models.outfit.evidence import PATH_FLOOR
from stylerec.models.outfit.set_scorer import SetTables
from stylerec.schema.tensors import FIRST_ITEM_INDEX

_LOWEST = -1e30


class SetScorer(nn.Module):
    """Scores sets of items of a fixed catalogue.

    Args:
        tables: Evidence and weights.
    """

    row_V: Tensor
    worn_V: Tensor
    companion_RM: Tensor
    count_RM: Tensor
    relative_RM: Tensor
    two_RM: Tensor
    three_RM: Tensor
    type_V: Tensor
    code_VT: Tensor
    share_VT: Tensor
    value_VS: Tensor
    information: Tensor
    mean_E: Tensor
    deviation_E: Tensor
    weight_E: Tensor
    bias_1: Tensor

    def __init__(self, tables: SetTables) -> None:
        super().__init__()
        for field in fields(tables):
            self.register_buffer(field.name, torch.from_numpy(getattr(tables, field.name)))
        self._sizes: list[int] = tables.size_S.tolist()

    def forward(self, outfit_BN: Tensor, product_BNN: Tensor) -> tuple[Tensor, Tensor]:
        """Returns each outfit's logit, float32 `[B]`, and what its pairs are worth by themselves.

        A pair's worth `[B, N, N]` is the logit of the two alone without the bias; 0 is a usual
        pair, the diagonal and padding. The order of items and the place of padding change nothing.

        Args:
            outfit_BN: int64 indices inside the vocabulary, 0 padded on any side.
            product_BNN: Products of the items' style embeddings.
        """
        is_item_BN = outfit_BN >= FIRST_ITEM_INDEX
        off_diagonal_NN = ~torch.eye(outfit_BN.shape[1], dtype=torch.bool, device=outfit_BN.device)
        is_pair_BNN = is_item_BN[:, :, None] & is_item_BN[:, None, :] & off_diagonal_NN
        channels_BNNF = self._channels(outfit_BN, product_BNN)
        pooled_BE = _pooled(channels_BNNF, is_pair_BNN, is_item_BN)
        weight_E = self.weight_E / self.deviation_E
        logit_B = ((pooled_BE - self.mean_E) * weight_E).sum(dim=1) + self.bias_1
        twice_BNNE = torch.cat([channels_BNNF, channels_BNNF], dim=3)
        worth_BNN = ((twice_BNNE - self.mean_E) * weight_E).sum(dim=3)
        return logit_B, worth_BNN * is_pair_BNN

    def _channels(self, outfit_BN: Tensor, product_BNN: Tensor) -> Tensor:
        """Returns the channels of `PairEvidence` and the style product, `[B, N, N, F]`."""
        row_BN = self.row_V[outfit_BN].long()
        companion_BNM, count_BNM = self.companion_RM[row_BN].long(), self.count_RM[row_BN]
        channels = self._together(outfit_BN, companion_BNM, count_BNM)
        is_relative_BNNM = _is_equal(self.relative_RM[row_BN].long(), outfit_BN)
        for table_RM in (self.two_RM, self.three_RM):
            weight_BNN = _both_ways(_counted(is_relative_BNNM, table_RM[row_BN]))
            channels.append(torch.log(weight_BNN + PATH_FLOOR))
        channels += self._companies(outfit_BN, companion_BNM, count_BNM)
        channels += self._information(outfit_BN)
        return torch.stack([*channels, product_BNN], dim=3)

    def _together(
        self, outfit_BN: Tensor, companion_BNM: Tensor, count_BNM: Tensor
    ) -> list[Tensor]:
        count_BNN = _both_ways(_counted(_is_equal(companion_BNM, outfit_BN), count_BNM))
        root_BN = torch.sqrt(self.worn_V[outfit_BN] + 0.5)
        expected_BNN = root_BN[:, :, None] * root_BN[:, None, :]
        return [(count_BNN > 0).float(), torch.log1p(count_BNN), count_BNN / expected_BNN]

    def _companies(
        self, outfit_BN: Tensor, companion_BNM: Tensor, count_BNM: Tensor
    ) -> list[Tensor]:
        """Returns both items' lifts per trait, first of the item that was worn more."""
        worn_BN = self.worn_V[outfit_BN]
        first_BNN = outfit_BN[:, :, None] <= outfit_BN[:, None, :]
        more_BNN = worn_BN[:, :, None] > worn_BN[:, None, :]
        tied_BNN = worn_BN[:, :, None] == worn_BN[:, None, :]
        is_asked_BNN = more_BNN | (tied_BNN & first_BNN)
        is_type_BNNM = _is_equal(self.type_V[companion_BNM], self.type_V[outfit_BN])
        of_type_BNN = _counted(is_type_BNNM, count_BNM)
        found = []
        for trait in range(self.code_VT.shape[1]):
            code_V, share_V = self.code_VT[:, trait], self.share_VT[:, trait]
            code_BN, usual_BN = code_V[outfit_BN], share_V[outfit_BN]
            with_value_BNN = _counted(_is_equal(code_V[companion_BNM], code_BN), count_BNM)
            usual_B1N = usual_BN[:, None, :]
            share_BNN = (with_value_BNN + PRIOR_WEIGHT * usual_B1N) / (of_type_BNN + PRIOR_WEIGHT)
            lift_BNN = torch.log(share_BNN) - torch.log(usual_B1N)
            lift_BNN = lift_BNN * (code_BN > 0)[:, None, :]
            other_BNN = lift_BNN.transpose(1, 2)
            found.append(torch.where(is_asked_BNN, lift_BNN, other_BNN))
            found.append(torch.where(is_asked_BNN, other_BNN, lift_BNN))
        return found

    def _information(self, outfit_BN: Tensor) -> list[Tensor]:
        found, start = [], 0
        for trait, size in enumerate(self._sizes):
            value_BN = self.value_VS[:, trait][outfit_BN].long()
            place_BNN = start + size * value_BN[:, :, None] + value_BN[:, None, :]
            found.append(self.information[place_BNN])
            start += size * size
        return found


def _is_equal(partner_BNM: Tensor, other_BN: Tensor) -> Tensor:
    """Returns which of each item's partners is another item of the outfit, `[B, N, N, M]`."""
    return partner_BNM[:, :, None, :] == other_BN[:, None, :, None]


def _counted(is_equal_BNNM: Tensor, count_BNM: Tensor) -> Tensor:
    counted_BNN: Tensor = (is_equal_BNNM * count_BNM[:, :, None, :]).sum(dim=3)
    return counted_BNN


def _both_ways(one_way_BNN: Tensor) -> Tensor:
    return torch.maximum(one_way_BNN, one_way_BNN.transpose(1, 2))


def _pooled(channels_BNNF: Tensor, is_pair_BNN: Tensor, is_item_BN: Tensor) -> Tensor:
    """Returns the mean over pairs and the mean over items of their best, `[B, E]`."""
    is_pair_BNN1 = is_pair_BNN[..., None]
    num_pairs_B1 = is_pair_BNN.sum(dim=(1, 2)).clamp(min=1)[:, None]
    mean_BF = (channels_BNNF * is_pair_BNN1).sum(dim=(1, 2)) / num_pairs_B1
    best_BNF = channels_BNNF.masked_fill(~is_pair_BNN1, _LOWEST).amax(dim=2)
    best_BNF = best_BNF * is_pair_BNN.any(dim=2)[..., None]
    num_items_B1 = is_item_BN.sum(dim=1).clamp(min=1)[:, None]
    return torch.cat([mean_BF, best_BNF.sum(dim=1) / num_items_B1], dim=1)
