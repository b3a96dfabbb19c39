import numpy as np
import pandas as pd
import pytest

from stylerec.data.outfit_negatives import Negatives
from stylerec.data.outfits import compatibility_auc, pad_outfits, split_outfits


def catalogue(types: list[str], eras: list[str | None] | None = None) -> pd.DataFrame:
    items = pd.DataFrame({"item_index": np.arange(len(types)) + 2, "product_type": types})
    if eras is not None:
        items["attributes"] = [None if era is None else ["x:1", f"era:{era}"] for era in eras]
    return items


def negatives(items: pd.DataFrame, train: list[list[int]]) -> Negatives:
    return Negatives(items, [np.array(o) for o in train], num_items=len(items) + 2)


class TestReplace:
    def test_keeps_hero_and_padding_and_changes_the_rest_within_its_type(self):
        types = ["dress", "shoes", "bag"] * 8
        draw = negatives(catalogue(types), [])
        outfits = np.tile(np.array([[2, 3, 4, 0]]), (500, 1))
        replaced = draw.replace(outfits, np.random.default_rng(0))
        assert (replaced[:, [0, 3]] == [2, 0]).all()
        assert (replaced[:, 1] % 3 == 3 % 3).all()
        assert (replaced[:, 2] % 3 == 4 % 3).all()
        assert not (replaced[:, 1:3] == [3, 4]).any()
        # 7 others of each type, every one of them drawn.
        assert len(np.unique(replaced[:, 1])) == 7

    def test_draws_the_others_equally_often(self):
        draw = negatives(catalogue(["bag"] * 5 + ["dress"]), [])
        outfits = np.tile(np.array([[7, 4]]), (4_000, 1))
        replaced = draw.replace(outfits, np.random.default_rng(0))
        items, counts = np.unique(replaced[:, 1], return_counts=True)
        assert items.tolist() == [2, 3, 5, 6]
        assert counts == pytest.approx(4_000 / 4, rel=0.1)

    def test_matches_the_era(self):
        eras = ["2019", "2019", "2023", "2023", None, None]
        draw = negatives(catalogue(["bag"] * 6 + ["dress"], [*eras, None]), [])
        outfits = np.array([[8, 2], [8, 4], [8, 6]] * 20)
        replaced = draw.replace(outfits, np.random.default_rng(0))
        assert replaced[:, 1].tolist() == [3, 5, 7] * 20

    def test_matches_the_popularity_bucket(self):
        # Items 2 and 3 are worn 4 and 3 times (one bucket), items 4 and 5 never.
        train = [[6, 2]] * 4 + [[6, 3]] * 3
        draw = negatives(catalogue(["bag"] * 4 + ["dress"]), train)
        outfits = np.array([[6, 2], [6, 4]] * 20)
        replaced = draw.replace(outfits, np.random.default_rng(0))
        assert replaced[:, 1].tolist() == [3, 5] * 20

    def test_takes_the_nearest_bucket_where_an_item_is_alone_in_its_own(self):
        # Worn: 2 eight times, 3 once, 4 never; the nearest bucket to item 2 is item 3's.
        draw = negatives(catalogue(["bag"] * 3 + ["dress"]), [[5, 2]] * 8 + [[5, 3]])
        replaced = draw.replace(np.array([[5, 2]] * 20), np.random.default_rng(0))
        assert (replaced[:, 1] == 3).all()

    def test_leaves_an_item_without_another_of_its_type(self):
        draw = negatives(catalogue(["dress", "hat"]), [])
        outfits = np.array([[2, 3]])
        assert draw.replace(outfits, np.random.default_rng(0)).tolist() == [[2, 3]]
        assert draw.has_alternative(np.array([0, 1, 2, 3])).tolist() == [False] * 4

    def test_never_repeats_an_item(self):
        draw = negatives(catalogue(["bag"] * 6), [])
        outfits = np.tile(np.array([[2, 3, 4]]), (300, 1))
        replaced = draw.replace(outfits, np.random.default_rng(0))
        assert all(len(set(row)) == 3 for row in replaced.tolist())
        assert not np.isin(replaced[:, 1:], [2, 3, 4]).any()

    def test_keeps_the_item_where_every_other_one_is_in_the_outfit(self):
        draw = negatives(catalogue(["bag"] * 2), [])
        assert draw.replace(np.array([[2, 3]]), np.random.default_rng(0)).tolist() == [[2, 3]]

    def test_takes_items_without_product_type(self):
        items = catalogue(["bag"] * 4).drop(columns="product_type")
        replaced = negatives(items, []).replace(np.array([[2, 3]]), np.random.default_rng(0))
        assert replaced[0, 1] in {4, 5}


