import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError
from stylerec.models.ranking.artifacts import load_trained, save_trained
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel, ScoringGraph
from stylerec.models.records import TrainingResult


def queries(model: RankingModel) -> np.ndarray:
    history = np.array([[0, 2, 9], [0, 0, 0], [4, 3, 20]], np.int64)
    ages = np.array([[0, 3, 1], [0, 0, 0], [80, 9, 0]], np.float32)
    return ScoringGraph(model).encode(history, np.minimum(history, 4), ages).numpy()


class TestSaveTrained:
    def test_a_saved_model_reloads_to_equal_outputs(
        self, tmp_path: Path, trained: Path, prepared: PreparedData
    ) -> None:
        first = load_trained(trained, prepared)
        result = TrainingResult.model_validate_json((trained / "training.json").read_text())
        save_trained(first, tmp_path / "again", result)
        second = load_trained(tmp_path / "again", prepared)
        np.testing.assert_array_equal(queries(first), queries(second))
        np.testing.assert_array_equal(first.item_tables().output_ND, second.item_tables().output_ND)

    def test_writes_the_three_files_and_nothing_else(self, trained: Path) -> None:
        names = {path.name for path in trained.iterdir()}
        assert names == {"config.json", "weights.safetensors", "training.json"}
        assert [path.name for path in trained.parent.iterdir()] == [trained.name]


class TestLoadTrained:
    def test_keeps_the_config(
        self, trained: Path, prepared: PreparedData, config: RankingConfig
    ) -> None:
        assert load_trained(trained, prepared).config == config

    def test_refuses_an_incomplete_folder(self, tmp_path: Path, prepared: PreparedData) -> None:
        with pytest.raises(ReleaseError, match="train the ranking model again"):
            load_trained(tmp_path, prepared)

    def test_refuses_damaged_weights(
        self, tmp_path: Path, trained: Path, prepared: PreparedData
    ) -> None:
        damaged = Path(shutil.copytree(trained, tmp_path / "damaged"))
        (damaged / "weights.safetensors").write_bytes(b"\x00" * 16)
        with pytest.raises(ReleaseError, match="train the ranking model again"):
            load_trained(damaged, prepared)

    def test_refuses_data_with_other_items(
        self, tmp_path: Path, trained: Path, histories, other_features, write: Callable
    ) -> None:
        other = write(tmp_path / "other", histories, other_features)
        with pytest.raises(ReleaseError, match="expected 50 items as in the prepared data, got 42"):
            load_trained(trained, other)

    def test_refuses_weights_of_another_architecture(
        self, tmp_path: Path, trained: Path, prepared: PreparedData
    ) -> None:
        changed = Path(shutil.copytree(trained, tmp_path / "changed"))
        config = json.loads((changed / "config.json").read_text())
        (changed / "config.json").write_text(json.dumps({**config, "num_query_layers": 0}))
        with pytest.raises(ReleaseError, match=r"query\.layer\.0"):
            load_trained(changed, prepared)
