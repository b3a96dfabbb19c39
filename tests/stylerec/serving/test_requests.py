import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stylerec.errors import RequestError
from stylerec.schema.touchpoints import CarouselRule, Touchpoint
from stylerec.serving.contract import default_contract_path, load_contract
from stylerec.serving.requests import RecommendationRequest, parse_instances, parse_request

CONTRACT = load_contract(default_contract_path())
PAGE = {"touchpoint": "category-page", "candidate_item_ids": ["a", "b"]}
HERO = {"touchpoint": "you-might-also-like", "hero_item_id": "i7"}
FOR_YOU = {"touchpoint": "for-you"}


def parse(*instances: object, markets: tuple[str, ...] = ()) -> list[RecommendationRequest]:
    return parse_instances({"instances": list(instances)}, contract=CONTRACT, markets=markets)


class TestParseInstances:
    def test_reads_every_field(self) -> None:
        [request] = parse(
            {
                **HERO,
                "customer_id": "c42",
                "market": "GB",
                "limit": 3,
                "max_price": 40,
                "exclude_item_ids": ["x", "x", "y"],
                "deadline_ms": 50,
            },
            markets=("GB", "US"),
        )
        assert request == RecommendationRequest(
            touchpoint=Touchpoint.YOU_MIGHT_ALSO_LIKE,
            customer_id="c42",
            hero_item_id="i7",
            market="GB",
            limit=3,
            max_price=40.0,
            exclude_item_ids=("x", "y"),
            deadline_ms=50,
        )

    def test_takes_limit_and_deadline_from_the_contract(self) -> None:
        [request] = parse(HERO)
        rules = CONTRACT.of(Touchpoint.YOU_MIGHT_ALSO_LIKE)
        assert (request.limit, request.deadline_ms) == (rules.slots.default, rules.deadline_ms)

    def test_never_lengthens_the_deadline(self) -> None:
        [request] = parse({**HERO, "deadline_ms": 60_000})
        assert request.deadline_ms == CONTRACT.of(Touchpoint.YOU_MIGHT_ALSO_LIKE).deadline_ms

    def test_treats_null_as_left_out(self) -> None:
        assert parse({**HERO, "limit": None, "market": None, "bag_item_ids": None}) == parse(HERO)

    def test_drops_repeated_candidates_and_keeps_their_order(self) -> None:
        [request] = parse({**PAGE, "candidate_item_ids": ["b", "a", "b", "c", "a"]})
        assert request.candidate_item_ids == ("b", "a", "c")

    def test_accepts_the_most_candidates_allowed(self) -> None:
        ids = [f"i{number}" for number in range(CONTRACT.max_given_candidates)]
        [request] = parse({**PAGE, "candidate_item_ids": ids})
        assert len(request.candidate_item_ids) == 10_000

    def test_reads_carousels(self) -> None:
        [request] = parse({**FOR_YOU, "carousels": ["new_in"]})
        assert request.carousels == (CarouselRule.NEW_IN,)

    def test_takes_any_market_where_the_retailer_has_none(self) -> None:
        assert parse({**FOR_YOU, "market": "anywhere"})[0].market == "anywhere"

    @pytest.mark.parametrize(
        ("instance", "field"),
        [
            ({}, "touchpoint"),
            ({"touchpoint": "home"}, "touchpoint"),
            ({"touchpoint": ["for-you"]}, "touchpoint"),
            ({"touchpoint": "you-might-also-like"}, "hero_item_id"),
            ({"touchpoint": "people-also-bought"}, "hero_item_id"),
            ({"touchpoint": "complete-the-look"}, "hero_item_id"),
            ({"touchpoint": "little-something-extra"}, "bag_item_ids"),
            ({"touchpoint": "little-something-extra", "bag_item_ids": []}, "bag_item_ids"),
            ({"touchpoint": "category-page"}, "candidate_item_ids"),
            ({"touchpoint": "search-page", "candidate_item_ids": []}, "candidate_item_ids"),
            ({**PAGE, "candidate_item_ids": "abc"}, "candidate_item_ids"),
            ({**PAGE, "candidate_item_ids": ["a", 3]}, "candidate_item_ids[1]"),
            ({**PAGE, "candidate_item_ids": ["a", "b", ["c"]]}, "candidate_item_ids[2]"),
            ({**PAGE, "candidate_item_ids": ["a", "x" * 257]}, "candidate_item_ids[1]"),
            ({**PAGE, "candidate_item_ids": ["a", "\ud800"]}, "candidate_item_ids[1]"),
            ({**PAGE, "candidate_item_ids": ["i"] * 10_001}, "candidate_item_ids"),
            ({**PAGE, "hero_item_id": "i7"}, "hero_item_id"),
            ({**HERO, "candidate_item_ids": ["a"]}, "candidate_item_ids"),
            ({**HERO, "limit": 0}, "limit"),
            ({**HERO, "limit": 49}, "limit"),
            ({**HERO, "limit": -1}, "limit"),
            ({**HERO, "limit": True}, "limit"),
            ({**HERO, "limit": 16.0}, "limit"),
            ({**HERO, "limit": "16"}, "limit"),
            ({**HERO, "limit": 10**5_000}, "limit"),
            ({**HERO, "deadline_ms": 0}, "deadline_ms"),
            ({**HERO, "max_price": math.nan}, "max_price"),
            ({**HERO, "max_price": math.inf}, "max_price"),
            ({**HERO, "max_price": 10**400}, "max_price"),
            ({**HERO, "max_price": True}, "max_price"),
            ({**HERO, "customer_id": ""}, "customer_id"),
            ({**HERO, "customer_id": 42}, "customer_id"),
            ({**HERO, "customer_id": "c" * 257}, "customer_id"),
            ({**HERO, "hero_item_id": {"id": "i7"}}, "hero_item_id"),
            ({**HERO, "market": "XX"}, "market"),
            ({**HERO, "limt": 3}, "limt"),
            ({**FOR_YOU, "carousels": ["old"]}, "carousels[0]"),
            ({**FOR_YOU, "carousels": [1]}, "carousels[0]"),
            ({**FOR_YOU, "exclude_item_ids": {"a": 1}}, "exclude_item_ids"),
        ],
    )
    def test_names_the_field_at_fault(self, instance: dict[str, object], field: str) -> None:
        with pytest.raises(RequestError) as caught:
            parse(HERO, HERO, HERO, instance, markets=("GB", "US"))
        assert caught.value.where == f"instances[3].{field}"

    @pytest.mark.parametrize(
        ("payload", "field"),
        [
            (None, "body"),
            ([], "body"),
            ("instances", "body"),
            ({1: 2}, "body"),
            ({}, "instances"),
            ({"instances": []}, "instances"),
            ({"instances": {}}, "instances"),
            ({"instances": [FOR_YOU], "parameters": {}}, "parameters"),
            ({"instances": [FOR_YOU] * 33}, "instances"),
            ({"instances": [FOR_YOU, None]}, "instances[1]"),
        ],
    )
    def test_names_what_is_wrong_with_the_body(self, payload: object, field: str) -> None:
        with pytest.raises(RequestError) as caught:
            parse_instances(payload, contract=CONTRACT)
        assert caught.value.where == field

    @pytest.mark.parametrize(
        ("body", "got"),
        [({}, "got nothing"), ({"instances": 3}, "got 3"), ({"instances": []}, "got a list of 0")],
    )
    def test_says_what_the_instances_are_instead(self, body: dict, got: str) -> None:
        with pytest.raises(RequestError, match=got):
            parse_instances(body, contract=CONTRACT)

    def test_says_which_extra_field_and_which_are_known(self) -> None:
        with pytest.raises(RequestError, match=r"instances\[0\]\.colour: expected only touchpoint"):
            parse({**FOR_YOU, "colour": "red"})

    def test_message_of_an_odd_field_name_can_be_encoded(self) -> None:
        with pytest.raises(RequestError) as caught:
            parse({**FOR_YOU, "\ud800\n": 1})
        assert str(caught.value).isascii()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELD = st.sampled_from([*RecommendationRequest.__dataclass_fields__, "unknown"])
