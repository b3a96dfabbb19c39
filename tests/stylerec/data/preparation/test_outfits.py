import pandas as pd

from stylerec.data.preparation.config import PrepareConfig
from stylerec.data.preparation.outfits import (
    index_outfits,
    outfit_neighbours,
    outfit_popularity,
)
from stylerec.features.vocabulary import Vocabulary

VOCABULARY = Vocabulary(("a", "b", "c"))


def _index(*rows):
    return index_outfits(
        pd.DataFrame(rows, columns=["outfit_id", "item_id", "is_hero"]), VOCABULARY
    )


class TestIndexOutfits:
    def test_keeps_the_named_hero_and_the_order(self):
        outfits, dropped = _index(("o", "b", False), ("o", "a", True))
        assert outfits.item_index.tolist() == [3, 2]
        assert outfits.is_hero.tolist() == [False, True]
        assert dropped == {}

    def test_the_first_item_is_hero_when_none_is_named(self):
        outfits, _ = _index(("o", "b", None), ("o", "a", None))
        assert outfits.is_hero.tolist() == [True, False]

    def test_only_the_first_of_two_heroes_stays_one(self):
        outfits, _ = _index(("o", "c", False), ("o", "b", True), ("o", "a", True))
        assert outfits.is_hero.tolist() == [False, True, False]

    def test_counts_what_it_leaves_out(self):
        outfits, dropped = _index(
            ("o", "a", True),
            ("o", "b", False),
            ("o", "b", False),
            ("o", "ghost", False),
            ("single", "a", True),
            ("unknown", "ghost", True),
        )
        assert outfits.outfit_id.unique().tolist() == ["o"]
        assert dropped == {
            "outfit_rows_with_unknown_items": 2,
            "outfit_rows_with_repeated_items": 1,
            "outfits_with_fewer_than_two_items": 2,
        }

    def test_a_repeated_hero_stays_hero(self):
        outfits, _ = _index(("o", "a", False), ("o", "b", False), ("o", "b", True))
        assert outfits.is_hero.tolist() == [False, True]


class TestOutfitFigures:
    def test_popularity_counts_outfits(self):
        outfits, _ = _index(
            ("o", "a", True), ("o", "b", False), ("p", "a", True), ("p", "c", False)
        )
        counts = outfit_popularity(outfits)
        assert dict(zip(counts.item_index, counts.num_customers, strict=True)) == {2: 2, 3: 1, 4: 1}
        assert counts.market.isna().all()

    def test_neighbours_are_worn_together(self, engine):
        outfits, _ = _index(
            ("o", "a", True), ("o", "b", False), ("p", "a", True), ("p", "c", False)
        )
        found = outfit_neighbours(engine, outfits, PrepareConfig(neighbour_shrinkage=0.0))
        pairs = set(zip(found.item_index, found.neighbour_index, strict=True))
        assert pairs == {(2, 3), (3, 2), (2, 4), (4, 2)}
