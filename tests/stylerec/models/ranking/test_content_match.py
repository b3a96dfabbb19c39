import numpy as np
import pytest
import tensorflow as tf

from stylerec.data.content_vectors import content_vectors
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel, ScoringGraph

V = 42
NEW = [4, 40]
CONTENT = 200


def make_graph(features, *, weight: float = 3.0, **changes) -> ScoringGraph:
    config = RankingConfig(embedding_dim=4, match_dim=CONTENT, max_history_len=6)
    has_id = np.arange(V) >= 2
    has_id[NEW] = False
    model = RankingModel(config.model_copy(update=changes), features, has_id=has_id)
    for number, variable in enumerate(model.parameters.trainable):
        variable.assign(tf.random.stateless_normal(variable.shape, seed=(number, 3)))
    if model.match is not None:
        model.match.weight.assign([weight])
    return ScoringGraph(model)


def scores(graph: ScoringGraph, items: list[int]) -> np.ndarray:
    history = np.array([items], np.int64)
    found = graph(
        history_item_index=tf.constant(history),
        history_event_type=tf.constant(np.minimum(history, 1)),
        history_age_days=tf.zeros(history.shape),
        context_item_index=tf.zeros((1, 1), tf.int64),
        context_weight=tf.zeros((1, 1)),
        candidate_index=tf.range(2, V, dtype=tf.int64)[None, :],
    )
    return found["scores"].numpy()[0]


class TestContentMatch:
    @pytest.mark.parametrize("use_input_embedding", [False, True])
    def test_adds_the_faded_similarity_to_the_model_score(self, features, use_input_embedding):
        changes = {"use_input_embedding": use_input_embedding}
        content = content_vectors(features, dim=CONTENT)
        found = scores(make_graph(features, **changes), [0, 5, 9])
        without = scores(make_graph(features, weight=0.0, **changes), [0, 5, 9])
        similarity = content[2:] @ (content[9] + np.exp(-0.5) * content[5])
        np.testing.assert_allclose(found - without, 3.0 * similarity, atol=1e-3)

    def test_padding_never_changes_a_score(self, features):
        graph = make_graph(features, new_item_boost=0.5)
        np.testing.assert_allclose(
            scores(graph, [0, 0, 5, 9]), scores(graph, [5, 9]), rtol=1e-4, atol=1e-4
        )

    def test_new_items_alone_are_boosted(self, features):
        boosted = scores(make_graph(features, new_item_boost=0.5), [5])
        expected = np.isin(np.arange(2, V), NEW) * 0.5
        np.testing.assert_allclose(boosted - scores(make_graph(features), [5]), expected, atol=1e-4)

    @pytest.mark.parametrize("changes", [{"match_dim": 0}, {"use_content": False}])
    def test_is_nothing_when_switched_off(self, features, changes):
        assert make_graph(features, **changes).item_embedding_VD.shape == (V, 4 + 1)
