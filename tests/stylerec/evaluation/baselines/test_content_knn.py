import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from stylerec.evaluation.baselines.content_knn import (
    content_knn_scorer,
    has_words,
    tfidf_vectors,
)

ITEMS = pd.DataFrame(
    {
        "title": ["Red dress", "Blue dress &amp; belt", None, "Blue nail polish"],
        "brand": ["Acme", None, None, "Acme"],
        "category": ["Women > Dresses", "Women > Dresses", None, "Beauty > Nails"],
    }
)
DOCUMENTS = [
    "Red dress Acme Women > Dresses",
    "Blue dress & belt Women > Dresses",
    "",
    "Blue nail polish Acme Beauty > Nails",
]


class TestTfidfVectors:
    @pytest.mark.parametrize("max_words", [1, 2])
    def test_is_what_sklearn_makes_of_title_brand_and_category(self, max_words):
        expected = TfidfVectorizer(ngram_range=(1, max_words)).fit_transform(DOCUMENTS).toarray()
        found = tfidf_vectors(ITEMS, max_words=max_words).toarray()
        np.testing.assert_allclose(found[2:], expected, rtol=1e-6)
        # Padding, the unknown item and the item without words.
        assert not found[[0, 1, 4]].any()

    def test_words_of_one_letter_count(self):
        # The size of a garment may be all that tells two products apart.
        vectors = tfidf_vectors(pd.DataFrame({"title": ["dress S", "dress M"]}), max_words=1)
        assert vectors.shape == (4, 3)


class TestContentKnnScorer:
    def test_scores_the_cosine_with_the_newest_item(self, block):
        unit = TfidfVectorizer().fit_transform(DOCUMENTS).toarray()
        (scores,) = content_knn_scorer(ITEMS, only_last=True)(block([5, 2]))
        np.testing.assert_allclose(scores[2:], unit @ unit[0], rtol=1e-5)
        assert scores[2] == pytest.approx(1.0)

    def test_ranks_by_the_mean_of_the_history(self, block):
        unit = TfidfVectorizer().fit_transform(DOCUMENTS).toarray()
        (scores,) = content_knn_scorer(ITEMS, only_last=False)(block([5, 2, 5]))
        mean = (2 * unit[3] + unit[0]) / 3
        np.testing.assert_allclose(scores[2:] / 3, unit @ mean, rtol=1e-5)


class TestHasWords:
    def test_is_false_without_title_brand_and_category(self):
        assert has_words(ITEMS)
        assert not has_words(pd.DataFrame({"title": [None, ""], "description": ["red", "blue"]}))
