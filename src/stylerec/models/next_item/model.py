"""The next-item model: item embeddings and a causal transformer over the history.

Self-Attentive Sequential Recommendation (SASRec), Kang & McAuley 2018. Deliberate differences:
norms before their parts, event type and time gap beside the position, item embeddings that sum an
id and a content part, positions counted from the newest interaction so that left padding is free,
and a learned state for the empty history. B batch, L history, D embedding, V catalogue, U items.
"""

from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from stylerec.data.content_start import ContentStart
from stylerec.features.item_features import ItemFeatures
from stylerec.models.next_item.artifacts import CONFIG_FILE, WEIGHTS_FILE
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.content_match import ContentMatch
from stylerec.models.next_item.layers import (
    GAP_BOUNDARIES_DAYS,
    NUM_GAP_BUCKETS,
    Blocks,
    gap_buckets,
)
from stylerec.schema.events import NUM_EVENT_CODES
from stylerec.schema.tensors import FIRST_ITEM_INDEX, PADDING_INDEX

_INITIAL_STD = 0.02
_TABLE_BLOCK = 16_384


class ItemEmbedder(nn.Module):
    """Item embedding: a learned vector per id plus what the content says, all bias-free.

    A missing part of the content (no text, no pictures, an empty column) has no parameters. The
    features are buffers that are not saved with the weights: they belong to the prepared data.
    """

    def __init__(self, features: ItemFeatures, config: NextItemConfig) -> None:
        super().__init__()
        dim = config.embedding_dim
        self.num_items = len(features.text_tokens)
        self.id_dropout = config.id_dropout
        self.item_id = nn.Embedding(self.num_items, dim)
        text = torch.from_numpy(features.text_tokens).long()
        categorical = torch.from_numpy(features.categorical).long()
        dense = torch.from_numpy(features.numeric).float()
        dense = torch.cat([dense, torch.from_numpy(features.image).float()], dim=1)
        if not config.use_content:
            text, categorical, dense = text[:, :0], categorical[:, :0], dense[:, :0]
        self.used_columns = (categorical > 0).any(dim=0)
        self.used_dense = (dense != 0).any(dim=0)
        categorical, dense = categorical[:, self.used_columns], dense[:, self.used_dense]
        self.register_buffer("text", text, persistent=False)
        text_weight = torch.from_numpy(features.text_weights())
        self.register_buffer("text_weight", text_weight, persistent=False)
        self.register_buffer("categorical", categorical, persistent=False)
        self.register_buffer("dense", dense, persistent=False)
        num_words = int(text.max()) + 1 if text.numel() else 0
        self.words = (
            nn.EmbeddingBag(num_words, dim, mode="sum", padding_idx=0) if num_words > 1 else None
        )
        self.columns = nn.ModuleList(
            nn.Embedding(int(column.max()) + 1, dim, padding_idx=0) for column in categorical.T
        )
        self.projection = nn.Linear(dense.shape[1], dim, bias=False) if dense.shape[1] else None

    def forward(self, item_U: Tensor) -> Tensor:
        """Returns the embeddings of items, `[U, D]`; zero for padding and unknown.

        In training each item loses its id with probability `id_dropout`.
        """
        embedding_UD: Tensor = self.item_id(item_U)
        if self.training and self.id_dropout > 0:
            is_kept_U1 = torch.rand(len(item_U), 1, device=item_U.device) >= self.id_dropout
            embedding_UD = embedding_UD * is_kept_U1
        if self.words is not None:
            embedding_UD = embedding_UD + self.words(
                self.get_buffer("text")[item_U],
                per_sample_weights=self.get_buffer("text_weight")[item_U],
            )
        for column, values in zip(self.columns, self.get_buffer("categorical").T, strict=True):
            embedding_UD = embedding_UD + column(values[item_U])
        if self.projection is not None:
            embedding_UD = embedding_UD + self.projection(self.get_buffer("dense")[item_U])
        return embedding_UD * (item_U >= FIRST_ITEM_INDEX).unsqueeze(-1)

    def start_content(self, content: ContentStart) -> None:
        """Sets the content part, and takes what it explains from the ids."""

        def start(weight: Tensor, values: NDArray[Any]) -> None:
            weight.copy_(torch.from_numpy(values) * _INITIAL_STD)

        start(self.item_id.weight, self.item_id.weight.numpy() / _INITIAL_STD - content.fitted)
        if self.words is not None:
            start(self.words.weight, content.words)
        used = np.flatnonzero(self.used_columns.numpy())
        for column, values in zip(self.columns, (content.columns[c] for c in used), strict=True):
            assert isinstance(column, nn.Embedding)
            start(column.weight, values)
        if self.projection is not None:
            start(self.projection.weight, content.dense[self.used_dense.numpy()].T)

    def table(self) -> Tensor:
        """Returns the embeddings of the whole catalogue, `[V, D]`."""
        everything = torch.arange(self.num_items, device=self.item_id.weight.device)
        return torch.cat([self(part) for part in torch.split(everything, _TABLE_BLOCK)])


