import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.errors import ConfigError, DataError
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.model import NextItemModel
from stylerec.models.next_item.train import TrainingResult, train_next_item


def train_briefly(prepared, output, config, **changes):
    torch.set_num_threads(1)
    config = config.model_copy(update={"max_epochs": 2, **changes})
    return train_next_item(prepared, output, config, device="cpu", progress=lambda line: None)


class TestTrainNextItem:
    def test_learns_the_walk(self, trained):
        # Guessing among 40 items gives about the mean gain of ten ranks over 40: 4.5 / 40.
        assert trained.result.best_validation_ndcg_at_10 > 0.9
        assert trained.result.epochs[-1].loss < trained.result.epochs[0].loss

    def test_writes_weights_config_and_record(self, trained, small_config):
        names = {path.name for path in trained.folder.iterdir()}
        assert names == {"config.json", "weights.safetensors", "training.json"}
        record = json.loads((trained.folder / "training.json").read_text())
        assert TrainingResult.model_validate(record) == trained.result
        config = (trained.folder / "config.json").read_text()
        assert NextItemConfig.model_validate_json(config) == small_config

    def test_says_how_far_it_is(self, trained):
        assert len(trained.progress) == len(trained.result.epochs)
        line = trained.progress[0]
        for part in ("epoch 1/10", "loss", "NDCG@10", "sequences/s", "s left"):
            assert part in line

    @pytest.mark.parametrize("loss", ["full_softmax", "sampled_softmax"])
    def test_same_seed_gives_same_weights(self, prepared, tmp_path, small_config, loss):
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            train_briefly(prepared, tmp_path / name, small_config, seed=seed, loss=loss)
        first, again, other = (load_file(tmp_path / n / "weights.safetensors") for n in "abc")
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert not torch.equal(first["items.item_id.weight"], other["items.item_id.weight"])

    def test_leaves_the_global_generator_alone(self, prepared, tmp_path, small_config):
        before = torch.get_rng_state()
        train_briefly(prepared, tmp_path / "model", small_config)
        assert torch.equal(torch.get_rng_state(), before)

    def test_keeps_the_best_epoch(self, prepared, tmp_path, small_config):
        result = train_briefly(
            prepared, tmp_path / "model", small_config, max_epochs=40, patience=2
        )
        scores = [epoch.validation_ndcg_at_10 for epoch in result.epochs]
        assert result.best_epoch == 1 + scores.index(max(scores))
        assert len(scores) == result.best_epoch + 2

    @pytest.mark.parametrize("changes", [{"block": "ligr"}, {"use_content": False}])
    def test_learns_with_other_parts(self, prepared, tmp_path, small_config, changes):
        result = train_briefly(prepared, tmp_path / "m", small_config, max_epochs=8, **changes)
        assert result.best_validation_ndcg_at_10 > 0.8

    def test_cold_items_have_no_id_vector(self, model):
        assert torch.all(model.items.item_id.weight[42] == 0)

    def test_replaces_what_was_there(self, prepared, tmp_path, small_config):
        output = tmp_path / "model"
        output.mkdir()
        (output / "old.txt").write_text("old")
        train_briefly(prepared, output, small_config, max_epochs=1)
        assert not (output / "old.txt").exists()
        assert [path.name for path in tmp_path.iterdir()] == ["model"]

    def test_raises_when_the_loss_explodes_and_keeps_the_old_model(
        self, prepared, tmp_path, small_config
    ):
        output = tmp_path / "model"
        output.mkdir()
        with pytest.raises(ConfigError, match="learning_rate: expected a loss that stays finite"):
            train_briefly(prepared, output, small_config, learning_rate=float("inf"))
        assert output.exists()

    def test_raises_without_customers_to_validate_on(self, prepared, tmp_path, small_config):
        short = tmp_path / "prepared"
        shutil.copytree(prepared, short)
        Histories(
            np.array([2, 3, 4, 5], dtype=np.int32),
            np.ones(4, dtype=np.int8),
            np.zeros(4, dtype=np.int64),
            np.array([0, 2, 4]),
        ).save(short / "histories")
        with pytest.raises(DataError, match="customers with three interactions"):
            train_briefly(short, tmp_path / "model", small_config)

    def test_content_alone_places_a_cold_item(self, model, prepared):
        """A cold item is recommended where its warm twin is: after the item before the twin."""
        assert PreparedData(prepared).histories.item_index.max() < 42
        with torch.inference_mode():
            table = model.items.table()
            state = model.encode(
                table, torch.tensor([[4, 5, 6]]), torch.tensor([[1, 1, 1]]), torch.zeros(1, 3)
            )[0, -1]
        ranking = (table @ state)[2:].argsort(descending=True) + 2
        assert ranking[0] == 7
        assert 42 in ranking[:5]


class TestLoadedModel:
    def test_scores_like_the_validated_one(self, trained, features, prepared):
        loaded = NextItemModel.load(trained.folder, features)
        assert not loaded.training
        assert loaded.items.num_items == PreparedData(prepared).vocabulary.num_items
