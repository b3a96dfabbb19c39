import numpy as np
import pytest

from stylerec.serving.contract_parts import Diversity
from stylerec.serving.diversity import pick_diverse, pick_diverse_outfits, ranked_positions
from stylerec.serving.scoring import ScoredOutfit


def positions(scores: list[float], *, num_matching: int, count: int) -> list[int]:
    array = np.array(scores, dtype=np.float32)
    return ranked_positions(array, num_matching=num_matching, count=count).tolist()


class TestRankedPositions:
    def test_puts_the_best_first(self) -> None:
        assert positions([0.1, 0.3, 0.2], num_matching=3, count=3) == [1, 2, 0]

    def test_equal_scores_keep_their_order(self) -> None:
        assert positions([0.5] * 6, num_matching=6, count=2)[:2] == [0, 1]
        assert positions([0.1, 0.5, 0.1, 0.5], num_matching=4, count=3) == [1, 3, 0, 2]

    def test_what_fills_up_comes_last_whatever_its_score(self) -> None:
        assert positions([0.1, 0.2, 0.9, 0.8], num_matching=2, count=4) == [1, 0, 2, 3]

    def test_what_fills_up_is_left_out_when_not_needed(self) -> None:
        assert positions([0.1, 0.2, 0.9], num_matching=2, count=2) == [1, 0]

    @pytest.mark.parametrize("count", [1, 7, 100, 1_000])
    def test_gives_the_same_as_sorting_everything(self, count: int) -> None:
        scores = np.random.default_rng(3).integers(0, 50, 500).astype(np.float32)
        found = ranked_positions(scores, num_matching=500, count=count)
        assert found[:count].tolist() == np.argsort(-scores, kind="stable")[:count].tolist()


class TestPickDiverse:
    def pick(self, shop, ids: list[str], limit: int, **caps: int) -> tuple[list[str], int]:
        picks, num_relaxed = pick_diverse(
            np.array(shop.indices(*ids)),
            limit=limit,
            diversity=Diversity(**caps),
            catalogue=shop.catalogue(brand={"scarf-0": None, "scarf-1": None, "scarf-2": None}),
        )
        return [ids[position] for position in picks], num_relaxed

    def test_without_caps_takes_the_best(self, shop) -> None:
        assert self.pick(shop, ["ring-0", "ring-1", "ring-2"], 2) == (["ring-0", "ring-1"], 0)

    def test_passes_over_what_is_above_a_cap(self, shop) -> None:
        ids = ["ring-0", "ring-1", "ring-2", "dress-0", "heels-0"]
        assert self.pick(shop, ids, 3, max_per_product_type=1) == (
            ["ring-0", "dress-0", "heels-0"],
            0,
        )

    def test_keeps_both_caps(self, shop) -> None:
        # Numbers 0 and 4 are of one brand.
        ids = ["ring-0", "dress-4", "ring-1", "dress-1", "heels-2"]
        assert self.pick(shop, ids, 3, max_per_product_type=1, max_per_brand=1) == (
            ["ring-0", "dress-1", "heels-2"],
            0,
        )

    def test_relaxes_rather_than_leaving_slots_empty(self, shop) -> None:
        ids = ["ring-0", "ring-1", "ring-2", "dress-0"]
        assert self.pick(shop, ids, 4, max_per_product_type=1) == (
            ["ring-0", "dress-0", "ring-1", "ring-2"],
            2,
        )

    def test_items_without_a_brand_count_against_none(self, shop) -> None:
        ids = ["scarf-0", "scarf-1", "scarf-2"]
        assert self.pick(shop, ids, 3, max_per_brand=1) == (ids, 0)


def outfit(score: float, *items: int) -> ScoredOutfit:
    return ScoredOutfit(items, score, (0.0,) * len(items))


class TestPickDiverseOutfits:
    OUTFITS = (outfit(0.9, 2, 3, 4), outfit(0.8, 2, 3, 5), outfit(0.7, 6, 7, 4))

    def test_takes_the_best_without_a_bound(self) -> None:
        found, num_alike = pick_diverse_outfits(self.OUTFITS, limit=2, max_shared_items=None)
        assert [o.score for o in found] == [0.9, 0.8]
        assert num_alike == 0

    def test_passes_over_what_is_nearly_the_same(self) -> None:
        found, num_alike = pick_diverse_outfits(self.OUTFITS, limit=2, max_shared_items=1)
        assert [o.score for o in found] == [0.9, 0.7]
        assert num_alike == 0

    def test_takes_it_after_all_rather_than_showing_fewer(self) -> None:
        found, num_alike = pick_diverse_outfits(self.OUTFITS, limit=3, max_shared_items=1)
        assert [o.score for o in found] == [0.9, 0.8, 0.7]
        assert num_alike == 1

    def test_empty_slots_are_not_shared_items(self) -> None:
        pair = (outfit(0.9, 2, 0), outfit(0.8, 3, 0))
        found, num_alike = pick_diverse_outfits(pair, limit=2, max_shared_items=0)
        assert (len(found), num_alike) == (2, 0)