class HistoryEncoder(nn.Module):
    """Causal transformer over item vectors with position, event type and time gap."""

    def __init__(self, config: NextItemConfig) -> None:
        super().__init__()
        dim = config.embedding_dim
        self.max_len = config.max_len
        self.use_event_types, self.use_time_gaps = config.use_event_types, config.use_time_gaps
        self.position = nn.Embedding(config.max_len, dim)
        self.event_type = nn.Embedding(NUM_EVENT_CODES, dim)
        self.gap = nn.Embedding(NUM_GAP_BUCKETS, dim)
        self.empty = nn.Parameter(torch.zeros(dim))
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = Blocks(config)
        self.norm = nn.LayerNorm(dim)
        boundaries = torch.tensor(GAP_BOUNDARIES_DAYS)
        self.register_buffer("gap_boundaries_days", boundaries, persistent=False)

    def forward(
        self, item_BLD: Tensor, item_index_BL: Tensor, event_BL: Tensor, age_days_BL: Tensor
    ) -> Tensor:
        """Returns the state after each interaction, `[B, L, D]`.

        The state at l says what comes after interaction l and depends on interactions up to l
        only. Where l is padding it is one learned vector, the state of an empty history.

        Args:
            item_BLD: Item embeddings, float32 `[B, L, D]`.
            item_index_BL: int64 `[B, L]`, 0 is padding.
            event_BL: Event codes, int64 `[B, L]`; codes out of range count as the nearest one.
            age_days_BL: float32 `[B, L]`.
        """
        is_real_BL = item_index_BL != PADDING_INDEX
        if not self.use_event_types:
            event_BL = torch.zeros_like(event_BL)
        if not self.use_time_gaps:
            age_days_BL = torch.zeros_like(age_days_BL)
        length = item_index_BL.shape[1]
        newest_first = torch.arange(length - 1, -1, -1, device=item_BLD.device)
        position_LD = self.position(newest_first.clamp(max=self.max_len - 1))
        event_BLD = self.event_type(event_BL.clamp(0, NUM_EVENT_CODES - 1))
        boundaries = self.get_buffer("gap_boundaries_days")
        gap_BLD = self.gap(gap_buckets(age_days_BL, is_real_BL, boundaries))
        x_BLD = item_BLD + position_LD + event_BLD + gap_BLD
        x_BLD = self.dropout(torch.where(is_real_BL.unsqueeze(-1), x_BLD, self.empty))
        state_BLD: Tensor = self.norm(self.blocks(x_BLD, is_real_BL, age_days_BL))
        return state_BLD


def query_of(
    encoder: HistoryEncoder,
    match: ContentMatch,
    row_BLX: Tensor,
    item_index_BL: Tensor,
    event_BL: Tensor,
    age_days_BL: Tensor,
) -> Tensor:
    """Returns the state after the newest interaction with the history's content, `[B, X]`."""
    item_BLD = row_BLX[..., : match.dim]
    state_BLD = encoder(item_BLD, item_index_BL, event_BL, age_days_BL)
    query_BX: Tensor = match(state_BLD[:, -1], row_BLX)
    return query_BX


class NextItemModel(nn.Module):
    """Item embedder and history encoder; a score is the dot product of state and item.

    Served scores add the similarity of content, see `ContentMatch`.
    """

    def __init__(self, features: ItemFeatures, config: NextItemConfig) -> None:
        super().__init__()
        self.config = config
        self.items = ItemEmbedder(features, config)
        self.encoder = HistoryEncoder(config)
        self.match = ContentMatch(features, config)

    def initialise(
        self,
        is_trained_V: Tensor,
        item_VD: Tensor | None = None,
        content: ContentStart | None = None,
    ) -> None:
        """Draws all weights from torch's global generator, but for what is given.

        Items without a training interaction get a zero id vector. No gradient ever reaches it, so
        they are embedded from their content alone.

        Args:
            is_trained_V: Whether an item occurs in the training part, bool `[V]`.
            item_VD: Id vectors to start from, of root mean square 1, such as
                `stylerec.data.cooccurrence.spectral_embedding`; None draws them too.
            content: What the content explains of `item_VD`; the ids start as the rest.
        """
        for module in self.modules():
            if isinstance(module, nn.Embedding | nn.EmbeddingBag | nn.Linear):
                nn.init.normal_(module.weight, std=_INITIAL_STD)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.encoder.empty, std=_INITIAL_STD)
        with torch.no_grad():
            if item_VD is not None:
                self.items.item_id.weight.copy_(item_VD * _INITIAL_STD)
            if content is not None:
                self.items.start_content(content)
            self.items.item_id.weight[~is_trained_V] = 0.0
            for column in self.items.columns:
                assert isinstance(column, nn.Embedding)
                column.weight[0] = 0.0

    def item_rows(self) -> Tensor:
        """Returns what a query is multiplied with, `[V, X]`: embeddings, then their content."""
        # Ids of items that never trained are zero, see `initialise`.
        is_new_V = (self.items.item_id.weight == 0).all(dim=1)
        return self.match.item_rows(self.items.table(), is_new_V)

    def query(
        self, row_VX: Tensor, item_index_BL: Tensor, event_BL: Tensor, age_days_BL: Tensor
    ) -> Tensor:
        """Returns query embeddings of histories, `[B, X]`, items looked up in `item_rows`."""
        row_BLX = functional.embedding(item_index_BL, row_VX)
        return query_of(self.encoder, self.match, row_BLX, item_index_BL, event_BL, age_days_BL)

    def save(self, folder: Path) -> None:
        """Writes the config and the weights into an existing folder."""
        (folder / CONFIG_FILE).write_text(self.config.model_dump_json(indent=2))
        save_file(self.state_dict(), folder / WEIGHTS_FILE)

    @classmethod
    def load(cls, folder: Path, features: ItemFeatures) -> Self:
        """Returns the model that `save` wrote, in evaluation mode.

        Args:
            folder: Where `save` wrote.
            features: Item features of the data it was trained on.
        """
        config = NextItemConfig.model_validate_json((folder / CONFIG_FILE).read_text())
        model = cls(features, config)
        model.load_state_dict(load_file(folder / WEIGHTS_FILE))
        return model.eval()
