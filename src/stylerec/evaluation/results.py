"""What an evaluation found, as it is written to `evaluation.json`.

Fields with a default came later: the evaluation of an older release still reads.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from stylerec.data.splits import SplitName
from stylerec.evaluation.bootstrap import Interval, PairedDifference
from stylerec.evaluation.calibration import Calibration
from stylerec.evaluation.outfits import OutfitMetrics
from stylerec.evaluation.slices import SliceMetrics


class MetricsAtK(BaseModel):
    """All ranking metrics at one cut-off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hit_rate: float = Field(ge=0.0, le=1.0)
    """With one target per customer also the recall."""
    ndcg: float = Field(ge=0.0, le=1.0)
    mrr: float = Field(ge=0.0, le=1.0)
    coverage: float = Field(ge=0.0, le=1.0)
    """Share of the catalogue that is recommended to anybody."""
    novelty: float | None = None
    """Mean self-information of a recommended item, in bits; None without training counts."""
    popularity_bias: float | None = None
    """Popularity of recommendations over that of the customers' own choices; 1 is no bias."""


class PopularityShares(BaseModel):
    """Where recommendations and choices fall, by tenths of the catalogue, the most popular first.

    A tenth holds a tenth of the items, by their training interactions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recommended: tuple[float, ...]
    """Shares of all top ten places."""
    chosen: tuple[float, ...]
    """Shares of the interactions in the same customers' histories."""


class RankingMetrics(BaseModel):
    """How well a model ranks the item a customer chose next. Every item is a candidate.

    Items the customer has seen are filtered and ties count against the target.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hit_rate_at_10: float = Field(ge=0.0, le=1.0)
    ndcg_at_10: float = Field(ge=0.0, le=1.0)
    mrr_at_10: float = Field(ge=0.0, le=1.0)
    ndcg_at_10_standard_error: float = Field(ge=0.0)
    """Standard error of the mean over customers."""
    num_customers: int = Field(ge=0)
    num_repeat_targets: int = Field(ge=0)
    """Customers left out because their target was in their history, where it is filtered."""
    candidate_set: Literal["full"] = "full"
    is_weighted: bool = False
    """Means over weighted targets, such as by inverse propensity, instead of plain ones."""
    at: dict[int, MetricsAtK] = Field(default_factory=dict)
    """By cut-off: 1, 5, 10 and 20."""
    intervals: dict[str, Interval] = Field(default_factory=dict)
    """95 % bootstrap intervals over customers, by field, such as `ndcg_at_10`."""
    slices: dict[str, SliceMetrics] = Field(default_factory=dict)
    """By name; see `slices.slice_metrics`."""
    popularity: PopularityShares | None = None
    calibration: Calibration | None = None
    """None for scores that are no logits, and for weighted targets."""

    @property
    def coverage_at_10(self) -> float | None:
        """Share of the catalogue in anybody's top ten; None in an older evaluation."""
        return self.at[10].coverage if 10 in self.at else None

    @property
    def novelty_at_10(self) -> float | None:
        """Mean self-information of the top ten, in bits; None where it was not measured."""
        return self.at[10].novelty if 10 in self.at else None

    @property
    def popularity_bias_at_10(self) -> float | None:
        """Popularity of the top ten over the customers' own; None where it was not measured."""
        return self.at[10].popularity_bias if 10 in self.at else None


class GateResult(BaseModel):
    """One comparison that decides whether a candidate may be released."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Model, metric and what it is compared with, such as `ranking.ndcg_at_10 vs amf`."""
    value: float
    threshold: float
    """Smallest value that passes."""
    is_passed: bool
    detail: str
    """How the threshold came about, in numbers."""


class Evaluation(BaseModel):
    """Metrics of every model and baseline on one split, and the gates' verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: SplitName = "test"
    models: dict[str, RankingMetrics] = Field(default_factory=dict)
    """`ranking` and `next_item`, as far as they were trained."""
    baselines: dict[str, RankingMetrics] = Field(default_factory=dict)
    """`amf` and those of `evaluation.baselines`."""
    baseline_settings: dict[str, str] = Field(default_factory=dict)
    """Of each baseline that has any, what ranked the validation targets best."""
    differences: tuple[PairedDifference, ...] = ()
    """Each model against AMF and against the best other baseline, and the models themselves."""
    position_corrected: dict[str, RankingMetrics] = Field(default_factory=dict)
    """Models and AMF again, targets weighted by inverse propensity; empty without impressions."""
    outfit: OutfitMetrics | None = None
    omitted: dict[str, str] = Field(default_factory=dict)
    """Branch left out to its reason."""
    gates: tuple[GateResult, ...] = ()

    def headline(self) -> dict[str, float]:
        """Returns each model's and baseline's main figure: NDCG@10, and AUC for outfits."""
        figures = {
            f"{name}_ndcg_at_10": metrics.ndcg_at_10
            for name, metrics in {**self.models, **self.baselines}.items()
        }
        return figures if self.outfit is None else {**figures, "outfit_auc": self.outfit.auc}

    def save(self, path: Path) -> None:
        """Writes the evaluation as JSON."""
        path.write_text(self.model_dump_json(indent=2), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Evaluation":
        """Reads what `save` wrote."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))
