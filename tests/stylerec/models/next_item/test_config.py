import pytest
from pydantic import ValidationError

from stylerec.errors import ConfigError
from stylerec.models.next_item.config import FULL_SOFTMAX_MAX_ITEMS, NextItemConfig


class TestNextItemConfig:
    def test_survives_json(self):
        config = NextItemConfig(block="ligr", max_len=20)
        assert NextItemConfig.model_validate_json(config.model_dump_json()) == config

    def test_raises_when_heads_do_not_divide_dim(self):
        with pytest.raises(ConfigError, match=r"next_item\.num_heads: expected a divisor .* 64"):
            NextItemConfig(embedding_dim=64, num_heads=3)

    @pytest.mark.parametrize(
        "wrong", [{"max_len": 1}, {"dropout": 1.0}, {"block": "post_norm"}, {"num_layer": 2}]
    )
    def test_raises_on_wrong_values_and_typos(self, wrong):
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            NextItemConfig(**wrong)


class TestUsesFullSoftmax:
    def test_follows_the_catalogue_when_auto(self):
        config = NextItemConfig()
        assert config.uses_full_softmax(FULL_SOFTMAX_MAX_ITEMS)
        assert not config.uses_full_softmax(FULL_SOFTMAX_MAX_ITEMS + 1)

    def test_follows_the_choice_otherwise(self):
        assert NextItemConfig(loss="full_softmax").uses_full_softmax(10**6)
        assert not NextItemConfig(loss="sampled_softmax").uses_full_softmax(10)
