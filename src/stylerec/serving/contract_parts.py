"""The parts of the contract file that one touchpoint is made of, one model per section."""

from pydantic import BaseModel, ConfigDict, Field

from stylerec.schema.tensors import MAX_OUTFIT_SLOTS
from stylerec.schema.touchpoints import CarouselRule, Rung


class ContractModel(BaseModel):
    """Base of the contract's parts: unknown names and silent conversions are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Weights(ContractModel):
    """How much each signal counts; `customer` and `context` sum to 1."""

    customer: float = Field(ge=0, le=1)
    context: float = Field(ge=0, le=1)
    """The hero or the bag. Without a usable history it counts alone."""
    similarity: float = Field(default=0.0, ge=0, le=1)
    """Share of content similarity in the scores of the `co_purchase` rung."""


class Slots(ContractModel):
    """How many items (per carousel; for outfits: how many outfits) an answer holds."""

    default: int = Field(ge=1)
    maximum: int = Field(ge=1)


class Filters(ContractModel):
    """What may not be shown."""

    in_stock: bool = True
    market: bool = True
    exclude_seen: bool = False
    """Leaves out every item of the customer's history."""
    exclude_purchased: bool = False
    exclude_hero: bool = True
    """Leaves out the hero, or the items of the bag."""


class Diversity(ContractModel):
    """Most items of one kind in an answer; relaxed rather than leaving slots empty."""

    max_per_brand: int | None = Field(default=None, ge=1)
    max_per_product_type: int | None = Field(default=None, ge=1)


class Budgets(ContractModel):
    """Longest wait for each dependency, in milliseconds, inside the deadline."""

    history: int = Field(ge=1)
    outfit: int | None = Field(default=None, ge=1)
    next_item: int | None = Field(default=None, ge=1)
    ranking: int | None = Field(default=None, ge=1)

    def of(self, rung: Rung) -> int | None:
        """Returns the budget of a model rung, None if the contract names none."""
        budgets = {
            Rung.OUTFIT: self.outfit,
            Rung.NEXT_ITEM: self.next_item,
            Rung.RANKING: self.ranking,
        }
        return budgets[rung]


class Carousel(ContractModel):
    """One carousel of the `for-you` page."""

    rule: CarouselRule
    title: str = Field(min_length=1, max_length=120)
    max_candidates: int | None = Field(default=None, ge=1)
    """At most this many candidates; for `new_in`: how many of the newest items count as new."""


class LowPrice(ContractModel):
    """What counts as a little extra, in the retailer's currency."""

    max_price: float = Field(gt=0)
    max_share_of_bag: float = Field(gt=0, le=1)
    """A candidate costs at most this share of the whole bag."""


class OutfitRules(ContractModel):
    """How complete-the-look finds the items of an outfit."""

    candidates_per_slot: int = Field(default=1_000, ge=1, le=1_000_000)
    """Most items looked at per slot: those that go best with hero and customer; where no outfit
    model answers, the most popular ones."""
    beam_width: int = Field(default=3, ge=1, le=64)
    """Outfits under construction that the search keeps."""
    max_slots: int = Field(default=4, ge=1, le=MAX_OUTFIT_SLOTS)
    """Slots of the template used when neither this file nor the outfits give one."""
    max_price_ratio: float | None = Field(default=None, gt=0)
    """An item costs at most this many times the hero."""
    min_price_ratio: float | None = Field(default=None, gt=0)
    """An item costs at least this many times the hero."""
    shared_departments: tuple[str, ...] = ()
    """Departments whose items go with a hero of any department."""
    max_shared_items: int | None = Field(default=None, ge=0)
    """Two outfits of an answer share at most so many items; relaxed if there are too few."""
    templates: dict[str, tuple[tuple[str, ...], ...]] = Field(default_factory=dict)
    """Hero product type (`Dress`), hero product type in a department (`Dress @ Women`) or `*` to
    lists of product types, best first; wins over learnt templates."""
