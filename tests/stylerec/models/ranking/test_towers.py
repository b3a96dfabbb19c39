import numpy as np
import pytest
import tensorflow as tf

from stylerec.features.item_features import ItemFeatures
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.parameters import Parameters
from stylerec.models.ranking.towers import ItemTower, QueryTower, with_bias

PLAIN = RankingConfig(embedding_dim=4, num_heads=2, max_history_len=6, history_exponent=1.0)
WEIGHTED = PLAIN.model_copy(update={"num_query_layers": 1})
MEAN = PLAIN.model_copy(update={"aggregation": "mean", "num_query_layers": 0})
FISM = MEAN.model_copy(update={"history_exponent": 0.5})
VECTORS = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)


def make_query_tower(config: RankingConfig, *, is_random: bool = True) -> QueryTower:
    """A tower whose weights are not the neutral ones that training starts from."""
    parameters = Parameters(config.seed)
    tower = QueryTower(config, parameters)
    if is_random:
        for number, weight in enumerate(parameters.variables.values()):
            weight.assign(tf.random.stateless_normal(weight.shape, seed=(number, 1)))
    return tower


def query(
    tower: QueryTower,
    items: list[list[int]],
    *,
    events: list[list[int]] | None = None,
    ages: list[list[float]] | None = None,
) -> np.ndarray:
    index = np.array(items, np.int64)
    return tower(
        tf.gather(VECTORS, index),
        item_index_BL=index,
        event_type_BL=np.array(events, np.int64) if events else np.ones_like(index),
        age_days_BL=np.array(ages, np.float32) if ages else np.zeros(index.shape, np.float32),
    ).numpy()


