import pytest
from pydantic import ValidationError

from stylerec.models.ranking.config import RankingConfig


class TestRankingConfig:
    def test_round_trips_through_json(self) -> None:
        config = RankingConfig(embedding_dim=32, seed=3)
        assert RankingConfig.model_validate_json(config.model_dump_json()) == config

    def test_refuses_an_unknown_field(self) -> None:
        with pytest.raises(ValidationError, match="embeding_dim"):
            RankingConfig(embeding_dim=32)

    def test_refuses_heads_that_do_not_divide_the_embedding(self) -> None:
        with pytest.raises(ValidationError, match="num_heads: expected a divisor of"):
            RankingConfig(embedding_dim=30, num_heads=4)

    def test_refuses_id_dropout_without_content(self) -> None:
        with pytest.raises(ValidationError, match="id_dropout: expected 0"):
            RankingConfig(use_content=False, id_dropout=0.1)

    def test_refuses_gbce_with_negatives_that_are_not_uniform(self) -> None:
        with pytest.raises(ValidationError, match=r'negatives: expected "uniform"'):
            RankingConfig(loss="gbce", negatives="in_batch")

    def test_refuses_a_history_longer_than_what_is_stored(self) -> None:
        with pytest.raises(ValidationError, match="max_history_len"):
            RankingConfig(max_history_len=201)


class TestAmf:
    def test_has_no_content_no_weights_and_two_item_embeddings(self) -> None:
        config = RankingConfig.amf()
        assert not config.use_content
        assert config.aggregation == "mean"
        assert config.num_query_layers == 0
        assert config.use_input_embedding

    def test_takes_changes(self) -> None:
        config = RankingConfig.amf(learning_rate=0.01, embedding_dim=30)
        assert (config.learning_rate, config.embedding_dim) == (0.01, 30)
        assert config.aggregation == "mean"
        assert RankingConfig.amf(use_input_embedding=False).use_input_embedding is False

    def test_refuses_an_unknown_change(self) -> None:
        with pytest.raises(ValidationError, match="learning_rat"):
            RankingConfig.amf(learning_rat=0.01)

    def test_has_the_full_model_s_training(self) -> None:
        fields = {"max_history_len", "seed", "batch_size", "max_epochs", "patience"}
        assert RankingConfig.amf().model_dump(include=fields) == RankingConfig().model_dump(
            include=fields
        )
