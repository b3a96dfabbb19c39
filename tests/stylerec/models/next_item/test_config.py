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
        assert config.loss_for(FULL_SOFTMAX_MAX_ITEMS) == "full_softmax"
        assert config.loss_for(FULL_SOFTMAX_MAX_ITEMS + 1) == "sampled_softmax"

    def test_follows_the_choice_otherwise(self):
        assert NextItemConfig(loss="full_softmax").loss_for(10**6) == "full_softmax"
        assert NextItemConfig(loss="gbce").loss_for(10) == "gbce"


class TestRecipes:
    @pytest.mark.parametrize(
        ("name", "block", "loss"),
        [
            ("sasrec", "pre_norm", "gbce"),
            ("gsasrec", "pre_norm", "gbce"),
            ("esasrec", "ligr", "sampled_softmax"),
            ("hstu", "hstu", "sampled_softmax"),
        ],
    )
    def test_are_configs_of_items_by_id_alone(self, name, block, loss):
        config = getattr(NextItemConfig, name)()
        assert (config.block, config.loss) == (block, loss)
        assert (config.use_content, config.id_dropout) == (False, 0.0)
        assert config.initialisation == "random"
        assert NextItemConfig.model_validate_json(config.model_dump_json()) == config

    def test_gsasrec_is_sasrec_with_a_calibrated_loss(self):
        sizes = {"embedding_dim": 64, "num_layers": 2}
        plain, calibrated = NextItemConfig.sasrec(**sizes), NextItemConfig.gsasrec(**sizes)
        assert plain.gbce_calibration == 0.0
        assert calibrated == plain.model_copy(update={"gbce_calibration": 0.75})

    def test_only_hstu_reads_times(self):
        assert NextItemConfig.hstu().use_time_gaps
        assert not NextItemConfig.esasrec().use_time_gaps

    def test_take_changes(self):
        assert NextItemConfig.hstu(max_epochs=3, dropout=0.1).dropout == 0.1
        with pytest.raises(ValidationError, match="max_epoch"):
            NextItemConfig.esasrec(max_epoch=3)