class TestQueryTower:
    @pytest.mark.parametrize("config", [WEIGHTED, MEAN])
    def test_padding_never_changes_a_query(self, config: RankingConfig) -> None:
        tower = make_query_tower(config)
        short = query(tower, [[3, 5]], events=[[1, 4]], ages=[[9.0, 2.0]])
        padded = query(
            tower, [[0, 0, 0, 3, 5]], events=[[0, 0, 0, 1, 4]], ages=[[0.0, 0.0, 0.0, 9.0, 2.0]]
        )
        np.testing.assert_allclose(padded, short, atol=1e-6)

    @pytest.mark.parametrize("config", [WEIGHTED, MEAN])
    def test_what_padding_holds_never_matters(self, config: RankingConfig) -> None:
        tower = make_query_tower(config)
        clean = query(tower, [[0, 3]], events=[[0, 1]], ages=[[0.0, 2.0]])
        dirty = query(tower, [[0, 3]], events=[[4, 1]], ages=[[500.0, 2.0]])
        np.testing.assert_allclose(dirty, clean, atol=1e-6)

    @pytest.mark.parametrize("config", [WEIGHTED, MEAN])
    def test_other_customers_of_the_batch_never_matter(self, config: RankingConfig) -> None:
        tower = make_query_tower(config)
        together = query(tower, [[2, 3], [0, 4], [0, 0]])
        np.testing.assert_allclose(together[1:2], query(tower, [[0, 4]]), atol=1e-6)

    @pytest.mark.parametrize("config", [WEIGHTED, MEAN])
    def test_is_finite_for_an_empty_history(self, config: RankingConfig) -> None:
        assert np.isfinite(query(make_query_tower(config), [[0, 0], [1, 1]])).all()

    def test_unknown_items_count_nothing(self) -> None:
        tower = make_query_tower(MEAN)
        np.testing.assert_allclose(query(tower, [[1, 3, 5]]), query(tower, [[0, 3, 5]]), atol=1e-6)

    def test_is_the_mean_before_training(self) -> None:
        tower = make_query_tower(WEIGHTED, is_random=False)
        expected = (VECTORS[3] + VECTORS[5] + VECTORS[3]) / 3
        found = query(tower, [[0, 3, 5, 3]], events=[[0, 1, 2, 3]], ages=[[0.0, 90.0, 5.0, 0.0]])
        np.testing.assert_allclose(found[0], expected, atol=1e-6)

    def test_mean_aggregation_ignores_order_event_type_and_age(self) -> None:
        tower = make_query_tower(MEAN)
        first = query(tower, [[2, 3, 4]], events=[[1, 2, 3]], ages=[[30.0, 20.0, 0.0]])
        second = query(tower, [[4, 2, 3]], events=[[4, 4, 1]], ages=[[7.0, 2.0, 1.0]])
        np.testing.assert_allclose(first, second, atol=1e-6)

    def test_weights_fall_with_age_by_the_learned_decay(self) -> None:
        parameters = Parameters(7)
        config = WEIGHTED.model_copy(update={"num_heads": 1, "num_query_layers": 0})
        tower = QueryTower(config, parameters)
        parameters.variables["query.decay"].assign([1.0])
        # Decay 1 weighs by 1 / (1 + age): 1/4 and 1.
        expected = (VECTORS[3] / 4 + VECTORS[5]) / (1 / 4 + 1)
        found = query(tower, [[3, 5]], ages=[[3.0, 0.0]])
        np.testing.assert_allclose(found[0], expected, atol=1e-6)

    def test_weights_follow_event_type_and_place_per_head(self) -> None:
        parameters = Parameters(7)
        tower = QueryTower(WEIGHTED.model_copy(update={"num_query_layers": 0}), parameters)
        event, recency = np.zeros((5, 2)), np.zeros((6, 2))
        event[4, 0], recency[0, 1] = np.log(3.0), np.log(2.0)
        parameters.variables["query.event"].assign(event)
        parameters.variables["query.recency"].assign(recency)
        found = query(tower, [[3, 5]], events=[[4, 1]])[0]
        np.testing.assert_allclose(found[:2], (3 * VECTORS[3] + VECTORS[5])[:2] / 4, atol=1e-6)
        np.testing.assert_allclose(found[2:], (VECTORS[3] + 2 * VECTORS[5])[2:] / 3, atol=1e-6)

    def test_divides_by_a_power_of_the_number_of_interactions(self) -> None:
        found = query(make_query_tower(FISM), [[2, 3, 4]])[0]
        np.testing.assert_allclose(found, VECTORS[2:5].sum(axis=0) / 3**0.5, atol=1e-6)

    def test_divides_by_a_power_of_the_sum_of_weights(self) -> None:
        parameters = Parameters(7)
        config = WEIGHTED.model_copy(
            update={"num_heads": 1, "num_query_layers": 0, "history_exponent": 0.5}
        )
        tower = QueryTower(config, parameters)
        parameters.variables["query.decay"].assign([1.0])
        expected = (VECTORS[3] / 4 + VECTORS[5]) / (1 / 4 + 1) ** 0.5
        found = query(tower, [[3, 5]], ages=[[3.0, 0.0]])
        np.testing.assert_allclose(found[0], expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("switch", "weight"), [("use_event_types", "event"), ("use_time_gaps", "decay")]
    )
    def test_a_switched_off_input_has_no_weights(self, switch: str, weight: str) -> None:
        parameters = Parameters(7)
        QueryTower(WEIGHTED.model_copy(update={switch: False}), parameters)
        both = Parameters(7)
        QueryTower(WEIGHTED, both)
        assert set(both.variables) - set(parameters.variables) == {f"query.{weight}"}

    def test_event_types_and_ages_do_not_matter_when_switched_off(self) -> None:
        order_only = {"use_event_types": False, "use_time_gaps": False}
        tower = make_query_tower(WEIGHTED.model_copy(update=order_only))
        first = query(tower, [[2, 3, 4]], events=[[1, 2, 3]], ages=[[30.0, 20.0, 0.0]])
        second = query(tower, [[2, 3, 4]], events=[[4, 4, 1]], ages=[[7.0, 2.0, 1.0]])
        np.testing.assert_array_equal(first, second)

    def test_extreme_weights_stay_finite(self) -> None:
        parameters = Parameters(7)
        tower = QueryTower(WEIGHTED, parameters)
        parameters.variables["query.recency"].assign(np.full((6, 2), 500.0))
        parameters.variables["query.recency"][0].assign([-500.0, -500.0])
        assert np.isfinite(query(tower, [[2, 3], [0, 3]])).all()

    def test_takes_longer_histories_and_unlisted_events(self) -> None:
        tower = make_query_tower(WEIGHTED)
        assert np.isfinite(query(tower, [[2, 3, 4, 5, 6, 7, 8, 2]], events=[[9] * 8])).all()


