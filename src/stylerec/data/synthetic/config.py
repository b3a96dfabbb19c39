"""What to generate: sizes, period, seed."""

from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

EVENTS_PER_REQUEST = 1.45
"""Interactions per page request; see `calibration`."""

MAX_REQUESTS_OVER_MEAN = 8
"""The most active customer asks for at most this many times the mean number of pages."""

MAX_REQUEST_S = 2_340
"""Longest stretch of a customer's time that one request can take: page, checkout and pause."""

LATEST_JOIN = 0.7
"""Every customer has joined by this share of the period."""


class SyntheticConfig(BaseModel):
    """Everything that decides the bytes of a synthetic retailer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=7, ge=0)
    num_customers: int = Field(default=2_000, ge=1, le=9_999_999)
    num_items: int = Field(default=1_200, ge=250, le=500_000)
    num_outfits: int = Field(default=1_500, ge=0, le=5_000_000)
    """Zero leaves the outfits table out."""
    num_days: int = Field(default=180, ge=14, le=1_095)
    """Length of the logged period; it ends at 00:00 UTC of `end`."""
    end: date = date(2026, 6, 1)
    """Fixed by default so that the default bytes never change."""
    events_per_customer: float = Field(default=30.0, ge=3.0, le=300.0)
    """Mean interactions per customer, give or take a tenth: what is clicked depends on what is
    shown."""
    impressions_share: float = Field(default=1.0, ge=0.0, le=1.0)
    """Share of page requests whose impressions are logged; zero leaves the table out."""
    position_bias: float = Field(default=1.0, ge=0.0, le=4.0)
    """Power of the examination probabilities: 0 looks at every position, 2 fades twice as fast."""
    promotion: float = Field(default=0.0, ge=0.0, le=10.0)
    """How far the shop's own interest decides the order of its pages: weight of a score that is
    standard normal over items and means nothing to customers."""
    has_pictures: bool = True
    markets: tuple[str, ...] = Field(default=("GB", "US", "DE", "FR"), min_length=1, max_length=16)
    """Largest first."""

    @field_validator("markets")
    @classmethod
    def _check_markets(cls, markets: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(markets)) != len(markets) or not all(markets):
            raise ValueError(f"expected distinct, non-empty names, got {markets}; drop the repeats")
        return markets

    @model_validator(mode="after")
    def _check_activity_fits_period(self) -> Self:
        shortest_s = (1.0 - LATEST_JOIN) * self.num_days * 86_400
        needed_s = self.max_requests * MAX_REQUEST_S
        if needed_s > shortest_s:
            raise ValueError(
                f"events_per_customer: expected the busiest customer's {needed_s / 86_400:.1f} "
                f"days of shopping to fit into {shortest_s / 86_400:.1f} days, got "
                f"{self.events_per_customer:g}; lower it or raise num_days"
            )
        return self

    @property
    def mean_requests(self) -> float:
        """Mean page requests per customer."""
        return self.events_per_customer / EVENTS_PER_REQUEST

    @property
    def max_requests(self) -> int:
        """Most page requests of one customer."""
        return max(4, round(MAX_REQUESTS_OVER_MEAN * self.mean_requests))
