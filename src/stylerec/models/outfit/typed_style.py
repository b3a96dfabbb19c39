"""Style vectors from words and categories, compared by what a pair of product types looks at.

Vasileva et al., "Learning Type-Aware Embeddings for Fashion Compatibility", ECCV 2018: two items
are compared in a subspace of their pair of types, here by a learned mask of the style vector. What
differs: words instead of pictures, and instead of triplets every item of an outfit is picked out by
the outfit's others among all items of its type in the batch (softmax cross-entropy), which matches
popularity by itself. Items without words take part by category, so outfits that nobody described
teach which categories go together.

U items, T words of an item, B outfits, N items of the longest, M items of a batch, S types, D
style.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from stylerec.data.outfit_evidence import is_worn
from stylerec.data.outfits import ITEM_INDEX, Outfit, pad_outfits
from stylerec.models.outfit.word_evidence import item_tokens, token_table
from stylerec.schema.columns import PRODUCT_TYPE
from stylerec.schema.tensors import FIRST_ITEM_INDEX

_DROPOUT = 0.15
_LEARNING_RATE = 1e-2
_WEIGHT_DECAY = 0.3
_BATCH_SIZE = 64
_WARM_UP = 0.1
_SHARPNESS = 4.0
"""Of the first logits, times the root of D."""
_BLOCK = 8_192


class TypedStyle:
    """One channel of evidence about pairs of items, learnt from outfits; a `Channels`.

    Args:
        train: Training outfits.
        items: Canonical item columns plus `item_index`; title, category and product type are read.
        num_items: V.
        dim: D.
        num_epochs: Passes over the outfits.
        seed: Of the weights, the order of outfits and the words left out.
    """

    def __init__(
        self,
        train: Sequence[Outfit],
        items: pd.DataFrame,
        *,
        num_items: int,
        dim: int = 64,
        num_epochs: int = 6,
        seed: int = 0,
    ) -> None:
        words, _, categories = item_tokens(items, num_items)
        is_trained_V = is_worn(train, num_items=num_items)
        word_VT, num_words = token_table(words, is_trained_V)
        category_V1, num_categories = token_table(categories, is_trained_V)
        self._type_V = _type_codes(items, num_items)
        network = _TypedNetwork(
            torch.from_numpy(word_VT),
            torch.from_numpy(category_V1),
            torch.from_numpy(self._type_V),
            num_words=num_words,
            num_categories=num_categories,
            dim=dim,
            generator=torch.Generator().manual_seed(seed),
        )
        _fit(network, pad_outfits(train), num_epochs=num_epochs, seed=seed)
        with torch.no_grad():
            blocks = torch.split(torch.arange(num_items), _BLOCK)
            self._style_VD = torch.cat([network.embed(index) for index in blocks]).numpy()
            self._mask_SSD = network.masks().numpy()

    def channels(
        self, left_P: NDArray[np.int64], right_P: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Returns the product of two items' masked styles, `[P, 1]`."""
        masks_PD = self._mask_SSD[self._type_V[left_P], self._type_V[right_P]]
        products_PD = self._style_VD[left_P] * self._style_VD[right_P] * masks_PD
        found: NDArray[np.float64] = products_PD.sum(axis=1, dtype=np.float64)[:, None]
        return found


