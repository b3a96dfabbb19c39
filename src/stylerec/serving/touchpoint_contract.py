"""What the contract file says about one touchpoint, and the checks within one touchpoint."""

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import Field

from stylerec.schema.tensors import MAX_OUTFIT_SLOTS
from stylerec.schema.touchpoints import MODEL_RUNGS, CandidateRule, Rung, Touchpoint
from stylerec.serving.contract_parts import (
    Budgets,
    Carousel,
    ContractModel,
    Diversity,
    Filters,
    LowPrice,
    OutfitRules,
    Slots,
    Weights,
)

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
