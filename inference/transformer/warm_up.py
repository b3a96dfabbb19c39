"""A first request per touchpoint, so that no customer's request pays for first-time work."""

from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.tensors import FIRST_ITEM_INDEX
from stylerec.schema.touchpoints import CandidateRule, Touchpoint
from stylerec.serving.recommender import Recommender

ROUNDS = 3
_GIVEN_CANDIDATES = 100
_BAG_ITEMS = 2
# No shop has a customer of this id: the history is read and found absent.
_CUSTOMER = "stylerec-warm-up"


async def warm_up(recommender: Recommender) -> None:
    """Answers a request of every touchpoint `ROUNDS` times; dependencies may be missing."""
    requests = recommender.parse({"instances": warm_up_instances(recommender)})
    for _ in range(ROUNDS):
        # One at a time: answered together they would share one deadline while all is cold.
        for request in requests:
            await recommender.recommend([request])


def warm_up_instances(recommender: Recommender) -> list[dict[str, object]]:
    """Returns one request per touchpoint about the release's most popular items."""
    items = _popular_items(recommender)
    fields: dict[CandidateRule, dict[str, object]] = {
        CandidateRule.GIVEN: {"candidate_item_ids": items},
        CandidateRule.LOW_PRICE_COMPLEMENTS: {"bag_item_ids": items[:_BAG_ITEMS]},
        CandidateRule.CAROUSELS: {},
    }
    by_hero: dict[str, object] = {"hero_item_id": items[0]}
    instances: list[dict[str, object]] = []
    for touchpoint in Touchpoint:
        rule = recommender.contract.of(touchpoint).candidates
        instances.append(
            {
                "touchpoint": touchpoint.value,
                "customer_id": _CUSTOMER,
                **fields.get(rule, by_hero),
            }
        )
    return instances


def _popular_items(recommender: Recommender) -> list[str]:
    vocabulary: Vocabulary = recommender.vocabulary
    popular = recommender.catalogue.popular[0, :_GIVEN_CANDIDATES]
    return [vocabulary.item_ids[int(item) - FIRST_ITEM_INDEX] for item in popular]