class _TypedNetwork(nn.Module):
    """Embeds items and compares them; rows of the three tables are items."""

    def __init__(
        self,
        word_VT: Tensor,
        category_V1: Tensor,
        type_V: Tensor,
        *,
        num_words: int,
        num_categories: int,
        dim: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self._word_VT, self._category_V1, self.type_V = word_VT, category_V1, type_V
        self._generator = generator
        num_types = int(type_V.max()) + 1
        self.words = nn.EmbeddingBag(num_words, dim, mode="sum", padding_idx=0)
        self.categories = nn.EmbeddingBag(num_categories, dim, mode="sum", padding_idx=0)
        self.types = nn.Embedding(num_types, dim)
        for table in (self.words, self.categories, self.types):
            nn.init.normal_(table.weight, std=0.1, generator=generator)
        with torch.no_grad():
            self.words.weight[0] = 0.0
            self.categories.weight[0] = 0.0
        self.mask_SSD = nn.Parameter(torch.ones(num_types, num_types, dim))

    def embed(self, index_U: Tensor, *, dropout: float = 0.0) -> Tensor:
        """Returns style vectors `[U, D]`; `dropout` leaves that share of tokens out."""
        word_UT, category_U1 = self._word_VT[index_U], self._category_V1[index_U]
        if dropout:
            word_UT, category_U1 = (
                tokens * (torch.rand(tokens.shape, generator=self._generator) >= dropout)
                for tokens in (word_UT, category_U1)
            )
        size_U1 = (word_UT > 0).sum(dim=1, keepdim=True).clamp(min=1).sqrt()
        style_UD: Tensor = (
            self.words(word_UT) / size_U1
            + self.categories(category_U1)
            + self.types(self.type_V[index_U])
        )
        return style_UD

    def masks(self) -> Tensor:
        """Returns the masks, the same for both orders of a pair of types, `[S, S, D]`."""
        return (self.mask_SSD + self.mask_SSD.transpose(0, 1)) / 2

    def loss(self, outfit_BN: Tensor) -> Tensor:
        """Returns the cross-entropy of picking each item by its outfit's others, scalar."""
        is_item_BN = outfit_BN >= FIRST_ITEM_INDEX
        style_MD = self.embed(outfit_BN[is_item_BN], dropout=_DROPOUT)
        style_BND = style_MD.new_zeros(*outfit_BN.shape, style_MD.shape[1])
        style_BND[is_item_BN] = style_MD
        type_BN = self.type_V[outfit_BN]
        mask_BNND = self.masks()[type_BN[:, :, None], type_BN[:, None, :]]
        is_other_NN = ~torch.eye(outfit_BN.shape[1], dtype=torch.bool)
        wanted_BND = torch.einsum(
            "bnkd,bkd,nk->bnd", mask_BNND, style_BND, is_other_NN.to(style_BND.dtype)
        )
        num_others_B11 = (is_item_BN.sum(dim=1) - 1).clamp(min=1)[:, None, None]
        wanted_MD = (wanted_BND / num_others_B11.sqrt())[is_item_BN]
        logits_MM = wanted_MD @ style_MD.T * (_SHARPNESS / style_MD.shape[1] ** 0.5)
        type_M = type_BN[is_item_BN]
        outfit_M = is_item_BN.nonzero()[:, 0]
        is_other_type_MM = type_M[:, None] != type_M
        is_partner_MM = (outfit_M[:, None] == outfit_M) & ~torch.eye(len(type_M), dtype=torch.bool)
        logits_MM = logits_MM.masked_fill(is_other_type_MM | is_partner_MM, -torch.inf)
        return functional.cross_entropy(logits_MM, torch.arange(len(type_M)))


def _fit(
    network: _TypedNetwork, outfits_BN: NDArray[np.int64], *, num_epochs: int, seed: int
) -> None:
    """Trains the network in place; without outfits nothing is learnt."""
    if not len(outfits_BN):
        return
    order = np.random.default_rng(seed)
    num_steps = -(-len(outfits_BN) // _BATCH_SIZE) * num_epochs
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY
    )
    # One step more than is taken: the schedule may not be asked beyond its last.
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, _LEARNING_RATE, total_steps=num_steps + 1, pct_start=_WARM_UP
    )
    for _ in range(num_epochs):
        shuffled_BN = torch.from_numpy(outfits_BN[order.permutation(len(outfits_BN))])
        for batch_BN in torch.split(shuffled_BN, _BATCH_SIZE):
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(network.loss(batch_BN))
            optimiser.step()
            schedule.step()


def _type_codes(items: pd.DataFrame, num_items: int) -> NDArray[np.int64]:
    """Returns every item's product type, int64 `[V]`, 0 without one."""
    code_V = np.zeros(num_items, dtype=np.int64)
    if PRODUCT_TYPE in items:
        code_V[items[ITEM_INDEX]] = pd.factorize(items[PRODUCT_TYPE])[0] + 1
    return code_V
