"""What preparation computes and how much memory it may take."""

from pydantic import BaseModel, ConfigDict, Field

from stylerec.data.splits import SplitConfig


class PrepareConfig(BaseModel):
    """Bounds of the prepared data set.

    Every choice but `memory_limit_mb` and `num_threads` changes the output; those two only decide
    when DuckDB spills to disk and how fast it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_history_len: int = Field(default=500, ge=3, le=100_000)
    """Interactions kept per customer, the newest."""
    split: SplitConfig = Field(default_factory=SplitConfig)
    """Which interactions train, validate and test."""
    popularity_days: int = Field(default=90, ge=1, le=36_500)
    """Popularity counts customers of this many days before the newest interaction; a log without
    timestamps counts them all."""
    num_neighbours: int = Field(default=50, ge=1, le=1_000)
    """Bought-together items kept per item."""
    neighbour_history_len: int = Field(default=30, ge=2, le=1_000)
    """Newest distinct items per customer that form pairs: at most n * (n - 1) / 2 a customer."""
    neighbour_shrinkage: float = Field(default=3.0, ge=0.0, le=1_000.0)
    """Added to the normaliser, so that one shared customer is weak evidence."""
    max_impressions: int = Field(default=250_000, ge=1_000)
    """Impressions that propensities are estimated from, about; of more, whole customers are left
    out evenly."""
    content_dim: int = Field(default=64, ge=1, le=1_024)
    """Largest width of the content embedding."""
    max_content_words: int = Field(default=20_000, ge=10, le=1_000_000)
    """Most frequent words and category values that the content embedding knows."""
    memory_limit_mb: int = Field(default=2_048, ge=128)
    """DuckDB's memory; what does not fit spills to a temporary folder."""
    num_threads: int = Field(default=2, ge=1, le=1_024)
