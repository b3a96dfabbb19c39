"""What the contract file says about one touchpoint, and the checks within one touchpoint."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from stylerec.schema.tensors import MAX_OUTFIT_SLOTS
from stylerec.schema.touchpoints import MODEL_RUNGS, CandidateRule, CarouselRule, Rung, Touchpoint

HERO_RULES = (
    CandidateRule.SAME_CATEGORY,
    CandidateRule.BOUGHT_TOGETHER,
    CandidateRule.OUTFIT_TEMPLATE,
)
"""Rules that start from a hero item, so that a request must name one."""
CONTEXT_RULES = (*HERO_RULES, CandidateRule.LOW_PRICE_COMPLEMENTS)
"""Rules with a context: the hero or the bag."""
ALLOWED_RULES: dict[Touchpoint, tuple[CandidateRule, ...]] = {
    Touchpoint.CATEGORY_PAGE: (CandidateRule.GIVEN,),
    Touchpoint.SEARCH_PAGE: (CandidateRule.GIVEN,),
    Touchpoint.YOU_MIGHT_ALSO_LIKE: (CandidateRule.SAME_CATEGORY, CandidateRule.BOUGHT_TOGETHER),
    Touchpoint.PEOPLE_ALSO_BOUGHT: (CandidateRule.BOUGHT_TOGETHER, CandidateRule.SAME_CATEGORY),
    Touchpoint.LITTLE_SOMETHING_EXTRA: (CandidateRule.LOW_PRICE_COMPLEMENTS,),
    Touchpoint.FOR_YOU: (CandidateRule.CAROUSELS,),
    Touchpoint.COMPLETE_THE_LOOK: (CandidateRule.OUTFIT_TEMPLATE,),
}
"""What callers of a touchpoint send decides which rules can work there."""


MAX_OUTFITS = 8
"""Most outfits in an answer: each is searched for anew."""


class CrossFault(NamedTuple):
    """A fault between fields: `path` leads from the contract's root to the field at fault."""

    path: tuple[str, ...]
    expected: str
    got: str
    fix: str


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


