"""What the next-item model computes and how it is trained."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stylerec.data.target_weights import EventWeights
from stylerec.errors import ConfigError

LossName = Literal["full_softmax", "sampled_softmax", "gbce"]

_BY_ID_ALONE: dict[str, Any] = {
    "use_content": False,
    "id_dropout": 0.0,
    "use_event_types": False,
    "use_time_gaps": False,
    "initialisation": "random",
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
}
"""What the published recipes share: items are ids, and an interaction is nothing but its item."""

FULL_SOFTMAX_MAX_ITEMS = 25_000
"""With `loss="auto"`, larger catalogues than this train with the sampled softmax."""


class NextItemConfig(BaseModel):
    """Settings of the next-item model; written as `config.json` beside every model it trained.

    Attributes:
        max_len: L, the newest interactions the model reads.
        embedding_dim: D, size of item embeddings and hidden states.
        num_layers: Transformer blocks.
        num_heads: H, attention heads; divides `embedding_dim`.
        block: `pre_norm` as in SASRec with the norms first, `ligr` with gated residuals and SwiGLU
            as in eSASRec, or `hstu` with pointwise attention and biases of position and time.
        feed_forward_factor: Width of a block's feed-forward part, in multiples of D; `hstu` has
            none.
        dropout: Share of input and block activations dropped in training.
        id_dropout: Share of items that lose their id in a training step, so that the model also
            learns to embed an item from its content alone.
        use_content: Whether item embeddings have a content part.
        match_dim: F, dimensions in which content similarity is added to a trained model's scores,
            see `stylerec.models.content_match`; 0 for none.
        new_item_boost: Added to the score of items that had no interaction to train on. They then
            show more, and known items less; 0 leaves what the model expects.
        use_event_types: Whether the model tells a view from a purchase; else all read as one.
        use_time_gaps: Whether the model reads the time between interactions; else only their order.
        event_weights: How much a target of each event type counts in the loss.
        use_propensity: Whether targets are weighted against position bias, see `TargetWeights`.
        min_propensity: Smallest examination propensity that is believed.
        initialisation: Where id vectors start: `spectral` from which items occur together
            (`stylerec.data.cooccurrence`), or `random`.
        loss: `auto` takes the full softmax up to 25,000 trained items, else the sampled one.
        num_negatives: Items drawn per step for the sampled losses, shared by the whole batch.
        negative_power: The sampled softmax draws in proportion to count to this power; 0 is
            uniform, as gBCE always draws.
        gbce_calibration: t of gSASRec, 0 for the plain binary cross-entropy to 1.
        batch_targets: Interactions to predict per optimiser step, about.
        learning_rate: AdamW's peak, after a linear warm-up over the first epoch and before a linear
            decay over `max_epochs`.
        weight_decay: AdamW's.
        max_epochs: Passes over the training part, at most.
        patience: Epochs without a better validation NDCG@10 before training stops.
        max_validation_customers: Customers drawn for the validation metric.
        precision: Of training's matrix products. `bfloat16` runs them under autocast, with weights,
            sums and norms in float32; `auto` does so on a GPU that has it. See `precision.py`.
        compile: Whether `torch.compile` fuses the encoder: seconds to minutes at the start, faster
            steps on a GPU.
        seed: Of weights, shuffling, negatives and dropout.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_len: int = Field(default=50, ge=2, le=512)
    embedding_dim: int = Field(default=64, ge=8, le=1_024)
    num_layers: int = Field(default=2, ge=1, le=12)
    num_heads: int = Field(default=2, ge=1, le=16)
    block: Literal["pre_norm", "ligr", "hstu"] = "ligr"
    feed_forward_factor: int = Field(default=2, ge=1, le=8)
    dropout: float = Field(default=0.3, ge=0.0, lt=1.0)
    id_dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    use_content: bool = True
    match_dim: int = Field(default=128, ge=0, le=1024)
    new_item_boost: float = Field(default=0.0, ge=0.0)
    use_event_types: bool = True
    use_time_gaps: bool = True
    event_weights: EventWeights = EventWeights()
    use_propensity: bool = False
    min_propensity: float = Field(default=0.1, gt=0.0, le=1.0)
    initialisation: Literal["random", "spectral"] = "spectral"
    loss: Literal["auto", "full_softmax", "sampled_softmax", "gbce"] = "auto"
    num_negatives: int = Field(default=1_024, ge=1, le=65_536)
    negative_power: float = Field(default=0.5, ge=0.0, le=1.0)
    gbce_calibration: float = Field(default=0.75, ge=0.0, le=1.0)
    batch_targets: int = Field(default=1_024, ge=1)
    learning_rate: float = Field(default=1.5e-3, gt=0.0)
    weight_decay: float = Field(default=0.01, ge=0.0)
    max_epochs: int = Field(default=20, ge=1)
    patience: int = Field(default=4, ge=1)
    max_validation_customers: int = Field(default=2_000, ge=1)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: bool = False
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

    @property
    def num_match_dims(self) -> int:
        """F: dimensions in which items meet by their content alone."""
        return self.match_dim if self.use_content else 0

    def loss_for(self, num_trained_items: int) -> LossName:
        """Returns the loss that a catalogue of this size trains with."""
        if self.loss != "auto":
            return self.loss
        is_small = num_trained_items <= FULL_SOFTMAX_MAX_ITEMS
        return "full_softmax" if is_small else "sampled_softmax"

    @classmethod
    def sasrec(cls, **changes: Any) -> Self:  # noqa: ANN401
        """Returns SASRec (Kang & McAuley 2018) with the paper's settings for sparse data.

        Two blocks of one head, D = 50, dropout 0.5, binary cross-entropy. Deliberate differences:
        256 negatives shared by the batch where the paper draws one per target, GELU for ReLU, the
        schedule of the learning rate.
        """
        recipe = {
            "embedding_dim": 50,
            "num_layers": 2,
            "num_heads": 1,
            "block": "pre_norm",
            "feed_forward_factor": 1,
            "dropout": 0.5,
            "loss": "gbce",
            "gbce_calibration": 0.0,
            "num_negatives": 256,
        }
        return cls(**{**_BY_ID_ALONE, **recipe, **changes})

    @classmethod
    def gsasrec(cls, **changes: Any) -> Self:  # noqa: ANN401
        """Returns gSASRec (Petrov & Macdonald 2023): SASRec with gBCE, t = 0.75, 256 negatives.

        D = 256 and three blocks as in the authors' PyTorch code. Deliberate difference: negatives
        are shared by the batch where the paper draws 256 per target.
        """
        recipe = {
            "embedding_dim": 256,
            "num_layers": 3,
            "num_heads": 1,
            "gbce_calibration": 0.75,
        }
        return cls.sasrec(**{**recipe, **changes})

    @classmethod
    def esasrec(cls, **changes: Any) -> Self:  # noqa: ANN401
        """Returns eSASRec (Tikhonovich et al. 2025): LiGR blocks and the sampled softmax.

        One block of one head, D = 256, feed-forward 4 D, dropout 0.2, 256 uniform negatives: the
        authors' settings for Amazon Beauty. Deliberate difference: negatives are shared by the
        batch where the authors draw 256 per target.
        """
        recipe = {
            "embedding_dim": 256,
            "num_layers": 1,
            "num_heads": 1,
            "block": "ligr",
            "feed_forward_factor": 4,
            "dropout": 0.2,
            "loss": "sampled_softmax",
            "negative_power": 0.0,
            "num_negatives": 256,
        }
        return cls(**{**_BY_ID_ALONE, **recipe, **changes})

    @classmethod
    def hstu(cls, **changes: Any) -> Self:  # noqa: ANN401
        """Returns HSTU (Zhai et al. 2024): four blocks of four heads with biases of time.

        D = 64, dropout 0.5, sampled softmax with 512 uniform negatives: the authors' settings for
        Amazon Books. Deliberate differences: see `layers.HstuBlock`.
        """
        recipe = {
            "embedding_dim": 64,
            "num_layers": 4,
            "num_heads": 4,
            "block": "hstu",
            "dropout": 0.5,
            "loss": "sampled_softmax",
            "negative_power": 0.0,
            "num_negatives": 512,
            "use_time_gaps": True,
        }
        return cls(**{**_BY_ID_ALONE, **recipe, **changes})
