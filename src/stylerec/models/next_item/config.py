"""What the next-item model computes and how it is trained."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stylerec.errors import ConfigError

FULL_SOFTMAX_MAX_ITEMS = 5_000
"""With `loss="auto"`, larger catalogues than this train with the sampled softmax."""


class NextItemConfig(BaseModel):
    """Settings of the next-item model; written as `config.json` beside every model it trained.

    Attributes:
        max_len: L, the newest interactions the model reads.
        embedding_dim: D, size of item embeddings and hidden states.
        num_layers: Transformer blocks.
        num_heads: H, attention heads; divides `embedding_dim`.
        block: `pre_norm` as in SASRec with the norms first, or `ligr` with gated residuals and
            SwiGLU as in eSASRec.
        feed_forward_factor: Width of a block's feed-forward part, in multiples of D.
        dropout: Share of input and block activations dropped in training.
        id_dropout: Share of items that lose their id in a training step, so that the model also
            learns to embed an item from its content alone.
        use_content: Whether item embeddings have a content part.
        loss: `auto` takes the full softmax up to 5,000 trained items, else the sampled one.
        num_negatives: Items drawn per step for the sampled softmax, shared by the whole batch.
        negative_power: Negatives are drawn in proportion to count to this power; 0 is uniform.
        batch_targets: Interactions to predict per optimiser step, about.
        learning_rate: AdamW's peak, after a linear warm-up over the first epoch and before a linear
            decay over `max_epochs`.
        weight_decay: AdamW's.
        max_epochs: Passes over the training part, at most.
        patience: Epochs without a better validation NDCG@10 before training stops.
        max_validation_customers: Customers drawn for the validation metric.
        seed: Of weights, shuffling, negatives and dropout.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_len: int = Field(default=50, ge=2, le=512)
    embedding_dim: int = Field(default=64, ge=8, le=1_024)
    num_layers: int = Field(default=2, ge=1, le=12)
    num_heads: int = Field(default=2, ge=1, le=16)
    block: Literal["pre_norm", "ligr"] = "ligr"
    feed_forward_factor: int = Field(default=2, ge=1, le=8)
    dropout: float = Field(default=0.3, ge=0.0, lt=1.0)
    id_dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    use_content: bool = True
    loss: Literal["auto", "full_softmax", "sampled_softmax"] = "auto"
    num_negatives: int = Field(default=1_024, ge=1, le=65_536)
    negative_power: float = Field(default=0.5, ge=0.0, le=1.0)
    batch_targets: int = Field(default=1_024, ge=1)
    learning_rate: float = Field(default=1.5e-3, gt=0.0)
    weight_decay: float = Field(default=0.01, ge=0.0)
    max_epochs: int = Field(default=20, ge=1)
    patience: int = Field(default=4, ge=1)
    max_validation_customers: int = Field(default=2_000, ge=1)
    seed: int = Field(default=7, ge=0)

    @model_validator(mode="after")
    def _heads_divide_dim(self) -> Self:
        if self.embedding_dim % self.num_heads:
            raise ConfigError(
                "next_item.num_heads",
                expected=f"a divisor of embedding_dim = {self.embedding_dim}",
                got=str(self.num_heads),
                fix="change one of the two in the pipeline's config",
            )
        return self

    def uses_full_softmax(self, num_trained_items: int) -> bool:
        """Returns whether a catalogue of this size trains with the full softmax."""
        if self.loss == "auto":
            return num_trained_items <= FULL_SOFTMAX_MAX_ITEMS
        return self.loss == "full_softmax"