class TouchpointContract(ContractModel):
    """Everything the contract says about one touchpoint."""

    candidates: CandidateRule
    rungs: tuple[Rung, ...] = Field(min_length=1)
    """Who may rank, best first."""
    weights: Weights
    slots: Slots
    filters: Filters
    diversity: Diversity = Diversity()
    deadline_ms: int = Field(ge=1, le=10_000)
    budget_ms: Budgets
    traffic: float = Field(ge=0)
    """Share of all requests, relative to the other touchpoints; benchmarks draw from it."""
    carousels: tuple[Carousel, ...] = ()
    low_price: LowPrice | None = None
    outfit: OutfitRules | None = None

    @property
    def has_context(self) -> bool:
        """Whether requests name a hero or a bag."""
        return self.candidates in CONTEXT_RULES

    def cross_faults(self, touchpoint: Touchpoint, *, reserve_ms: int) -> Iterator[CrossFault]:
        """Yields what does not fit together, paths relative to this touchpoint."""
        allowed = ALLOWED_RULES[touchpoint]
        if self.candidates not in allowed:
            yield CrossFault(
                ("candidates",),
                f"{' or '.join(allowed)} at {touchpoint}",
                self.candidates,
                "a request to this touchpoint brings nothing else to start from",
            )
        yield from self._rung_faults()
        yield from self._weight_faults()
        yield from self._budget_faults(reserve_ms)
        yield from self._slot_faults()
        yield from self._section_faults()

    def _rung_faults(self) -> Iterator[CrossFault]:
        path, listed = ("rungs",), ", ".join(self.rungs)
        if self.rungs[-1] != Rung.POPULAR:
            yield CrossFault(
                path,
                "popular as the last rung",
                listed,
                "end with popular: it needs no model and no history, so it can always answer",
            )
        if len(set(self.rungs)) != len(self.rungs):
            yield CrossFault(path, "each rung once", listed, "remove the repeats")
        if Rung.OUTFIT in self.rungs and self.candidates != CandidateRule.OUTFIT_TEMPLATE:
            yield CrossFault(
                path, "outfit only with outfit_template candidates", listed, "remove outfit"
            )
        if Rung.CO_PURCHASE in self.rungs and not self.has_context:
            yield CrossFault(
                path, "co_purchase only with a hero or a bag", listed, "remove co_purchase"
            )

    def _weight_faults(self) -> Iterator[CrossFault]:
        total = self.weights.customer + self.weights.context
        if abs(total - 1.0) > 1e-6:
            yield CrossFault(
                ("weights",),
                "customer and context to sum to 1",
                f"{total:g}",
                "raise one or lower the other",
            )
        elif self.weights.context and not self.has_context:
            yield CrossFault(
                ("weights", "context"),
                f"0 with {self.candidates} candidates",
                f"{self.weights.context:g}",
                "set it to 0 and customer to 1: there is no hero and no bag here",
            )

    def _budget_faults(self, reserve_ms: int) -> Iterator[CrossFault]:
        total = self.budget_ms.history + reserve_ms
        for rung in MODEL_RUNGS:
            budget = self.budget_ms.of(rung)
            total += budget or 0
            if (budget is not None) != (rung in self.rungs):
                is_missing = budget is None
                yield CrossFault(
                    ("budget_ms", *(() if is_missing else (rung.value,))),
                    f"a budget for {rung}" if is_missing else "budgets of listed rungs only",
                    "none" if is_missing else f"{rung}: {budget}",
                    f"add `{rung}: <milliseconds>`" if is_missing else f"remove `{rung}`",
                )
        if total > self.deadline_ms:
            yield CrossFault(
                ("deadline_ms",),
                f"at least {total} (all budgets and reserve_ms)",
                str(self.deadline_ms),
                "raise it or lower the budgets",
            )

    def _slot_faults(self) -> Iterator[CrossFault]:
        if self.slots.default > self.slots.maximum:
            yield CrossFault(
                ("slots", "default"),
                f"at most slots.maximum = {self.slots.maximum}",
                str(self.slots.default),
                "lower it or raise the maximum",
            )
        is_outfit = self.candidates == CandidateRule.OUTFIT_TEMPLATE
        if is_outfit and self.slots.maximum > MAX_OUTFITS:
            yield CrossFault(
                ("slots", "maximum"),
                f"at most {MAX_OUTFITS} outfits",
                str(self.slots.maximum),
                "lower it: every outfit is searched for anew",
            )
        if is_outfit and not self.filters.exclude_hero:
            yield CrossFault(
                ("filters",),
                "exclude_hero: true with outfit_template candidates",
                "false",
                "remove it: an outfit is built around its hero",
            )

    def _section_faults(self) -> Iterator[CrossFault]:
        sections = {
            "carousels": (CandidateRule.CAROUSELS, bool(self.carousels)),
            "low_price": (CandidateRule.LOW_PRICE_COMPLEMENTS, self.low_price is not None),
            "outfit": (CandidateRule.OUTFIT_TEMPLATE, self.outfit is not None),
        }
        for name, (rule, is_present) in sections.items():
            if is_present != (self.candidates == rule):
                yield CrossFault(
                    (name,),
                    f"{'no ' if is_present else ''}`{name}` with {self.candidates} candidates",
                    "one" if is_present else "none",
                    f"{'remove' if is_present else 'add'} `{name}`",
                )
        rules = [carousel.rule for carousel in self.carousels]
        if len(set(rules)) != len(rules):
            yield CrossFault(
                ("carousels",), "each rule once", ", ".join(rules), "remove the repeats"
            )
        yield from self._outfit_faults()

    def _outfit_faults(self) -> Iterator[CrossFault]:
        rules = self.outfit
        if rules and rules.max_price_ratio and rules.max_price_ratio < (rules.min_price_ratio or 0):
            yield CrossFault(
                ("outfit", "min_price_ratio"),
                f"at most max_price_ratio = {rules.max_price_ratio:g}",
                f"{rules.min_price_ratio:g}",
                "lower it: no price lies between the two",
            )
        for hero_type, templates in (self.outfit.templates if self.outfit else {}).items():
            sizes = [len(template) for template in templates]
            if not sizes or not all(1 <= size <= MAX_OUTFIT_SLOTS for size in sizes):
                yield CrossFault(
                    ("outfit", "templates", hero_type),
                    f"lists of 1 to {MAX_OUTFIT_SLOTS} product types",
                    f"sizes {sizes}",
                    "shorten, fill or remove the list",
                )
