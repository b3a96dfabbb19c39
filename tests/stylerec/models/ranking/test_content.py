import numpy as np
import pytest
import tensorflow as tf

from stylerec.features.item_features import ItemFeatures
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.content import ContentEncoder
from stylerec.models.ranking.parameters import Parameters

CONFIG = RankingConfig(embedding_dim=4)
ITEMS = np.array([9, 1, 4, 30, 5, 0])
"""Padding and unknown, which have no words, among the others."""


@pytest.fixture
def encoder(features: ItemFeatures) -> tuple[ContentEncoder, list[tf.Variable]]:
    parameters = Parameters(7, initial_std=0.5)
    return ContentEncoder(CONFIG, features, parameters), parameters.trainable


class TestContentEncoder:
    def test_places_of_words_change_neither_result_nor_gradient(self, encoder) -> None:
        content, weights = encoder
        found = []
        for places in (None, content.word_places(ITEMS)):
            with tf.GradientTape() as tape:
                embedded = content(tf.constant(ITEMS), places)
                loss = tf.reduce_sum(embedded * tf.random.stateless_normal((6, 5), seed=(1, 2)))
            gradients = tape.gradient(loss, weights)
            found.append([embedded, *map(tf.convert_to_tensor, gradients)])
        assert len(found[0]) == 1 + len(weights)
        for plain, with_places in zip(*found, strict=True):
            np.testing.assert_allclose(with_places, plain, rtol=1e-5, atol=1e-6)

    def test_places_list_every_occurrence_by_word(self, encoder, features: ItemFeatures) -> None:
        places = encoder[0].word_places(ITEMS)
        assert (np.diff(places.word) >= 0).all()
        listed = sorted(zip(places.item_row.tolist(), places.word.tolist(), strict=True))
        tokens = features.text_tokens[ITEMS]
        assert listed == sorted(
            (row, int(word)) for row, words in enumerate(tokens) for word in words[words > 0]
        )
