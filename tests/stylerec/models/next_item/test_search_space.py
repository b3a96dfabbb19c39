from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.search_space import SPACES
from stylerec.models.search.space import Choice, IntRange, Parameter


def _values(parameter: Parameter) -> st.SearchStrategy:
    if isinstance(parameter, Choice):
        return st.sampled_from(parameter.values)
    kind = st.integers if isinstance(parameter, IntRange) else st.floats
    return kind(parameter.low, parameter.high)


class TestSpaces:
    @pytest.mark.parametrize("name", ["next_item", "next_item_ids"])
    @given(data=st.data())
    def test_every_combination_is_a_valid_config(self, name: str, data: st.DataObject) -> None:
        space = SPACES[name]
        drawn = {
            field: data.draw(_values(parameter)) for field, parameter in space.parameters.items()
        }
        config = space.config(drawn)
        assert {field: getattr(config, field) for field in drawn} == drawn
        assert config.use_content == space.base.use_content

    def test_trial_0_is_the_default(self) -> None:
        space = SPACES["next_item"]
        assert space.config(space.default) == NextItemConfig()

    def test_ids_alone_search_nothing_of_the_content(self) -> None:
        assert not SPACES["next_item_ids"].base.use_content
        assert "id_dropout" not in SPACES["next_item_ids"].parameters

    def test_trains_and_reports_each_epoch(
        self, prepared: Path, tmp_path: Path, small_config: NextItemConfig
    ) -> None:
        epochs = []
        result = SPACES["next_item"].train(
            prepared,
            tmp_path / "model",
            small_config.model_copy(update={"max_epochs": 2}),
            checkpoint=tmp_path / "checkpoint",
            on_epoch=epochs.append,
            progress=lambda line: None,
        )
        assert tuple(epochs) == result.epochs
        assert [record.epoch for record in epochs] == [1, 2]

    def test_what_on_epoch_raises_ends_the_training(
        self, prepared: Path, tmp_path: Path, small_config: NextItemConfig
    ) -> None:
        def give_up(record) -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError):
            SPACES["next_item"].train(
                prepared,
                tmp_path / "model",
                small_config,
                checkpoint=tmp_path / "checkpoint",
                on_epoch=give_up,
                progress=lambda line: None,
            )
        assert not (tmp_path / "model").exists()
