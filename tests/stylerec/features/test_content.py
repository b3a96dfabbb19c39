import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from stylerec.features.content import (
    MAX_TEXT_TOKENS,
    NUM_TEXT_BUCKETS,
    build_item_features,
    column_values,
    text_bucket,
    text_words,
)
from stylerec.features.vocabulary import Vocabulary
from stylerec.schema.columns import CATEGORICAL_ITEM_COLUMNS

CATEGORIES = {
    "brand": ("Acme",),
    "category": ("Dresses", "Shoes"),
    "product_type": (),
    "department": (),
    "colour": ("red",),
}


def _vocabulary(*item_ids):
    return Vocabulary(tuple(item_ids), CATEGORIES)


class TestTextWords:
    def test_keeps_distinct_words_in_order(self):
        assert text_words("Red Dress", "a red one") == ["red", "dress", "a", "one"]

    def test_reads_lists_and_skips_missing_values(self):
        assert text_words(None, ["Slim fit", None], float("nan"), np.array(["cotton"])) == [
            "slim",
            "fit",
            "cotton",
        ]

    def test_decodes_html_entities(self):
        assert text_words("L&#39;Oreal &amp; co") == ["l", "oreal", "co"]

    def test_knows_letters_of_every_language(self):
        assert text_words("Übergröße 新款") == ["übergröße", "新款"]


class TestTextBucket:
    def test_is_never_the_padding_bucket(self):
        buckets = {text_bucket(f"word{i}") for i in range(50_000)}
        assert min(buckets) >= 1
        assert max(buckets) < NUM_TEXT_BUCKETS

    def test_is_the_same_in_another_process(self):
        code = "from stylerec.features.content import text_bucket; print(text_bucket('größe'))"
        printed = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout
        assert int(printed) == text_bucket("größe")


class TestColumnValues:
    def test_missing_values_of_every_kind_become_none(self):
        frame = pd.DataFrame({"x": pd.Series([None, np.nan, pd.NaT, pd.NA, "a"], dtype=object)})
        assert column_values(frame, "x") == [None, None, None, None, "a"]

    def test_an_absent_column_is_all_none(self):
        assert column_values(pd.DataFrame({"x": [1, 2]}), "y") == [None, None]

    def test_lists_become_tuples(self):
        frame = pd.DataFrame({"x": [["a", "b"], np.array(["c"]), None]})
        assert column_values(frame, "x") == [("a", "b"), ("c",), None]


class TestBuildItemFeatures:
    def test_reserved_rows_are_zero(self):
        items = pd.DataFrame({"item_id": ["a"], "title": ["x"], "brand": ["Acme"], "price": [3.0]})
        features = build_item_features(items, _vocabulary("a"), None)
        assert not features.text_tokens[:2].any()
        assert not features.categorical[:2].any()
        assert not features.numeric[:2].any()

    def test_rows_follow_the_vocabulary_whatever_their_order(self):
        items = pd.DataFrame(
            {"item_id": ["a", "b"], "title": ["red dress", "boots"], "price": [10.0, 40.0]}
        )
        forward = build_item_features(items, _vocabulary("a", "b"), None)
        backward = build_item_features(items[::-1], _vocabulary("a", "b"), None)
        for name, array in vars(forward).items():
            np.testing.assert_array_equal(array, getattr(backward, name))
        assert forward.text_tokens[2, :3].tolist() == [text_bucket("red"), text_bucket("dress"), 0]

    def test_an_item_without_a_row_is_all_zero(self):
        items = pd.DataFrame({"item_id": ["a"], "title": ["x"]})
        features = build_item_features(items, _vocabulary("a", "b"), None)
        assert not features.text_tokens[3].any()

    def test_text_is_cut_with_the_title_first(self):
        items = pd.DataFrame(
            {
                "item_id": ["a"],
                "description": [" ".join(f"w{i}" for i in range(100))],
                "title": ["first"],
            }
        )
        tokens = build_item_features(items, _vocabulary("a"), None).text_tokens[2]
        assert tokens[0] == text_bucket("first")
        assert tokens[-1] == text_bucket(f"w{MAX_TEXT_TOKENS - 2}")

    def test_categories_are_missing_unknown_or_known(self):
        items = pd.DataFrame(
            {"item_id": ["a", "b", "c"], "category": ["Shoes", None, "Hats"], "colour": ["red"] * 3}
        )
        features = build_item_features(items, _vocabulary("a", "b", "c"), None)
        codes = dict(
            zip(CATEGORICAL_ITEM_COLUMNS, features.categorical[2:].T.tolist(), strict=True)
        )
        assert codes["category"] == [2 + 1, 0, 1]
        assert codes["colour"] == [2, 2, 2]
        assert codes["brand"] == [0, 0, 0]

    def test_prices_are_standardised_and_discounts_are_shares(self):
        items = pd.DataFrame(
            {
                "item_id": ["a", "b", "c"],
                "price": [np.e - 1, np.e**3 - 1, None],
                "sale_price": [(np.e - 1) / 4, None, 5.0],
            }
        )
        numeric = build_item_features(items, _vocabulary("a", "b", "c"), None).numeric
        # log1p gives 1 and 3: mean 2, deviation 1.
        np.testing.assert_allclose(numeric[2:, 0], [(1 - 2) / 1, (3 - 2) / 1, 0], atol=1e-6)
        np.testing.assert_allclose(numeric[2:, 1], [1 - 1 / 4, 0, 0], atol=1e-6)

    def test_equal_or_free_prices_give_finite_numbers(self):
        items = pd.DataFrame({"item_id": ["a", "b"], "price": [0.0, 0.0], "sale_price": [0.0, 0.0]})
        assert not build_item_features(items, _vocabulary("a", "b"), None).numeric.any()

    def test_images_are_absent_or_one_row_per_item(self):
        items = pd.DataFrame({"item_id": ["a", "b"]})
        images = np.random.default_rng(0).integers(0, 255, (4, 64, 64, 3), dtype=np.uint8)
        assert build_item_features(items, _vocabulary("a", "b"), None).image.shape == (4, 0)
        assert build_item_features(items, _vocabulary("a", "b"), images).image.shape[0] == 4

    def test_dtypes_are_those_of_the_contract(self):
        features = build_item_features(pd.DataFrame({"item_id": ["a"]}), _vocabulary("a"), None)
        assert {name: str(array.dtype) for name, array in vars(features).items()} == {
            "text_tokens": "int32",
            "categorical": "int32",
            "numeric": "float32",
            "image": "float32",
        }

    def test_raises_when_a_row_is_not_in_the_vocabulary(self):
        with pytest.raises(ValueError, match="1 rows not in the vocabulary"):
            build_item_features(pd.DataFrame({"item_id": ["z"]}), _vocabulary("a"), None)

    def test_raises_when_images_have_another_length(self):
        with pytest.raises(ValueError, match="expected 3 rows"):
            build_item_features(
                pd.DataFrame({"item_id": ["a"]}),
                _vocabulary("a"),
                np.zeros((5, 64, 64, 3), np.uint8),
            )
