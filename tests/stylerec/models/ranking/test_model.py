import numpy as np
import pytest
import tensorflow as tf

from stylerec.models.ranking import model as model_module
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import NO_CANDIDATE_SCORE, RankingModel, ScoringGraph

V = 42


def make_model(features, **changes) -> RankingModel:
    config = RankingConfig(embedding_dim=4, num_heads=2, max_history_len=5)
    has_id = np.arange(V) >= 2
    model = RankingModel(config.model_copy(update=changes), features, has_id=has_id)
    for number, weight in enumerate(model.parameters.trainable):
        weight.assign(tf.random.stateless_normal(weight.shape, seed=(number, 3)))
    return model


def inputs(
    *,
    history: tuple[int, ...] = (0, 0, 3, 4, 5),
    context: tuple[int, ...] = (0,),
    weight: float = 0.0,
    candidates: tuple[int, ...] = (2, 3, 9),
) -> dict[str, np.ndarray]:
    items = np.array([history], np.int64)
    return {
        "history_item_index": items,
        "history_event_type": np.where(items > 0, 2, 0),
        "history_age_days": np.where(items > 0, 1.5, 0.0).astype(np.float32),
        "context_item_index": np.array([context], np.int64),
        "context_weight": np.array([[weight]], np.float32),
        "candidate_index": np.array([candidates], np.int64),
    }


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x)


@pytest.fixture(scope="module")
def graph(features) -> ScoringGraph:
    return ScoringGraph(make_model(features))


class TestItemTables:
    @pytest.mark.parametrize("use_input_embedding", [False, True])
    def test_blocks_do_not_change_the_table(
        self, features, use_input_embedding: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = make_model(features, use_input_embedding=use_input_embedding)
        whole = model.item_tables()
        monkeypatch.setattr(model_module, "_TABLE_BLOCK", 5)
        blocks = model.item_tables()
        assert whole.output_ND.shape == (V, 5)
        np.testing.assert_allclose(blocks.output_ND, whole.output_ND, atol=1e-5)
        everything = np.arange(V)
        assert whole.of_history(everything).shape == (V, 4)
        np.testing.assert_allclose(
            blocks.of_history(everything), whole.of_history(everything), atol=1e-5
        )


class TestScoringGraph:
    def test_score_is_query_times_item_embedding(self, graph: ScoringGraph) -> None:
        outputs = graph(**inputs())
        items = graph.item_embedding_VD.numpy()[[2, 3, 9]]
        np.testing.assert_allclose(
            outputs["scores"][0], items @ outputs["query_embedding"].numpy()[0], rtol=1e-5
        )
        assert outputs["query_embedding"][0, -1] == 1.0

    def test_reads_the_history_through_its_own_embeddings(self, features) -> None:
        config = RankingConfig.amf(embedding_dim=4, history_exponent=1.0)
        model = RankingModel(config, features, has_id=np.arange(V) >= 2)
        query = ScoringGraph(model)(**inputs())["query_embedding"].numpy()[0]
        table = model.parameters.variables["item.input_id"].numpy()
        np.testing.assert_allclose(query[:-1], table[[3, 4, 5]].mean(axis=0), atol=1e-6)

    def test_padding_and_unknown_candidates_score_lowest(self, graph: ScoringGraph) -> None:
        scores = graph(**inputs(candidates=(0, 1, 2)))["scores"].numpy()[0]
        np.testing.assert_array_equal(scores[:2], [NO_CANDIDATE_SCORE] * 2)
        assert np.abs(scores[2]) < 1e6

    def test_indices_out_of_range_are_clipped(self, graph: ScoringGraph) -> None:
        wild = graph(**inputs(history=(-3, 1, 3, 4, 99), context=(99, -1), candidates=(99, -9)))
        tame = graph(**inputs(history=(0, 1, 3, 4, V - 1), context=(V - 1, 0), candidates=(41, 0)))
        np.testing.assert_array_equal(wild["scores"], tame["scores"])

    def test_an_empty_history_has_a_finite_query(self, graph: ScoringGraph) -> None:
        outputs = graph(**inputs(history=(0, 0, 0, 0, 0), context=(3,), weight=0.5))
        assert np.isfinite(outputs["query_embedding"]).all()
        assert np.isfinite(outputs["scores"]).all()

    def test_candidates_do_not_influence_each_other(self, graph: ScoringGraph) -> None:
        together = graph(**inputs(candidates=(2, 3, 9)))["scores"].numpy()[0]
        alone = graph(**inputs(candidates=(9,)))["scores"].numpy()[0]
        assert together[2] == pytest.approx(alone[0], rel=1e-5)

    def test_without_item_biases_none_counts(self, features) -> None:
        outputs = ScoringGraph(make_model(features, use_item_bias=False))(**inputs())
        assert outputs["query_embedding"][0, -1] == 0.0


class TestContext:
    def test_blends_the_directions_of_query_and_context_by_weight(
        self, graph: ScoringGraph
    ) -> None:
        outputs = graph(**inputs(context=(7, 0, 8), weight=0.3))
        items = graph.item_embedding_VD.numpy()
        mean = items[[7, 8]].mean(axis=0)
        mean[-1] = 0.0
        query = 0.7 * unit(outputs["query_embedding"].numpy()[0]) + 0.3 * unit(mean)
        np.testing.assert_allclose(outputs["scores"][0], items[[2, 3, 9]] @ query, rtol=1e-5)

    def test_a_weight_of_one_leaves_the_customer_out(self, graph: ScoringGraph) -> None:
        first = graph(**inputs(history=(0, 0, 3, 4, 5), context=(7,), weight=1.0))["scores"]
        second = graph(**inputs(history=(9, 8, 7, 6, 2), context=(7,), weight=1.0))["scores"]
        np.testing.assert_allclose(first, second, rtol=1e-5)

    @pytest.mark.parametrize(
        ("context", "weight"), [((0, 1), 0.5), ((7,), 0.0), ((), 0.5)], ids=str
    )
    def test_nothing_is_blended_without_context_or_weight(
        self, graph: ScoringGraph, context: tuple[int, ...], weight: float
    ) -> None:
        plain = graph(**inputs())["scores"]
        found = graph(**inputs(context=context, weight=weight))["scores"]
        np.testing.assert_array_equal(found, plain)

    def test_does_not_change_the_query_embedding(self, graph: ScoringGraph) -> None:
        plain = graph(**inputs())["query_embedding"]
        found = graph(**inputs(context=(7,), weight=0.6))["query_embedding"]
        np.testing.assert_array_equal(found, plain)
