"""Plain content similarity beside the trained model; see `stylerec.models.content_match`.

B batch, L history, D embedding, F content dimensions, V catalogue, X = D + F, + 1 with a boost.
"""

import torch
from torch import Tensor, nn

from stylerec.data.content_vectors import content_vectors
from stylerec.features.item_features import ItemFeatures
from stylerec.models.content_match import FADING
from stylerec.models.next_item.config import NextItemConfig
from stylerec.schema.tensors import FIRST_ITEM_INDEX


class ContentMatch(nn.Module):
    """Appends content to trained item embeddings and states, so that products add its similarity.

    The vectors are not saved with the weights: they belong to the prepared data.
    """

    def __init__(self, features: ItemFeatures, config: NextItemConfig) -> None:
        super().__init__()
        self.dim, self.num_content_dims = config.embedding_dim, config.num_match_dims
        self.new_item_boost = config.new_item_boost
        vectors = content_vectors(features, dim=self.num_content_dims)
        self.register_buffer("vectors", torch.from_numpy(vectors), persistent=False)
        self.register_buffer("weight", torch.zeros(()))

    def item_rows(self, embedding_VD: Tensor, is_new_V: Tensor) -> Tensor:
        """Returns what queries are multiplied with, `[V, X]`; zero for padding and unknown.

        Args:
            embedding_VD: Trained item embeddings.
            is_new_V: Items that had no interaction to train on, bool.
        """
        parts = [embedding_VD, self.get_buffer("vectors")]
        if self.new_item_boost > 0:
            is_new_V[:FIRST_ITEM_INDEX] = False
            parts.append((is_new_V * self.new_item_boost).unsqueeze(1))
        return torch.cat(parts, dim=1)

    def forward(self, state_BD: Tensor, row_BLX: Tensor) -> Tensor:
        """Returns query embeddings, `[B, X]`.

        Args:
            state_BD: The state after the newest interaction.
            row_BLX: `item_rows` of the history, zero where it is padding.
        """
        from_newest_L = torch.arange(row_BLX.shape[1] - 1, -1, -1, device=row_BLX.device)
        content_BLF = row_BLX[..., self.dim : self.dim + self.num_content_dims]
        faded_L1 = torch.exp(-FADING * from_newest_L).unsqueeze(1)
        parts = [state_BD, self.get_buffer("weight") * (content_BLF * faded_L1).sum(dim=1)]
        if self.new_item_boost > 0:
            parts.append(torch.ones_like(state_BD[:, :1]))
        return torch.cat(parts, dim=1)
