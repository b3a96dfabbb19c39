"""What the ranking model computes and how it is trained; written as `config.json` beside it."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stylerec.schema.features import MAX_STORED_HISTORY

NegativeKind = Literal["in_batch", "uniform", "popularity"]


class RankingConfig(BaseModel):
    """Architecture, loss and training of the ranking model. The defaults are the full model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=7, ge=0, le=2**31 - 1)
    max_history_len: int = Field(default=50, ge=1, le=MAX_STORED_HISTORY)
    """L: newest interactions of a customer that the query tower reads."""

    embedding_dim: int = Field(default=64, ge=2, le=1024)
    """E; exported embeddings have one dimension more, the item's bias."""
    use_content: bool = True
    num_content_layers: int = Field(default=1, ge=0, le=4)
    """Residual dense layers over the summed content parts."""
    id_dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    """Share of items embedded from content alone in a training step."""
    use_input_embedding: bool = False
    """Give items in a history an id embedding of their own, as asymmetric factorisation does."""
    aggregation: Literal["mean", "weighted"] = "weighted"
    """How a history becomes one vector: plain mean, or by learned event and recency weights."""
    num_heads: int = Field(default=4, ge=1, le=16)
    """Groups of embedding dimensions with aggregation weights of their own."""
    num_query_layers: int = Field(default=1, ge=0, le=4)
    """Residual dense layers over the aggregated history."""

    max_full_softmax_items: int = Field(default=20_000, ge=0)
    """Largest catalogue (items with interactions) that trains on the full softmax."""
    negatives: NegativeKind = "popularity"
    """Where the sampled softmax of a larger catalogue takes its negatives from."""
    num_negatives: int = Field(default=2048, ge=1)
    """Negatives shared by a batch; `in_batch` takes the batch's own targets instead."""

    max_epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=1024, ge=1)
    examples_per_customer: int = Field(default=8, ge=1)
    """Most (history, target) pairs drawn from one customer per epoch."""
    min_steps_per_epoch: int = Field(default=40, ge=1)
    """A small retailer's epoch draws from its customers again until it has so many steps."""
    learning_rate: float = Field(default=6e-3, gt=0.0)
    """At the start; it falls along a half cosine until the last epoch."""
    weight_decay: float = Field(default=0.1, ge=0.0)
    dropout: float = Field(default=0.4, ge=0.0, lt=1.0)
    """Share of the aggregated history's dimensions dropped in training."""
    patience: int = Field(default=5, ge=1)
    """Epochs without a better validation NDCG@10 before training stops."""
    max_validation_customers: int = Field(default=2000, ge=1)

    @model_validator(mode="after")
    def _check_fields_together(self) -> Self:
        if self.aggregation == "weighted" and self.embedding_dim % self.num_heads:
            raise ValueError(
                f"ranking.num_heads: expected a divisor of embedding_dim {self.embedding_dim}, "
                f"got {self.num_heads}; change either"
            )
        if self.id_dropout > 0 and not self.use_content:
            raise ValueError(
                f"ranking.id_dropout: expected 0 without content, got {self.id_dropout}; an item "
                "without id and content has no embedding"
            )
        return self

    @classmethod
    def amf(cls) -> "RankingConfig":
        """Returns plain asymmetric matrix factorisation, the baseline of every gate.

        Paterek, "Improving regularized singular value decomposition for collaborative filtering"
        (2007), model NSVD1: the customer is the mean of a second embedding of the items in the
        history, whatever their order, event type and age.
        """
        return cls(
            use_content=False,
            num_content_layers=0,
            id_dropout=0.0,
            use_input_embedding=True,
            aggregation="mean",
            num_query_layers=0,
        )
