import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file as numpy_load
from safetensors.torch import load_file

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import leave_one_out
from stylerec.errors import ConfigError, DataError, ReleaseError
from stylerec.models.next_item import train
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.model import NextItemModel
from stylerec.models.next_item.step import TrainStep
from stylerec.models.next_item.train import train_next_item
from stylerec.models.records import TrainingResult


def train_briefly(prepared, output, config, *, kept=None, progress=len, **changes):
    torch.set_num_threads(1)
    config = config.model_copy(update={"max_epochs": 2, **changes})
    return train_next_item(
        prepared, output, config, device="cpu", progress=progress, **(kept or {})
    )


class TestTrainNextItem:
    def test_learns_the_walk(self, trained):
        # Guessing among 40 items gives about the mean gain of ten ranks over 40: 4.5 / 40.
        assert trained.result.validation_ndcg_at_10 > 0.9
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
        for part in ("next_item: epoch 1 of 10", "loss", "NDCG@10", "examples/s", "s left"):
            assert part in line

    def test_records_what_it_trained_on_and_how_fast(self, trained, prepared):
        data, result = PreparedData(prepared), trained.result
        assert result.num_examples == data.split.train_lengths.sum()
        weights = numpy_load(trained.folder / "weights.safetensors")
        # Chosen after training, not trained.
        del weights["match.weight"]
        assert result.num_weights == sum(weight.size for weight in weights.values())
        assert 100 < result.peak_rss_mib < 10_000
        assert sum(epoch.seconds for epoch in result.epochs) < result.seconds
        for epoch in result.epochs:
            assert result.num_examples / epoch.examples_per_s < epoch.seconds
            # Every interaction is read but the last of each history, and predicted once.
            assert 0 < epoch.tokens_per_s < epoch.examples_per_s
            # A CPU's peak is not known.
            assert epoch.share_of_peak is None

    @pytest.mark.parametrize("loss", ["full_softmax", "sampled_softmax", "gbce"])
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

    @pytest.mark.parametrize(
        "changes",
        [
            {"block": "pre_norm"},
            {"block": "hstu"},
            {"use_content": False},
            {"use_event_types": False, "use_time_gaps": False},
            {"precision": "bfloat16"},
        ],
    )
    def test_learns_with_other_parts(self, prepared, tmp_path, small_config, changes):
        result = train_briefly(prepared, tmp_path / "m", small_config, max_epochs=8, **changes)
        assert result.validation_ndcg_at_10 > 0.8

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
        histories = Histories(
            np.array([2, 3, 4, 5], dtype=np.int32),
            np.ones(4, dtype=np.int8),
            np.zeros(4, dtype=np.int64),
            np.array([0, 2, 4]),
        )
        histories.save(short / "histories")
        leave_one_out(histories).save(short / "split")
        with pytest.raises(DataError, match="customers with three interactions"):
            train_briefly(short, tmp_path / "model", small_config)

    def test_content_alone_places_a_cold_item(self, model, prepared):
        """A cold item is recommended where its warm twin is: after the item before the twin."""
        assert PreparedData(prepared).histories.item_index.max() < 42
        with torch.inference_mode():
            table = model.item_rows()
            state = model.query(
                table, torch.tensor([[4, 5, 6]]), torch.tensor([[1, 1, 1]]), torch.zeros(1, 3)
            )[0]
        ranking = (table @ state)[2:].argsort(descending=True) + 2
        assert ranking[0] == 7
        assert 42 in ranking[:5]


class Interruption(Exception):
    """Stands for whatever ends a process between two steps."""


@pytest.fixture
def interrupt_after(monkeypatch):
    """Returns a function that makes training fail in its n-th step from now."""

    def arrange(num_steps):
        remaining = iter(range(num_steps))

        def step(self, *args, **kwargs):
            if next(remaining, None) is None:
                raise Interruption
            return whole(self, *args, **kwargs)

        whole = TrainStep.__call__
        monkeypatch.setattr(TrainStep, "__call__", step)

    yield arrange
    monkeypatch.undo()


def weights_of(folder):
    return (folder / "weights.safetensors").read_bytes()


