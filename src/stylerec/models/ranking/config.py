"""What the ranking model computes and how it is trained; written as `config.json` beside it."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stylerec.data.target_weights import EventWeights
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
    match_dim: int = Field(default=128, ge=0, le=1024)
    """M: dimensions in which content similarity is added to a trained model's scores, see
    `stylerec.models.content_match`; 0 for none."""
    new_item_boost: float = Field(default=0.0, ge=0.0)
    """Added to the score of items that had no interaction to train on. They then show more, and
    known items less; 0 leaves what the model expects."""
    id_dropout: float = Field(default=0.2, ge=0.0, lt=1.0)
    """Share of items embedded from content alone in a training step."""
    use_input_embedding: bool = False
    """Give items in a history an id embedding of their own, as asymmetric factorisation does."""
    use_item_bias: bool = True
    """Add to each score how popular the item is whoever asks."""
    initialisation: Literal["random", "spectral"] = "random"
    """Where id embeddings start: noise, or which items occur near each other in histories."""
    initial_std: float = Field(default=0.05, gt=0.0, le=1.0)
    """Standard deviation of weights before training."""
    aggregation: Literal["mean", "weighted"] = "weighted"
    """How a history becomes one vector: plain mean, or by learned event and recency weights."""
    history_exponent: float = Field(default=0.5, ge=0.0, le=1.0)
    """alpha: the sum over a history of n interactions is divided by n ** alpha, as in FISM."""
    num_heads: int = Field(default=4, ge=1, le=16)
    """Groups of embedding dimensions with aggregation weights of their own."""
    num_query_layers: int = Field(default=1, ge=0, le=4)
    """Residual dense layers over the aggregated history."""
    use_event_types: bool = True
    """Weigh interactions by their event type; otherwise every type reads as one."""
    use_time_gaps: bool = True
    """Weigh interactions by their age; otherwise all read as new."""
    event_weights: EventWeights = EventWeights()
    """How much a target of each event type counts in the loss."""
    use_propensity: bool = False
    """Weigh targets against position bias, see `TargetWeights`."""
    min_propensity: float = Field(default=0.1, gt=0.0, le=1.0)
    """Smallest examination propensity that is believed."""

    loss: Literal["softmax", "gbce"] = "softmax"
    """Softmax over all items or sampled ones, or gSASRec's binary cross-entropy."""
    gbce_calibration: float = Field(default=0.75, ge=0.0, le=1.0)
    """t of gSASRec, 0 for the plain binary cross-entropy to 1."""
    max_full_softmax_items: int = Field(default=25_000, ge=0)
    """Largest catalogue (items with interactions) that trains on the full softmax."""
    negatives: NegativeKind = "popularity"
    """Where the sampled softmax of a larger catalogue takes its negatives from."""
    num_negatives: int = Field(default=2048, ge=1)
    """Negatives shared by a batch; `in_batch` takes the batch's own targets instead."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the products with all items in the softmax; weights and sums are always float32."""

    max_epochs: int = Field(default=12, ge=1)
    batch_size: int = Field(default=1024, ge=1)
    examples_per_customer: int = Field(default=50, ge=1)
    """Most (history, target) pairs drawn from one customer per epoch."""
    min_steps_per_epoch: int = Field(default=40, ge=1)
    """A small retailer's epoch draws from its customers again until it has so many steps."""
    learning_rate: float = Field(default=6e-3, gt=0.0)
    """At the start; it falls along a half cosine until the last epoch."""
    weight_decay: float = Field(default=0.3, ge=0.0)
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
        if self.loss == "gbce" and self.negatives != "uniform":
            raise ValueError(
                f'ranking.negatives: expected "uniform" with the loss "gbce", got '
                f'"{self.negatives}"; its calibration holds for uniform negatives alone'
            )
        return self

    @property
    def has_match(self) -> bool:
        """Whether content similarity is added to a trained model's scores."""
        return self.use_content and self.match_dim > 0

    @classmethod
    def amf(cls, **changes: Any) -> "RankingConfig":  # noqa: ANN401
        """Returns plain asymmetric matrix factorisation, the baseline of every gate.

        Paterek, "Improving regularized singular value decomposition for collaborative filtering"
        (2007), model NSVD1: the customer is the sum of a second embedding of the items in the
        history, whatever their order, event type and age, over a power of their number (equation 6
        there; Kabbur et al., "FISM", 2013, equation 3, with its exponent alpha).

        It is tuned as the full model is, and starts from the spectral embedding: without content
        that is worth 10 % of validation NDCG@10 on Amazon Beauty, with content nothing.

        Args:
            changes: Fields that differ, such as the learning rate; with content or learned
                aggregation it is no longer the baseline.
        """
        plain: dict[str, Any] = {
            "use_content": False,
            "num_content_layers": 0,
            "id_dropout": 0.0,
            "use_input_embedding": True,
            "initialisation": "spectral",
            "aggregation": "mean",
            "num_query_layers": 0,
        }
        return cls(**plain | changes)
