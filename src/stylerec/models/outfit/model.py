"""The outfit model: how well a set of items goes together.

Bettaney, Hardwick, Zisimopoulos and Chamberlain, "Fashion Outfit Generation for E-commerce", ECML
PKDD 2020: every item is embedded on its own into a style space, and an outfit's score is the
sigmoid of its items' pairwise dot products. Here the products are summed and scaled by a learned
factor, with a learned bias, instead of averaged: a longer outfit gives more evidence, and adding an
item costs one dot product with the sum of those already there.

Legend: B outfits, N items of an outfit, U distinct items, D style, V rows of the vocabulary.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from stylerec.models.outfit.images import PictureNetwork
from stylerec.models.outfit.layers import ItemContent, ItemEmbedder
from stylerec.schema.tensors import FIRST_ITEM_INDEX

_EMBED_BLOCK = 8_192


def sum_of_pairs(style_BND: Tensor) -> Tensor:
    """Returns the sum of the dot products of all pairs of items, `[B]`; zero rows add nothing.

    Computed as half of |sum of items|^2 - sum of |item|^2, so N items cost N products, not N^2.
    """
    total_BD = style_BND.sum(dim=1)
    return 0.5 * (total_BD.square().sum(dim=1) - style_BND.square().sum(dim=(1, 2)))


class OutfitModel(nn.Module):
    """Scores outfits of a fixed catalogue.

    Args:
        embedder: The Siamese item embedder.
        content: Content of every item in index order, V rows.
        pictures: The network that `content`'s picture features came from, stored with the weights
            and not trained here; None without pictures.
    """

    def __init__(
        self,
        embedder: ItemEmbedder,
        content: ItemContent,
        *,
        pictures: PictureNetwork | None = None,
    ) -> None:
        super().__init__()
        self.pictures = None if pictures is None else pictures.requires_grad_(False)
        self.embedder = embedder
        self.content = content
        # As in attention: keeps the first logits of a wide style space near 0.
        self.log_scale = nn.Parameter(torch.tensor(-0.5 * math.log(embedder.embedding_dim)))
        self.bias = nn.Parameter(torch.tensor(0.0))

    @property
    def scale(self) -> Tensor:
        """Positive factor of the summed dot products, scalar."""
        return self.log_scale.exp()

    def embed(self, item_index_U: Tensor) -> Tensor:
        """Returns style embeddings `[U, D]`, zero for padding and unknown items."""
        style_UD: Tensor = self.embedder(self.content.rows(item_index_U))
        return style_UD * (item_index_U >= FIRST_ITEM_INDEX)[:, None]

    def forward(self, outfit_BN: Tensor) -> Tensor:
        """Returns the logit of each outfit, float32 `[B]`; the order of its items is ignored.

        Args:
            outfit_BN: int64 item indices, 0 padded on any side.
        """
        distinct_U, place_BN = torch.unique(outfit_BN, return_inverse=True)
        style_BND = functional.embedding(place_BN, self.embed(distinct_U))
        return self.scale * sum_of_pairs(style_BND) + self.bias

    @torch.no_grad()
    def style_table(self) -> Tensor:
        """Returns every item's style embedding without dropout, float32 `[V, D]`."""
        was_training = self.embedder.training
        self.embedder.eval()
        index_V = torch.arange(len(self.content.text_UT), device=self.bias.device)
        starts = range(0, len(index_V), _EMBED_BLOCK)
        table_VD = torch.cat([self.embed(index_V[s : s + _EMBED_BLOCK]) for s in starts])
        self.embedder.train(was_training)
        return table_VD
