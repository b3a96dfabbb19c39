"""A decoded JSON body to requests; every wrong one is a `RequestError` naming the field."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from stylerec.errors import RequestError, shortened
from stylerec.schema.tensors import MAX_OUTFIT_SLOTS
from stylerec.schema.touchpoints import CandidateRule, CarouselRule, Touchpoint
from stylerec.serving.contract import Contract
from stylerec.serving.request_fields import integer, mapping, number, shown, text, texts
from stylerec.serving.touchpoint_contract import HERO_RULES, TouchpointContract

MAX_BAG_ITEMS = 100
MAX_EXCLUDED_ITEMS = 1_000
MAX_DEADLINE_MS = 60_000

_COMMON_FIELDS = (
    "touchpoint",
    "customer_id",
    "market",
    "limit",
    "max_price",
    "exclude_item_ids",
    "deadline_ms",
)
_FIELDS_OF_RULE: dict[CandidateRule, tuple[str, ...]] = {
    CandidateRule.GIVEN: ("candidate_item_ids",),
    CandidateRule.LOW_PRICE_COMPLEMENTS: ("bag_item_ids",),
    CandidateRule.CAROUSELS: ("carousels",),
    **dict.fromkeys(HERO_RULES, ("hero_item_id",)),
    CandidateRule.OUTFIT_TEMPLATE: ("hero_item_id", "template"),
}
_PURPOSE = {
    "hero_item_id": "the item that the customer is looking at",
    "bag_item_ids": "the items in the customer's bag",
    "candidate_item_ids": "the items of the page, to be put in order",
}


@dataclass(frozen=True)
class RecommendationRequest:
    """One validated request.

    Attributes:
        touchpoint: Where the answer will show.
        limit: Items (per carousel), or outfits at complete-the-look; within the contract's slots.
        customer_id: Who is asking; None for an anonymous visitor.
        hero_item_id: The item looked at, where the touchpoint has one.
        bag_item_ids: Items in the bag, without repeats.
        candidate_item_ids: Items to be put in order, without repeats.
        exclude_item_ids: Items that may not be shown.
        carousels: Carousels to fill; empty for all of the contract's.
        template: Product types of the outfits, besides the hero; empty for the hero's own template.
        market: Shop whose assortment and popularity apply; None for no market filter.
        max_price: Dearest item to be shown, in the retailer's currency.
        deadline_ms: The contract's deadline or the caller's, whichever is shorter.
    """

    touchpoint: Touchpoint
    limit: int
    deadline_ms: int
    customer_id: str | None = None
    hero_item_id: str | None = None
    bag_item_ids: tuple[str, ...] = ()
    candidate_item_ids: tuple[str, ...] = ()
    exclude_item_ids: tuple[str, ...] = ()
    carousels: tuple[CarouselRule, ...] = ()
    template: tuple[str, ...] = ()
    market: str | None = None
    max_price: float | None = None


def parse_instances(
    payload: object,
    *,
    contract: Contract,
    markets: Sequence[str] = (),
    product_types: Collection[str] = (),
) -> list[RecommendationRequest]:
    """Returns the requests of a V1 body, `{"instances": [...]}`.

    Args:
        payload: The decoded JSON body, whatever it is.
        contract: Decides which fields a touchpoint needs and how much may be asked.
        markets: The release's markets; empty when the retailer has none, then any name passes.
        product_types: The release's product types in lower case; empty for no check.

    Raises:
        RequestError: Anything wrong; `where` is the field, such as `instances[3].limit`.
    """
    body = mapping(payload, "body", fix='send {"instances": [{"touchpoint": ...}]}')
    _refuse_unknown(body, ("instances",), "")
    instances = body.get("instances")
    if not isinstance(instances, list) or not instances:
        raise RequestError(
            "instances",
            expected="a list with at least one request",
            got=shown(instances) if "instances" in body else "nothing",
            fix='send {"instances": [{"touchpoint": ...}]}',
        )
    if len(instances) > contract.max_instances:
        raise RequestError(
            "instances",
            expected=f"at most {contract.max_instances} requests",
            got=str(len(instances)),
            fix="split them over several calls",
        )
    return [
        parse_request(
            instance,
            contract=contract,
            markets=markets,
            product_types=product_types,
            where=f"instances[{position}]",
        )
        for position, instance in enumerate(instances)
    ]


def parse_request(
    instance: object,
    *,
    contract: Contract,
    markets: Sequence[str] = (),
    product_types: Collection[str] = (),
    where: str = "instance",
) -> RecommendationRequest:
    """Returns one request.

    Raises:
        RequestError: Anything wrong; `where` leads to the field.
    """
    given = mapping(instance, where, fix='send an object such as {"touchpoint": "for-you"}')
    # A null stands for a field left out: typed clients send every field.
    fields = {name: value for name, value in given.items() if value is not None}
    touchpoint = _touchpoint(fields, where)
    rules = contract.of(touchpoint)
    own = _FIELDS_OF_RULE[rules.candidates]
    _refuse_unknown(fields, (*_COMMON_FIELDS, *own), f"{where}.", touchpoint)
    for name in own:
        if name in _PURPOSE and name not in fields:
            raise RequestError(
                f"{where}.{name}",
                expected=f"a value at {touchpoint}",
                got="nothing",
                fix=f"send {_PURPOSE[name]}",
            )
    max_price = fields.get("max_price")
    return RecommendationRequest(
        touchpoint=touchpoint,
        limit=_limit(fields, rules, where),
        deadline_ms=_deadline_ms(fields, rules, where),
        customer_id=_optional_text(fields, "customer_id", where),
        hero_item_id=_optional_text(fields, "hero_item_id", where),
        bag_item_ids=_ids(fields, "bag_item_ids", where, maximum=MAX_BAG_ITEMS),
        candidate_item_ids=_ids(
            fields, "candidate_item_ids", where, maximum=contract.max_given_candidates
        ),
        exclude_item_ids=_ids(
            fields, "exclude_item_ids", where, maximum=MAX_EXCLUDED_ITEMS, may_be_empty=True
        ),
        carousels=_carousels(fields, rules, where),
        template=_template(fields, product_types, where),
        market=_market(fields, markets, where),
        max_price=None if max_price is None else number(max_price, f"{where}.max_price"),
    )


def _touchpoint(fields: dict[str, object], where: str) -> Touchpoint:
    known = ", ".join(Touchpoint)
    if "touchpoint" not in fields:
        raise RequestError(
            f"{where}.touchpoint", expected=f"one of {known}", got="nothing", fix="name one"
        )
    name = text(fields["touchpoint"], f"{where}.touchpoint")
    if name not in tuple(Touchpoint):
        raise RequestError(
            f"{where}.touchpoint",
            expected=f"one of {known}",
            got=shown(name),
            fix="check the spelling",
        )
    return Touchpoint(name)


def _refuse_unknown(
    fields: dict[str, object], known: Sequence[str], prefix: str, touchpoint: str = ""
) -> None:
    unknown = sorted(name for name in fields if name not in known)
    if unknown:
        at = f" at {touchpoint}" if touchpoint else ""
        raise RequestError(
            prefix + _escaped(unknown[0]),
            expected=f"only {', '.join(known)}{at}",
            got=shortened(map(_escaped, unknown)),
            fix="remove it or check the spelling",
        )


def _escaped(name: str) -> str:
    """Returns a field's name such that any log and any encoder can take it."""
    return shown(name)[1:-1] or "''"