class TestOfInteractions:
    @pytest.mark.parametrize("config", [WEIGHTED, MEAN, FISM])
    def test_training_and_serving_embed_equal_histories_equally(
        self, config: RankingConfig
    ) -> None:
        tower = make_query_tower(config)
        items = [[0, 0, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 0, 0], [8, 7, 1, 6, 5, 1, 3, 2]]
        rng = np.random.default_rng(0)
        events = rng.integers(0, 9, (3, 8))
        ages = rng.exponential(30.0, (3, 8)).astype(np.float32)
        index = np.array(items)
        row, column = np.nonzero(index >= 2)
        flat = tower.of_interactions(
            tf.gather(VECTORS, index[row, column]),
            row_F=tf.constant(row),
            from_newest_F=tf.constant(7 - column),
            event_type_F=tf.constant(events[row, column]),
            age_days_F=tf.constant(ages[row, column]),
            num_rows=3,
        )
        padded = query(tower, items, events=events.tolist(), ages=ages.tolist())
        np.testing.assert_allclose(flat, padded, rtol=1e-5, atol=1e-6)


class TestWithBias:
    def test_appends_one_or_nothing_that_counts(self) -> None:
        query_BE = tf.constant([[2.0, 3.0]])
        np.testing.assert_array_equal(with_bias(query_BE), [[2.0, 3.0, 1.0]])
        np.testing.assert_array_equal(with_bias(query_BE, use_item_bias=False), [[2.0, 3.0, 0.0]])


CONTENT = RankingConfig(embedding_dim=4)


def make_item_tower(
    config: RankingConfig, features: ItemFeatures, has_id: np.ndarray
) -> tuple[ItemTower, Parameters]:
    parameters = Parameters(config.seed)
    tower = ItemTower(config, features, has_id=has_id, parameters=parameters)
    for number, weight in enumerate(parameters.trainable):
        weight.assign(tf.random.stateless_normal(weight.shape, seed=(number, 2)))
    return tower, parameters