INSTANCE = st.builds(
    lambda touchpoint, fields: {"touchpoint": touchpoint, **fields},
    st.sampled_from(list(Touchpoint)) | JSON,
    st.dictionaries(FIELD, JSON | st.integers(1, 8) | st.lists(st.text(max_size=3)), max_size=4),
)


def outcome_of(parse: Callable[[], object]) -> object:
    """Returns what `parse` returns, or its request error; anything else fails the test."""
    try:
        return parse()
    except RequestError as error:
        return error


class TestFuzz:
    @settings(max_examples=300, deadline=None)
    @given(JSON | st.builds(lambda instances: {"instances": instances}, st.lists(INSTANCE)))
    def test_any_json_gives_requests_or_a_request_error(self, payload: object) -> None:
        outcome = outcome_of(lambda: parse_instances(payload, contract=CONTRACT, markets=("GB",)))
        if isinstance(outcome, RequestError):
            assert outcome.where
            assert str(outcome).isascii()
        else:
            assert len(outcome) == len(payload["instances"])

    @settings(max_examples=300, deadline=None)
    @given(INSTANCE)
    def test_any_instance_gives_a_request_or_a_request_error(self, instance: object) -> None:
        outcome = outcome_of(lambda: parse_request(instance, contract=CONTRACT))
        if isinstance(outcome, RequestError):
            assert outcome.where.startswith("instance")
        else:
            assert 1 <= outcome.limit <= CONTRACT.of(outcome.touchpoint).slots.maximum


class TestTemplate:
    TYPES = frozenset({"heels", "ring"})

    def parse(self, shop, template: object):
        fields = {"touchpoint": "complete-the-look", "hero_item_id": "dress-0"}
        payload = {"instances": [{**fields, "template": template}]}
        [request] = parse_instances(payload, contract=shop.contract, product_types=self.TYPES)
        return request.template

    def test_may_name_a_type_twice_and_in_any_case(self, shop) -> None:
        assert self.parse(shop, ["Heels", "ring", "ring"]) == ("Heels", "ring", "ring")

    @pytest.mark.parametrize(
        ("template", "field"),
        [
            ([], "instances[0].template"),
            ("ring", "instances[0].template"),
            (["ring"] * 6, "instances[0].template"),
            (["ring", "sofa"], "instances[0].template[1]"),
            (["ring", 7], "instances[0].template[1]"),
            ([""], "instances[0].template[0]"),
        ],
    )
    def test_refuses_any_other_naming_the_field(self, shop, template: object, field: str) -> None:
        with pytest.raises(RequestError) as caught:
            self.parse(shop, template)
        assert caught.value.where == field

    def test_belongs_to_complete_the_look_alone(self, shop) -> None:
        payload = {"instances": [{"touchpoint": "for-you", "template": ["ring"]}]}
        with pytest.raises(RequestError, match="template"):
            parse_instances(payload, contract=shop.contract)
