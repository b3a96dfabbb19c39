import numpy as np
import pandas as pd

from stylerec.data.preparation.content import content_embedding


def _items(titles, categories=None):
    return pd.DataFrame(
        {"title": titles, "category": categories if categories else [None] * len(titles)}
    )


def _embed(items, num_dimensions=4, max_words=100):
    return content_embedding(items, num_dimensions=num_dimensions, max_words=max_words)


class TestContentEmbedding:
    def test_rows_have_unit_length_or_are_zero(self):
        embedding = _embed(_items(["red dress", "red shoe", "blue dress", "blue shoe", None]))
        norms = np.linalg.norm(embedding, axis=1)
        np.testing.assert_allclose(norms, [0, 0, 1, 1, 1, 1, 0], atol=1e-5)
        assert embedding.dtype == np.float32

    def test_items_with_more_in_common_are_nearer(self):
        titles = [
            "red silk dress",
            "red silk gown dress",
            "blue trail shoe",
            "blue trail gown shoe",
        ]
        similarity = _embed(_items(titles)) @ _embed(_items(titles)).T
        assert similarity[2, 3] > similarity[2, 4]
        assert similarity[4, 5] > similarity[4, 3]

    def test_categories_count_without_any_text(self):
        similarity = _embed(_items([None] * 4, ["shoes", "shoes", "bags", "bags"]))
        np.testing.assert_allclose(similarity[2], similarity[3], atol=1e-5)
        assert abs(similarity[2] @ similarity[4]) < 1e-4

    def test_is_zero_when_items_share_no_word(self):
        embedding = _embed(_items(["one", "two", "three"]))
        assert embedding.shape == (2 + 3, 1)
        assert not embedding.any()

    def test_is_zero_without_content(self):
        assert not _embed(_items([None, None])).any()

    def test_is_no_wider_than_asked(self):
        words = [" ".join(f"w{(i * k) % 13}" for k in range(5)) for i in range(40)]
        assert _embed(_items(words), num_dimensions=3).shape == (42, 3)

    def test_is_the_same_every_time(self):
        items = _items([f"word{i % 7} thing{i % 5} other{i % 3}" for i in range(60)])
        np.testing.assert_array_equal(_embed(items), _embed(items))
