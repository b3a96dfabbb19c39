"""What the outfit model computes and how it is trained."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stylerec.data.outfit_negatives import NegativeRule
from stylerec.schema.features import MAX_STORED_HISTORY
from stylerec.schema.tensors import MAX_OUTFIT_SLOTS


class OutfitConfig(BaseModel):
    """Every choice behind one trained outfit model; written as `config.json` beside its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=7, ge=0)
    embedding_dim: int = Field(default=256, ge=2, le=1_024)
    """Dimensions of the style space."""
    part_dim: int = Field(default=64, ge=2, le=512)
    """Dimensions each part of an item (text, one category, picture, price) is embedded in."""
    hidden_dim: int = Field(default=512, ge=2, le=4_096)
    dropout: float = Field(default=0.3, ge=0.0, lt=1.0)
    use_attributes: bool = True
    """Whether words, brand, colour and prices count, or only category, product type and
    department."""
    use_pictures: bool = True
    """Ignored by a retailer without pictures."""
    picture_pooling: Literal["localised", "whole"] = "localised"
    """Whether a picture's features are those of its product, where a class-activation map sees it,
    or of the whole picture."""
    picture_channels: int = Field(default=128, ge=8, le=1_024)
    """Channels of the last feature map, from which class-activation maps are read."""
    picture_epochs: int = Field(default=8, ge=1, le=100)
    picture_max_steps: int = Field(default=400, ge=1)
    """Training of the picture network stops here, so its cost does not grow with the catalogue."""
    picture_batch_size: int = Field(default=128, ge=2)
    picture_learning_rate: float = Field(default=3e-3, gt=0.0, le=1.0)
    learning_rate: float = Field(default=2e-3, gt=0.0, le=1.0)
    weight_decay: float = Field(default=1e-2, ge=0.0, le=1.0)
    batch_size: int = Field(default=128, ge=1)
    """Outfits per step, each with its own counter-examples."""
    num_negatives: int = Field(default=2, ge=1, le=64)
    """Counter-examples per outfit with all items but the hero replaced, drawn anew each epoch."""
    num_single_negatives: int = Field(default=2, ge=0, le=64)
    """Counter-examples per outfit with one item replaced. Where everything is replaced one strong
    clue such as colour gives the answer away; these teach what else decides between two items."""
    negative_rule: NegativeRule = "popularity"
    """What a training counter-example has in common with its outfit; `type` is the paper's."""
    has_fixed_negatives: bool = False
    """Draws the counter-examples once, as the paper does, and not anew each epoch."""
    hard_negative_draws: int = Field(default=1, ge=1, le=16)
    """Draws per counter-example with one item replaced, of which the one that the model scores
    best is kept; 1 mines none."""
    single_loss: Literal["pairwise", "softmax"] = "pairwise"
    """How counter-examples with one item replaced compete with the outfit: one by one or all at
    once."""
    max_epochs: int = Field(default=30, ge=1)
    patience: int = Field(default=6, ge=1)
    """Epochs without a better validation AUC after which training stops."""
    scorer: Literal["best", "pairwise", "set"] = "best"
    """What scores whole outfits: the sum of pairwise products as in the paper, the set scorer over
    evidence from other outfits, or the one of both that validation outfits speak for."""
    max_partners: int = Field(default=128, ge=1, le=1_024)
    """Companions, and again relatives, that the set scorer remembers of each item."""
    max_history_len: int = Field(default=50, ge=1, le=MAX_STORED_HISTORY)
    """Interactions whose mean style stands for the customer."""
    max_templates: int = Field(default=8, ge=1, le=100)
    """Product-type templates kept per hero type."""
    max_template_slots: int = Field(default=MAX_OUTFIT_SLOTS, ge=1, le=MAX_OUTFIT_SLOTS)

    @model_validator(mode="after")
    def _patience_fits(self) -> Self:
        if self.patience > self.max_epochs:
            raise ValueError(
                f"outfit.patience: expected at most max_epochs = {self.max_epochs}, got "
                f"{self.patience}; lower patience or raise max_epochs"
            )
        if self.hard_negative_draws > 1 and not self.num_single_negatives:
            raise ValueError(
                "outfit.hard_negative_draws: expected 1 without num_single_negatives, got "
                f"{self.hard_negative_draws}; there is nothing to mine"
            )
        if self.has_fixed_negatives and self.hard_negative_draws > 1:
            raise ValueError(
                "outfit.hard_negative_draws: expected 1 with has_fixed_negatives, got "
                f"{self.hard_negative_draws}; what the model finds hard changes as it learns"
            )
        return self