def _limit(fields: dict[str, object], rules: TouchpointContract, where: str) -> int:
    if "limit" not in fields:
        return rules.slots.default
    return integer(fields["limit"], f"{where}.limit", maximum=rules.slots.maximum)


def _deadline_ms(fields: dict[str, object], rules: TouchpointContract, where: str) -> int:
    if "deadline_ms" not in fields:
        return rules.deadline_ms
    asked = integer(fields["deadline_ms"], f"{where}.deadline_ms", maximum=MAX_DEADLINE_MS)
    return min(asked, rules.deadline_ms)


def _optional_text(fields: dict[str, object], name: str, where: str) -> str | None:
    return text(fields[name], f"{where}.{name}") if name in fields else None


def _ids(
    fields: dict[str, object], name: str, where: str, *, maximum: int, may_be_empty: bool = False
) -> tuple[str, ...]:
    if name not in fields:
        return ()
    return texts(fields[name], f"{where}.{name}", maximum=maximum, may_be_empty=may_be_empty)


def _carousels(
    fields: dict[str, object], rules: TouchpointContract, where: str
) -> tuple[CarouselRule, ...]:
    known = tuple(carousel.rule for carousel in rules.carousels)
    names = _ids(fields, "carousels", where, maximum=len(CarouselRule))
    for position, name in enumerate(names):
        if name not in known:
            raise RequestError(
                f"{where}.carousels[{position}]",
                expected=f"one of {', '.join(known)}",
                got=shown(name),
                fix="leave `carousels` out for all of them",
            )
    return tuple(CarouselRule(name) for name in names)


def _template(
    fields: dict[str, object], product_types: Collection[str], where: str
) -> tuple[str, ...]:
    """Returns the product types asked for; a type may come twice, such as two rings."""
    if "template" not in fields:
        return ()
    where = f"{where}.template"
    value = fields["template"]
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_OUTFIT_SLOTS:
        raise RequestError(
            where,
            expected=f"a list of 1 to {MAX_OUTFIT_SLOTS} product types",
            got=shown(value),
            fix="leave it out for the template of the hero's product type",
        )
    names = tuple(text(name, f"{where}[{position}]") for position, name in enumerate(value))
    for position, name in enumerate(names):
        if product_types and name.casefold() not in product_types:
            raise RequestError(
                f"{where}[{position}]",
                expected="a product type of the catalogue",
                got=shown(name),
                fix="check the spelling, or leave `template` out",
            )
    return names


def _market(fields: dict[str, object], markets: Sequence[str], where: str) -> str | None:
    market = _optional_text(fields, "market", where)
    if market is not None and markets and market not in markets:
        raise RequestError(
            f"{where}.market",
            expected=f"one of {shortened(markets, limit=20)}",
            got=shown(market),
            fix="leave it out for no market filter",
        )
    return market