class TestItemTower:
    @pytest.mark.parametrize("use_input_embedding", [False, True])
    def test_an_item_without_id_is_embedded_as_one_whose_id_is_dropped(
        self, features: ItemFeatures, use_input_embedding: bool
    ) -> None:
        config = CONTENT.model_copy(update={"use_input_embedding": use_input_embedding})
        has_id = np.arange(len(features.numeric)) > 5
        tower, parameters = make_item_tower(config, features, has_id)
        item = tf.constant([3, 7], tf.int64)
        kept, dropped = tower.embed(item, tf.ones(2)), tower.embed(item, tf.zeros(2))
        np.testing.assert_array_equal(kept.output_ND[0], dropped.output_ND[0])
        row = tf.constant([0])
        np.testing.assert_array_equal(kept.of_history(row), dropped.of_history(row))
        np.testing.assert_allclose(
            kept.output_ND[1] - dropped.output_ND[1], parameters.variables["item.id"][7], atol=1e-5
        )

    def test_equal_content_without_ids_is_embedded_equally(self, features: ItemFeatures) -> None:
        tokens = features.text_tokens.copy()
        tokens[3] = tokens[2]
        same = ItemFeatures(tokens, features.categorical, features.numeric, features.image)
        tower, _ = make_item_tower(CONTENT, same, np.ones(len(tokens), np.bool_))
        embedded = tower.embed(tf.constant([2, 3, 4], tf.int64), tf.zeros(3)).output_ND.numpy()
        np.testing.assert_array_equal(embedded[0], embedded[1])
        assert (embedded[0] != embedded[2]).any()

    def test_rows_do_not_depend_on_what_else_is_asked_for(self, features: ItemFeatures) -> None:
        tower, _ = make_item_tower(CONTENT, features, np.ones(len(features.numeric), np.bool_))
        # Padding holds no words: the last row of a lookup must still be there.
        some = tower.embed(tf.constant([4, 9, 0], tf.int64), tf.ones(3)).output_ND
        alone = tower.embed(tf.constant([9], tf.int64), tf.ones(1)).output_ND
        assert some.shape == (3, 5)
        np.testing.assert_allclose(some[1], alone[0], atol=1e-6)

    def test_words_are_weighted_by_tf_idf(self, features: ItemFeatures) -> None:
        empty = np.zeros_like(features.categorical)
        numeric = np.zeros_like(features.numeric)
        words_only = ItemFeatures(features.text_tokens, empty, numeric, features.image)
        config = CONTENT.model_copy(update={"num_content_layers": 0})
        tower, parameters = make_item_tower(config, words_only, np.zeros(len(numeric), np.bool_))
        table = parameters.variables["item.text"].numpy()
        weights, tokens = features.text_weights()[2], features.text_tokens[2]
        found = tower.embed(tf.constant([2], tf.int64), tf.ones(1)).output_ND.numpy()[0]
        np.testing.assert_allclose(found, weights @ table[tokens], atol=1e-5)
        assert set(parameters.variables) == {"item.has_id", "item.id", "item.text"}

    def test_uses_pictures_where_there_are_some(self, features: ItemFeatures) -> None:
        image = np.random.default_rng(0).random((len(features.numeric), 6)).astype(np.float32)
        pictured = ItemFeatures(features.text_tokens, features.categorical, features.numeric, image)
        _, parameters = make_item_tower(CONTENT, pictured, np.ones(len(image), np.bool_))
        assert parameters.variables["item.dense"].shape == (2 + 6, 5)

    @pytest.mark.parametrize("use_input_embedding", [False, True])
    def test_ids_start_where_they_are_told(
        self, features: ItemFeatures, use_input_embedding: bool
    ) -> None:
        fields = {"embedding_dim": 4, "use_input_embedding": use_input_embedding}
        config = RankingConfig(**fields, initial_std=0.5)
        num_items = len(features.numeric)
        start = np.random.default_rng(0).normal(size=(num_items, 4)).astype(np.float32)
        parameters = Parameters(7, initial_std=0.5)
        has_id = np.ones(num_items, np.bool_)
        ItemTower(config, features, has_id=has_id, parameters=parameters, id_start=start)
        found = {name: weight.numpy() for name, weight in parameters.variables.items()}
        np.testing.assert_allclose(found["item.id"][:, :4], start / 2)
        np.testing.assert_array_equal(found["item.id"][:, 4], np.zeros(num_items))
        if use_input_embedding:
            np.testing.assert_allclose(found["item.input_id"], start / 2)

    def test_works_without_any_content(self, features: ItemFeatures) -> None:
        nothing = ItemFeatures(*(np.zeros_like(array) for array in vars(features).values()))
        tower, _ = make_item_tower(CONTENT, nothing, np.ones(len(features.numeric), np.bool_))
        embedded = tower.embed(tf.constant([2, 3], tf.int64), tf.ones(2)).output_ND.numpy()
        assert (embedded[0] != embedded[1]).all()
