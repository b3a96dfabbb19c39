"""The item embedder: what is known about an item to its place in the style space.

Legend: U items, T text tokens, F categorical columns, G picture features, P part width, D style.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stylerec.models.outfit.config import OutfitConfig

NUM_NUMERIC = 2
"""Standardised log price and sale discount."""


@dataclass(frozen=True)
class ItemContent:
    """What the embedder takes; rows of all four belong together.

    Attributes:
        text_UT: int64, hashed words, 0 padding.
        categories_UF: int64, 0 missing, 1 unknown.
        numeric_U2: float32.
        picture_UG: float32 localised picture features, zero without a picture; G = 0 for none.
    """

    text_UT: Tensor
    categories_UF: Tensor
    numeric_U2: Tensor
    picture_UG: Tensor

    def to(self, device: torch.device) -> "ItemContent":
        """Returns the content on a device."""
        return ItemContent(
            self.text_UT.to(device),
            self.categories_UF.to(device),
            self.numeric_U2.to(device),
            self.picture_UG.to(device),
        )

    def rows(self, index_U: Tensor) -> "ItemContent":
        """Returns the content of the items at `index_U`, int64 `[U]`."""
        return ItemContent(
            self.text_UT[index_U],
            self.categories_UF[index_U],
            self.numeric_U2[index_U],
            self.picture_UG[index_U],
        )


class ItemEmbedder(nn.Module):
    """Embeds each part of an item, joins the parts and maps them into the style space.

    The Siamese branch of Bettaney et al., ECML PKDD 2020, section 4: text, category and picture
    features joined and passed through dense layers, the same weights for every item of an outfit.

    Args:
        config: Widths and dropout.
        num_text_buckets: Rows of the word table.
        category_sizes: Rows of each categorical column's table, 0 and 1 included.
        num_picture_features: G, 0 without pictures.
    """

    def __init__(
        self,
        config: OutfitConfig,
        *,
        num_text_buckets: int,
        category_sizes: Sequence[int],
        num_picture_features: int,
    ) -> None:
        super().__init__()
        self.embedding_dim = config.embedding_dim
        width = config.part_dim
        self.text = nn.EmbeddingBag(num_text_buckets, width, mode="mean", padding_idx=0)
        self.categories = nn.ModuleList(
            nn.Embedding(size, width, padding_idx=0) for size in category_sizes
        )
        num_parts = 1 + len(category_sizes)
        for table in (self.text, *self.categories):
            nn.init.normal_(table.weight, std=0.1)
            with torch.no_grad():
                table.weight[0].zero_()
        self.numeric = nn.Linear(NUM_NUMERIC, width)
        self.picture = nn.Linear(num_picture_features, width) if num_picture_features else None
        num_parts += 1 + (self.picture is not None)
        # One norm per part: a picture's hundred numbers must not drown a single word.
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(num_parts))
        self.join = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(num_parts * width, config.hidden_dim),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden_dim, config.embedding_dim),
        )

    def forward(self, content: ItemContent) -> Tensor:
        """Returns style embeddings, float32 `[U, D]`, not normalised."""
        parts = [self.text(content.text_UT), self.numeric(content.numeric_U2)]
        parts += [
            table(content.categories_UF[:, column]) for column, table in enumerate(self.categories)
        ]
        if self.picture is not None:
            parts.append(self.picture(content.picture_UG))
        normed = [norm(part) for norm, part in zip(self.norms, parts, strict=True)]
        style_UD: Tensor = self.join(torch.cat(normed, dim=1))
        return style_UD