class TestCheckpoint:
    @pytest.mark.parametrize(
        ("changes", "num_steps", "num_epochs_left"),
        [
            ({"loss": "full_softmax"}, 1, 3),
            ({"loss": "sampled_softmax", "block": "hstu"}, 23, 2),
            ({"loss": "gbce", "block": "pre_norm", "precision": "bfloat16"}, 40, 1),
        ],
        ids=["first epoch", "second epoch", "third epoch"],
    )
    def test_goes_on_to_equal_weights(
        self,
        prepared,
        tmp_path,
        small_config,
        interrupt_after,
        monkeypatch,
        changes,
        num_steps,
        num_epochs_left,
    ):
        changes = {**changes, "dropout": 0.3, "id_dropout": 0.3, "max_epochs": 3}
        whole = train_briefly(prepared, tmp_path / "whole", small_config, **changes)
        kept = {"checkpoint": tmp_path / "kept", "checkpoint_interval_s": 0.0}
        interrupt_after(num_steps)
        with pytest.raises(Interruption):
            train_briefly(prepared, tmp_path / "resumed", small_config, kept=kept, **changes)
        assert not (tmp_path / "resumed").exists()
        monkeypatch.undo()
        torch.manual_seed(99)
        lines = []
        resumed = train_briefly(
            prepared,
            tmp_path / "resumed",
            small_config,
            kept=kept,
            progress=lines.append,
            **changes,
        )
        assert weights_of(tmp_path / "resumed") == weights_of(tmp_path / "whole")
        assert not (tmp_path / "kept").exists()
        assert len(lines) == num_epochs_left
        for mine, other in zip(resumed.epochs, whole.epochs, strict=True):
            assert mine.loss == other.loss
            assert mine.validation_ndcg_at_10 == other.validation_ndcg_at_10

    def test_a_changed_config_is_refused(self, prepared, tmp_path, small_config, interrupt_after):
        kept = {"checkpoint": tmp_path / "kept", "checkpoint_interval_s": 0.0}
        interrupt_after(5)
        with pytest.raises(Interruption):
            train_briefly(prepared, tmp_path / "model", small_config, kept=kept)
        with pytest.raises(ReleaseError, match="got one of another config or other data"):
            train_briefly(prepared, tmp_path / "model", small_config, kept=kept, dropout=0.11)
        assert (tmp_path / "kept").exists()

    def test_is_not_written_before_its_time(self, prepared, tmp_path, small_config):
        kept = {"checkpoint": tmp_path / "kept", "checkpoint_interval_s": 3_600.0}
        train_briefly(prepared, tmp_path / "model", small_config, kept=kept)
        assert not (tmp_path / "kept").exists()

    def test_that_cannot_be_written_is_no_reason_to_stop(self, prepared, tmp_path, small_config):
        (tmp_path / "file").write_text("in the way")
        kept = {"checkpoint": tmp_path / "file" / "kept", "checkpoint_interval_s": 0.0}
        lines = []
        train_briefly(prepared, tmp_path / "a", small_config, kept=kept, progress=lines.append)
        train_briefly(prepared, tmp_path / "b", small_config)
        (told,) = [line for line in lines if "without a new checkpoint" in line]
        assert "expected room and permission" in told
        assert weights_of(tmp_path / "a") == weights_of(tmp_path / "b")

    def test_finishes_when_only_the_writing_was_left(
        self, prepared, tmp_path, small_config, monkeypatch
    ):
        kept = {"checkpoint": tmp_path / "kept", "checkpoint_interval_s": 0.0}

        def full(*args):
            raise Interruption

        monkeypatch.setattr(train, "_write", full)
        with pytest.raises(Interruption):
            train_briefly(prepared, tmp_path / "model", small_config, kept=kept)
        monkeypatch.undo()
        lines = []
        train_briefly(prepared, tmp_path / "model", small_config, kept=kept, progress=lines.append)
        assert lines == []
        train_briefly(prepared, tmp_path / "whole", small_config)
        assert weights_of(tmp_path / "model") == weights_of(tmp_path / "whole")


class TestLoadedModel:
    def test_scores_like_the_validated_one(self, trained, features, prepared):
        loaded = NextItemModel.load(trained.folder, features)
        assert not loaded.training
        assert loaded.items.num_items == PreparedData(prepared).vocabulary.num_items
