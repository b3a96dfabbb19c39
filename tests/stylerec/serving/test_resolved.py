import numpy as np
import pytest

from stylerec.serving.reasons import FallbackReason


class TestResolve:
    def test_counts_items_that_the_release_lacks(self, shop) -> None:
        resolved = shop.resolved("category-page", candidate_item_ids=["dress-1", "x", "y"])
        assert shop.ids(resolved.candidates) == ["dress-1"]
        assert resolved.num_unknown == 2
        assert shop.resolved("complete-the-look", hero_item_id="x").num_unknown == 1

    @pytest.mark.parametrize(
        ("filters", "excluded"),
        [
            ({"exclude_hero": True}, {"dress-0"}),
            ({"exclude_hero": False}, set()),
            ({"exclude_hero": False, "exclude_purchased": True}, {"ring-1"}),
            ({"exclude_hero": False, "exclude_seen": True}, {"ring-0", "ring-1"}),
        ],
    )
    def test_excludes_what_the_contract_says(
        self, shop, filters: dict[str, bool], excluded: set[str]
    ) -> None:
        contract = shop.contract_with("you-might-also-like", filters=filters)
        history = shop.known("ring-0", "ring-1", event=["view", "purchase"])
        resolved = shop.resolved(
            "you-might-also-like",
            contract=contract,
            history=history,
            hero_item_id="dress-0",
            exclude_item_ids=["boots-1", "nobody-knows"],
        )
        hidden = np.flatnonzero(resolved.eligible.is_excluded)
        assert hidden[:2].tolist() == [0, 1]
        assert set(shop.ids(hidden[2:])) == excluded | {"boots-1"}


class TestWeights:
    def test_are_the_contracts_with_history_and_context(self, shop) -> None:
        resolved = shop.resolved(
            "you-might-also-like", hero_item_id="dress-0", history=shop.known("ring-1")
        )
        rules = shop.contract.of("you-might-also-like").weights
        assert (resolved.context_weight, resolved.customer_weight) == (
            rules.context,
            rules.customer,
        )

    def test_context_alone_counts_fully(self, shop) -> None:
        resolved = shop.resolved("you-might-also-like", hero_item_id="dress-0")
        assert (resolved.context_weight, resolved.customer_weight) == (1.0, 0.0)

    def test_an_unknown_hero_counts_nothing(self, shop) -> None:
        resolved = shop.resolved(
            "you-might-also-like", hero_item_id="x", history=shop.known("ring-1")
        )
        assert resolved.context_weight == 0.0


class TestSources:
    def test_are_the_context_then_the_newest_history_once_each(self, shop) -> None:
        resolved = shop.resolved(
            "little-something-extra",
            bag_item_ids=["dress-0", "ring-1"],
            history=shop.known("ring-1", "boots-1", "boots-2"),
        )
        assert shop.ids(resolved.sources()) == ["dress-0", "ring-1", "boots-2", "boots-1"]


class TestReasons:
    def test_are_words_that_can_be_counted(self) -> None:
        assert all(reason.replace("_", "").isalpha() for reason in FallbackReason)
