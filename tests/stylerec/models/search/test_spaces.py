import pytest

from stylerec.errors import ConfigError
from stylerec.models.search.spaces import load_space


class TestLoadSpace:
    @pytest.mark.parametrize("name", ["next_item", "next_item_ids", "ranking", "amf"])
    def test_finds_every_space_under_its_own_name(self, name: str) -> None:
        assert load_space(name).name == name

    def test_refuses_an_unknown_name(self) -> None:
        with pytest.raises(ConfigError, match=r"next_item, .* got outfit"):
            load_space("outfit")
