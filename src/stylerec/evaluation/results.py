"""What an evaluation found, as it is written to `evaluation.json`."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from stylerec.evaluation.outfits import OutfitMetrics
from stylerec.evaluation.ranking import RankingMetrics, SplitName


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
    """`amf`, `popular`, `item_knn_last` and `item_knn_history`."""
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
