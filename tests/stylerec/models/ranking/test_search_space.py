from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylerec.data.prepared import PreparedData
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.search_space import SPACES
from stylerec.models.search.space import Choice, IntRange, Parameter


def _values(parameter: Parameter) -> st.SearchStrategy:
    if isinstance(parameter, Choice):
        return st.sampled_from(parameter.values)
    kind = st.integers if isinstance(parameter, IntRange) else st.floats
    return kind(parameter.low, parameter.high)


class TestSpaces:
    @pytest.mark.parametrize("name", ["ranking", "amf"])
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
        space = SPACES["ranking"]
        assert space.config(space.default) == RankingConfig()

    def test_the_baseline_stays_plain(self) -> None:
        assert SPACES["amf"].base == RankingConfig.amf()
        plain = {"use_content", "aggregation", "use_input_embedding", "num_query_layers"}
        assert not plain & set(SPACES["amf"].parameters)

    def test_the_baseline_is_searched_as_widely(self) -> None:
        ranking, amf = SPACES["ranking"].parameters, SPACES["amf"].parameters
        assert {name: ranking[name] for name in amf} == amf

    def test_trains_and_reports_each_epoch(
        self, prepared: PreparedData, tmp_path: Path, config: RankingConfig
    ) -> None:
        epochs = []
        result = SPACES["ranking"].train(
            prepared.folder,
            tmp_path / "model",
            config.model_copy(update={"max_epochs": 2}),
            checkpoint=tmp_path / "checkpoint",
            on_epoch=epochs.append,
            progress=lambda line: None,
        )
        assert tuple(epochs) == result.epochs
        assert [record.epoch for record in epochs] == [1, 2]

    def test_what_on_epoch_raises_ends_the_training(
        self, prepared: PreparedData, tmp_path: Path, config: RankingConfig
    ) -> None:
        def give_up(record) -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError):
            SPACES["ranking"].train(
                prepared.folder,
                tmp_path / "model",
                config,
                checkpoint=tmp_path / "checkpoint",
                on_epoch=give_up,
                progress=lambda line: None,
            )
        assert not (tmp_path / "model").exists()