class TestRule:
    def test_type_alone_crosses_eras(self):
        items = catalogue(["bag"] * 4 + ["dress"], ["2019", "2019", "2023", "2023", None])
        draw = Negatives(items, [], num_items=7, rule="type")
        replaced = draw.replace(np.array([[6, 2]] * 60), np.random.default_rng(0))
        assert set(replaced[:, 1]) == {3, 4, 5}

    def test_era_crosses_popularity(self):
        # Item 2 is worn four times, the other two of its era never.
        items = catalogue(["bag"] * 4 + ["dress"], ["2019", "2019", "2019", "2023", None])
        train = [np.array([6, 2])] * 4
        draw = Negatives(items, train, num_items=7, rule="era")
        replaced = draw.replace(np.array([[6, 2]] * 60), np.random.default_rng(0))
        assert set(replaced[:, 1]) == {3, 4}

    def test_leave_one_out_matches_what_is_worn_without_the_outfit(self):
        # Worn: 2 once, 3 once, 4 and 5 never. Without its own outfit item 2 is worn never.
        items = catalogue(["bag"] * 4 + ["dress"])
        train = [np.array([6, 2]), np.array([6, 3])]
        draw = Negatives(items, train, num_items=7, leave_one_out=True)
        replaced = draw.replace(np.array([[6, 2]] * 60), np.random.default_rng(0))
        assert set(replaced[:, 1]) == {4, 5}

    def test_leave_one_out_takes_the_nearest_bucket(self):
        # Every bag is worn once: without its outfit no other is worn as little.
        items = catalogue(["bag"] * 3 + ["dress"])
        train = [np.array([5, bag]) for bag in (2, 3, 4)]
        draw = Negatives(items, train, num_items=6, leave_one_out=True)
        replaced = draw.replace(np.array([[5, 2]] * 60), np.random.default_rng(0))
        assert set(replaced[:, 1]) == {3, 4}


class TestReplaceOne:
    def test_changes_one_item_and_each_equally_often(self):
        draw = negatives(catalogue(["dress", "bag"] * 10), [])
        outfits = np.tile(np.array([[2, 3, 4, 5, 0]]), (3_000, 1))
        replaced = draw.replace_one(outfits, np.random.default_rng(0))
        is_changed = replaced != outfits
        assert (is_changed.sum(axis=1) == 1).all()
        assert is_changed.mean(axis=0) == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 0], abs=0.05)

    def test_leaves_an_outfit_that_nothing_can_replace(self):
        draw = negatives(catalogue(["dress", "hat"]), [])
        assert draw.replace_one(np.array([[2, 3]]), np.random.default_rng(0)).tolist() == [[2, 3]]


class TestQuestions:
    def test_asks_about_an_item_but_the_hero_with_three_of_its_type(self):
        items = catalogue(["dress", "bag"] * 10)
        outfits = [np.array([2, 3]), np.array([4, 7, 9])]
        asked = negatives(items, []).questions(outfits, np.random.default_rng(0))
        assert asked.num_skipped == 0
        assert asked.context[0].tolist() == [2, 0]
        assert asked.options[0, 0] == 3
        assert asked.context[1, 0] == 4
        for context, options in zip(asked.context, asked.options, strict=True):
            assert (options % 2 == 1).all()
            assert len({*options, *context[context > 0]}) == 4 + (context > 0).sum()

    def test_takes_options_from_the_nearest_buckets(self):
        # Bags worn 4, 3, 1, 0, 0 times: the asked item's bucket holds one other.
        train = [[7, 2]] * 4 + [[7, 3]] * 3 + [[7, 4]]
        items = catalogue(["bag"] * 5 + ["dress"])
        asked = negatives(items, train).questions([np.array([7, 2])], np.random.default_rng(0))
        assert {3, 4} < set(asked.options[0, 1:].tolist())

    def test_skips_an_outfit_without_three_alternatives(self):
        items = catalogue(["bag"] * 3 + ["dress"])
        asked = negatives(items, []).questions([np.array([5, 2])], np.random.default_rng(0))
        assert asked.num_skipped == 1
        assert asked.options.shape == (0, 4)


class TestMango:
    @pytest.fixture
    def drawn(self, real_data):
        folder = real_data("mango")
        products = pd.read_csv(folder / "product_data.csv", dtype=str)
        links = pd.read_csv(folder / "outfit_data.csv", dtype=str)
        index = {product: i for i, product in enumerate(products["cod_modelo_color"], start=2)}
        eras = products["des_filename"].str.rsplit("/", n=1).str[-1].str[:4]
        items = catalogue(products["des_product_type"].tolist(), eras.tolist())
        item_index = links["cod_modelo_color"].map(index)
        split = split_outfits(
            pd.DataFrame({"outfit_id": links["cod_outfit"], "item_index": item_index})
        )
        outfits = pad_outfits(split.test)
        draw = Negatives(items, split.train, num_items=len(items) + 2)
        replaced = draw.replace(outfits, np.random.default_rng(0))
        return split, outfits, replaced, np.array(["", "", *eras])

    def test_counter_examples_differ_by_taste_alone(self, drawn):
        split, outfits, replaced, era = drawn
        assert (era[outfits] == era[replaced]).all()
        assert (outfits != replaced).any(axis=1).mean() > 0.99
        worn = np.bincount(np.concatenate(split.train), minlength=len(era))
        scores = [np.log1p(worn[rows]).sum(axis=1) for rows in (outfits, replaced)]
        assert compatibility_auc(*scores) == pytest.approx(0.5, abs=0.05)

    def test_leaves_the_repeated_outfits_out(self, drawn):
        split = drawn[0]
        assert split.dropped == {"fewer_than_two_known_items": 0, "same_items_as_another": 551}
        assert len(split.train) + len(split.validation) + len(split.test) == 7_842 - 551
