import pytest
from pydantic import ValidationError

from stylerec.models.outfit.config import OutfitConfig


class TestOutfitConfig:
    def test_survives_json(self):
        config = OutfitConfig(embedding_dim=32, use_pictures=False)
        assert OutfitConfig.model_validate_json(config.model_dump_json()) == config

    def test_refuses_an_unknown_field(self):
        with pytest.raises(ValidationError, match="learning_rat"):
            OutfitConfig(learning_rat=0.1)

    def test_refuses_to_mine_among_fixed_counter_examples(self):
        with pytest.raises(ValidationError, match="expected 1 with has_fixed_negatives, got 4"):
            OutfitConfig(has_fixed_negatives=True, hard_negative_draws=4)

    def test_refuses_to_mine_where_no_single_item_is_replaced(self):
        with pytest.raises(ValidationError, match="expected 1 without num_single_negatives, got 4"):
            OutfitConfig(num_single_negatives=0, hard_negative_draws=4)

    def test_refuses_patience_beyond_the_epochs(self):
        with pytest.raises(ValidationError, match="at most max_epochs = 3"):
            OutfitConfig(max_epochs=3, patience=4)
