import numpy as np

from stylerec.data.outfit_splits import item_disjoint_split, random_split

OUTFITS = [np.array([2 + i % 40, 42 + i % 37, 79 + i % 31]) for i in range(1_000)]
NUM_ITEMS = 110


def keys(outfits) -> set[tuple[int, ...]]:
    return {tuple(outfit.tolist()) for outfit in outfits}


class TestRandomSplit:
    def test_is_72_8_20_and_loses_no_outfit(self):
        split = random_split(OUTFITS, seed=3)
        assert len(split.test) == round(0.2 * 1_000)
        assert len(split.validation) == round(0.1 * 800)
        assert len(split.train) == 1_000 - 200 - 80
        assert keys([*split.train, *split.validation, *split.test]) == keys(OUTFITS)

    def test_depends_on_the_seed_alone(self):
        assert keys(random_split(OUTFITS, seed=3).test) == keys(random_split(OUTFITS, seed=3).test)
        assert keys(random_split(OUTFITS, seed=3).test) != keys(random_split(OUTFITS, seed=4).test)


class TestItemDisjointSplit:
    def test_no_test_item_is_in_training(self):
        split, is_test = item_disjoint_split(OUTFITS, num_items=NUM_ITEMS, seed=1)
        assert is_test[np.concatenate(split.test)].all()
        assert not is_test[np.concatenate([*split.train, *split.validation])].any()

    def test_an_outfit_keeps_the_items_of_its_side_in_order(self):
        split, is_test = item_disjoint_split(OUTFITS, num_items=NUM_ITEMS, seed=1)
        whole = keys(OUTFITS)
        for outfit in split.test:
            sources = [o for o in whole if set(outfit.tolist()) <= set(o)]
            assert any([i for i in o if is_test[i]] == outfit.tolist() for o in sources)

    def test_counts_the_outfits_that_became_too_small(self):
        split, _ = item_disjoint_split(OUTFITS, num_items=NUM_ITEMS, seed=1)
        num_kept = len(split.train) + len(split.validation) + len(split.test)
        assert split.dropped == {"fewer_than_two_items_of_its_side": 1_000 - num_kept}
        assert min(map(len, split.test)) >= 2
