import pytest
from pydantic import ValidationError

from stylerec.data.preparation.config import PrepareConfig


class TestPrepareConfig:
    def test_reloads_equal(self):
        config = PrepareConfig(max_history_len=7)
        assert PrepareConfig.model_validate_json(config.model_dump_json()) == config

    def test_is_frozen(self):
        with pytest.raises(ValidationError, match="frozen"):
            PrepareConfig().content_dim = 3

    @pytest.mark.parametrize(
        "wrong",
        [{"max_history_len": 2}, {"num_neighbours": 0}, {"memory_limit_mb": 1}, {"typo": 1}],
    )
    def test_refuses_what_cannot_work(self, wrong):
        with pytest.raises(ValidationError):
            PrepareConfig(**wrong)
