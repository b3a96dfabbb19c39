import numpy as np
import pandas as pd
import pytest

from stylerec.data.outfits import compatibility_auc, pad_outfits, split_outfits


def table(*outfits: list[int], heroes: dict[int, int] | None = None) -> pd.DataFrame:
    """Outfit n holds `outfits[n]`; `heroes[n]` is the place of its hero."""
    rows = [
        (f"o{n}", item, (heroes or {}).get(n, -1) == place)
        for n, items in enumerate(outfits)
        for place, item in enumerate(items)
    ]
    return pd.DataFrame(rows, columns=["outfit_id", "item_index", "is_hero"])


def all_of(split) -> list[list[int]]:
    return [outfit.tolist() for outfit in (*split.train, *split.validation, *split.test)]


class TestSplitOutfits:
    def test_puts_the_hero_first_and_keeps_the_others_in_order(self):
        split = split_outfits(table([5, 6, 7], heroes={0: 2}))
        assert all_of(split) == [[7, 5, 6]]

    def test_takes_the_first_item_where_no_hero_is_named(self):
        assert all_of(split_outfits(table([5, 6, 7]))) == [[5, 6, 7]]
        without_column = table([5, 6, 7]).drop(columns="is_hero")
        assert all_of(split_outfits(without_column)) == [[5, 6, 7]]

    def test_counts_outfits_with_fewer_than_two_known_items(self):
        split = split_outfits(table([5, 1], [0, 1], [5, 5], [5, 6, 1]))
        assert all_of(split) == [[5, 6]]
        assert split.dropped["fewer_than_two_known_items"] == 3

    def test_counts_the_same_items_in_another_order_once(self):
        split = split_outfits(table([5, 6, 7], [7, 6, 5], [5, 6, 8]))
        assert sorted(map(sorted, all_of(split))) == [[5, 6, 7], [5, 6, 8]]
        assert split.dropped["same_items_as_another"] == 1

    def test_is_about_80_10_10_and_disjoint(self):
        outfits = [[2 + i, 3 + i] for i in range(2_000)]
        split = split_outfits(table(*outfits))
        sizes = [len(split.train), len(split.validation), len(split.test)]
        assert sum(sizes) == 2_000
        assert sizes == pytest.approx([1_600, 200, 200], rel=0.2)
        assert len({tuple(outfit) for outfit in all_of(split)}) == 2_000

    def test_side_depends_on_the_items_alone(self):
        outfits = [[2 + i, 3 + i] for i in range(200)]
        whole = {tuple(o) for o in split_outfits(table(*outfits)).test}
        half = {tuple(o) for o in split_outfits(table(*outfits[::-2])).test}
        assert half == whole & {tuple(o) for o in outfits[::-2]}

    def test_is_empty_without_outfits(self):
        empty = pd.DataFrame({"outfit_id": [], "item_index": [], "is_hero": []})
        assert all_of(split_outfits(empty)) == []


class TestPadOutfits:
    def test_pads_on_the_right(self):
        padded = pad_outfits([np.array([5, 6, 7]), np.array([8, 9])])
        assert padded.tolist() == [[5, 6, 7], [8, 9, 0]]

    def test_takes_no_outfit(self):
        assert pad_outfits([]).shape == (0, 0)


class TestCompatibilityAuc:
    def test_is_the_share_of_ordered_pairs_with_ties_half(self):
        # Pairs: 3 > 1, 3 > 2, 2 > 1 right; 2 = 2 half.
        assert compatibility_auc(np.array([3.0, 2.0]), np.array([1.0, 2.0])) == 3.5 / 4

    def test_is_half_for_a_constant_score(self):
        assert compatibility_auc(np.ones(3), np.ones(5)) == 0.5

    def test_raises_without_scores(self):
        with pytest.raises(ValueError, match="both sides"):
            compatibility_auc(np.zeros(0), np.ones(1))
