import numpy as np
import pytest

from stylerec.schema.touchpoints import Rung
from stylerec.serving.because import reason_items, sources_of
from stylerec.serving.candidates import CandidateSet


class TestReasonItems:
    def reasons(self, shop, items: list[str], sources: list[str]) -> list[str | None]:
        found = reason_items(
            shop.catalogue(),
            np.array(shop.indices(*items), dtype=np.int64),
            np.array(shop.indices(*sources), dtype=np.int64),
        )
        return [shop.ids([index])[0] if index else None for index in found]

    def test_names_what_it_was_bought_with(self, shop) -> None:
        # heels-1 looks like heels-2, but was bought with dress-1.
        assert self.reasons(shop, ["heels-1"], ["heels-2", "dress-1"]) == ["dress-1"]

    def test_names_the_strongest_of_several(self, shop) -> None:
        arrays = shop.arrays()
        for source, score in (("dress-1", 0.3), ("dress-2", 0.7), ("dress-3", 0.5)):
            arrays["neighbour_index"][shop.index(source), 0] = shop.index("scarf-0")
            arrays["neighbour_score"][shop.index(source), 0] = score
        found = reason_items(
            shop.catalogue(arrays=arrays),
            np.array(shop.indices("scarf-0")),
            np.array(shop.indices("dress-1", "dress-2", "dress-3")),
        )
        assert shop.ids(found) == ["dress-2"]

    def test_else_names_the_most_alike(self, shop) -> None:
        assert self.reasons(shop, ["ring-3"], ["ring-0", "ring-4", "dress-1"]) == ["ring-4"]

    def test_names_nothing_that_has_nothing_in_common(self, shop) -> None:
        assert self.reasons(shop, ["ring-0"], ["boots-0"]) == [None]
        assert self.reasons(shop, ["ring-0"], []) == [None]

    def test_never_names_the_item_itself(self, shop) -> None:
        assert self.reasons(shop, ["ring-0"], ["ring-0"]) == [None]
        assert self.reasons(shop, ["ring-0"], ["ring-0", "ring-5"]) == ["ring-5"]


class TestSourcesOf:
    @pytest.mark.parametrize(
        ("rung", "expected"),
        [(Rung.CONTENT, ["dress-0", "ring-1"]), (Rung.POPULAR, ["dress-0"])],
    )
    def test_popular_looks_at_nobodys_history(self, shop, rung: Rung, expected: list[str]) -> None:
        resolved = shop.resolved(
            "people-also-bought", hero_item_id="dress-0", history=shop.known("ring-1")
        )
        found = CandidateSet("bought_together", np.array([5]), 1)
        assert shop.ids(sources_of(resolved, found, rung=rung)) == expected

    def test_a_set_may_bring_its_own(self, shop) -> None:
        found = CandidateSet("like", np.array([5]), 1, sources=np.array(shop.indices("ring-3")))
        resolved = shop.resolved("for-you", history=shop.known("ring-1"))
        assert shop.ids(sources_of(resolved, found, rung=Rung.NEXT_ITEM)) == ["ring-3"]
