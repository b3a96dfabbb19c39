import numpy as np
import pytest
import tensorflow as tf

from benchmarks.models.ranking_keras import (
    AGE_DAYS,
    EVENT_TYPE,
    HISTORY_ROW,
    compiled_peer,
    copy_weights,
)
from stylerec.features.item_features import ItemFeatures
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel, ScoringGraph

NUM_ITEMS = 20
ITEM_INDEX = np.arange(2, NUM_ITEMS)
FULL = RankingConfig(embedding_dim=8, num_heads=2, max_history_len=4)
AMF = RankingConfig.amf(embedding_dim=8, max_history_len=4)


@pytest.fixture
def features() -> ItemFeatures:
    rng = np.random.default_rng(0)
    tokens = np.sort(rng.integers(0, 9, (NUM_ITEMS, 3)), axis=1)[:, ::-1].astype(np.int32)
    categorical = rng.integers(0, 4, (NUM_ITEMS, 2)).astype(np.int32)
    numeric = rng.normal(size=(NUM_ITEMS, 2)).astype(np.float32)
    return ItemFeatures(tokens, categorical, numeric, np.zeros((NUM_ITEMS, 0), np.float32))


class TestPlainRanking:
    @pytest.mark.parametrize("config", [FULL, AMF], ids=["full", "amf"])
    def test_with_our_weights_gives_our_scores(
        self, features: ItemFeatures, config: RankingConfig
    ) -> None:
        model = RankingModel(config, features, has_id=np.arange(NUM_ITEMS) >= 2)
        for number, weight in enumerate(model.parameters.trainable):
            weight.assign(tf.random.stateless_normal(weight.shape, seed=(number, 0), stddev=0.5))
        history = np.array([[0, 5, 3, 9], [0, 0, 0, 0], [2, 2, 19, 4]])
        events = np.where(history > 0, 1 + history % 4, 0)
        ages = np.where(history > 0, 3.0 * history, 0.0).astype(np.float32)
        graph = ScoringGraph(model)
        expected = graph.encode(history, events, ages).numpy() @ graph.item_embedding_VD.numpy().T

        own = ItemFeatures(**{name: array[2:] for name, array in vars(features).items()})
        peer = compiled_peer(config, own, text_weights=features.text_weights()[2:], num_steps=10)
        inputs = {HISTORY_ROW: np.maximum(history - 1, 0), EVENT_TYPE: events, AGE_DAYS: ages}
        peer(inputs)
        copy_weights(model, peer, ITEM_INDEX)
        np.testing.assert_allclose(peer(inputs), expected[:, 2:], rtol=1e-4, atol=1e-5)
