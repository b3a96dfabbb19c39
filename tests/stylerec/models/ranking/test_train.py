import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file

from stylerec.data.cooccurrence import spectral_embedding
from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import leave_one_out, training_counts
from stylerec.errors import ConfigError, DataError, ReleaseError
from stylerec.models.checkpoint import CHECKPOINT_FILE
from stylerec.models.ranking.artifacts import load_trained
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel, ScoringGraph
from stylerec.models.ranking.train import train_ranking, training_strategy
from stylerec.models.ranking.validation import choose_targets, validation_ndcg_at_10
from stylerec.models.records import TrainingResult

NUM_ITEMS = 42


def with_fields(config: RankingConfig, **changes) -> RankingConfig:
    return RankingConfig(**{**config.model_dump(), **changes})


def ndcg(model: RankingModel, histories: Histories) -> float:
    validation = leave_one_out(histories).validation
    targets = choose_targets(histories, validation, len(validation), seed=0)
    graph = ScoringGraph(model)
    return validation_ndcg_at_10(graph, histories, targets, max_len=model.config.max_history_len)


def popularity_ndcg(features, histories: Histories) -> float:
    """NDCG of a model that scores every item by its training interactions."""
    config = RankingConfig.amf(embedding_dim=2)
    model = RankingModel(config, features, has_id=np.arange(NUM_ITEMS) >= 2)
    table = np.zeros((NUM_ITEMS, 3), np.float32)
    split = leave_one_out(histories)
    table[:, -1] = training_counts(histories, split, num_items=NUM_ITEMS)
    model.parameters.variables["item.id"].assign(table)
    return ndcg(model, histories)


class TestTrainRanking:
    def test_beats_popularity_by_far(
        self, trained: Path, prepared: PreparedData, features, histories: Histories
    ) -> None:
        found = ndcg(load_trained(trained, prepared), histories)
        assert found > 1.5 * popularity_ndcg(features, histories)

    def test_keeps_the_weights_of_the_best_epoch(
        self, trained: Path, prepared: PreparedData, histories: Histories
    ) -> None:
        training = json.loads((trained / "training.json").read_text())
        best = max(training["epochs"], key=lambda epoch: epoch["validation_ndcg_at_10"])
        assert training["best_epoch"] == best["epoch"]
        assert training["validation_ndcg_at_10"] == best["validation_ndcg_at_10"]
        # All customers validate here, so the saved weights must give that very figure.
        found = ndcg(load_trained(trained, prepared), histories)
        assert found == pytest.approx(best["validation_ndcg_at_10"], abs=1e-6)

    def test_a_new_item_is_embedded_near_items_with_its_content(
        self, trained: Path, prepared: PreparedData, styles, new_items
    ) -> None:
        table = load_trained(trained, prepared).item_tables().output_ND.numpy()[:, :-1]
        table = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)
        known = np.setdiff1d(np.arange(2, NUM_ITEMS), new_items)
        for item in new_items:
            similarity = table[known] @ table[item]
            is_same = styles[known] == styles[item]
            assert similarity[is_same].min() > similarity[~is_same].max()

    def test_a_new_item_outranks_items_of_other_styles(
        self, trained: Path, prepared: PreparedData, styles, new_items
    ) -> None:
        graph = ScoringGraph(load_trained(trained, prepared))
        for item in new_items:
            fan_of = np.flatnonzero(styles == styles[item])[:3][None]
            ages = np.ones(fan_of.shape, np.float32)
            query = graph.encode(fan_of, np.full_like(fan_of, 4), ages).numpy()[0]
            scores = graph.item_embedding_VD.numpy() @ query
            others = (styles >= 0) & (styles != styles[item])
            assert scores[item] > np.median(scores[others])

    def test_the_same_seed_gives_the_same_weights(
        self, tmp_path: Path, prepared: PreparedData, config: RankingConfig
    ) -> None:
        for name, seed in (("a", 7), ("b", 7), ("c", 8)):
            short = with_fields(config, max_epochs=2, seed=seed)
            train_ranking(prepared.folder, tmp_path / name, short, progress=lambda line: None)
        first, same, other = (
            load_file(tmp_path / name / "weights.safetensors") for name in ("a", "b", "c")
        )
        for name, weight in first.items():
            np.testing.assert_array_equal(weight, same[name], err_msg=name)
        assert (first["item.id"] != other["item.id"]).any()

    @pytest.mark.parametrize("negatives", ["in_batch", "uniform", "popularity"])
    def test_sampled_softmax_beats_popularity(
        self, tmp_path: Path, prepared: PreparedData, config, features, histories, negatives: str
    ) -> None:
        sampled = with_fields(
            config, max_full_softmax_items=0, num_negatives=20, negatives=negatives
        )
        result = train_ranking(prepared.folder, tmp_path / "m", sampled, progress=lambda line: None)
        assert result.validation_ndcg_at_10 > 1.3 * popularity_ndcg(features, histories)

    def test_the_baseline_beats_popularity(
        self, tmp_path: Path, prepared: PreparedData, features, histories
    ) -> None:
        amf = RankingConfig.amf(embedding_dim=8, batch_size=64, learning_rate=0.02, max_epochs=12)
        result = train_ranking(prepared.folder, tmp_path / "m", amf, progress=lambda line: None)
        assert result.validation_ndcg_at_10 > 1.3 * popularity_ndcg(features, histories)

    def test_reports_one_line_per_epoch(
        self, tmp_path: Path, prepared: PreparedData, config: RankingConfig
    ) -> None:
        lines: list[str] = []
        short = with_fields(config, max_epochs=2)
        train_ranking(prepared.folder, tmp_path / "m", short, progress=lines.append)
        # What content similarity counts is said after the last epoch.
        assert ["epoch" in line for line in lines[:2]] == [True, True]
        assert all("content similarity" in line for line in lines[2:])
        for part in ("epoch 1 of 2", "loss", "validation NDCG@10", "examples/s", "s left"):
            assert part in lines[0]

    def test_stops_when_validation_stalls(
        self, tmp_path: Path, prepared: PreparedData, config: RankingConfig
    ) -> None:
        # Too small a step to change any rank: the first epoch stays the best.
        still = with_fields(config, learning_rate=1e-12, patience=2)
        result = train_ranking(prepared.folder, tmp_path / "m", still, progress=lambda line: None)
        assert result.best_epoch == 1
        assert len(result.epochs) == 1 + 2

    def test_never_reads_the_test_targets(
        self, tmp_path: Path, histories, features, config: RankingConfig, write: Callable
    ) -> None:
        items = histories.item_index.copy()
        items[leave_one_out(histories).test.place] = NUM_ITEMS - 1
        other = Histories(items, histories.event_type, histories.timestamp_s, histories.offsets)
        short = with_fields(config, max_epochs=2)
        weights = []
        for name, rows in (("a", histories), ("b", other)):
            data = write(tmp_path / name, rows, features)
            train_ranking(data.folder, tmp_path / f"{name}-m", short, progress=lambda line: None)
            weights.append(load_file(tmp_path / f"{name}-m" / "weights.safetensors"))
        for name, weight in weights[0].items():
            np.testing.assert_array_equal(weight, weights[1][name], err_msg=name)

    def test_spectral_start_is_where_ids_begin(
        self, tmp_path: Path, prepared: PreparedData, config: RankingConfig
    ) -> None:
        still = {"learning_rate": 1e-12, "max_epochs": 1, "use_input_embedding": True}
        spectral = with_fields(config, initialisation="spectral", initial_std=0.1, **still)
        train_ranking(prepared.folder, tmp_path / "m", spectral, progress=lambda line: None)
        found = load_file(tmp_path / "m" / "weights.safetensors")
        start = spectral_embedding(
            prepared.histories, prepared.split, num_items=NUM_ITEMS, dim=8, seed=spectral.seed
        )
        np.testing.assert_allclose(found["item.id"][:, :8], start / 10, atol=1e-6)
        np.testing.assert_allclose(found["item.input_id"], start / 10, atol=1e-6)

    def test_records_what_it_trained_on(
        self, tmp_path: Path, prepared: PreparedData, histories, config: RankingConfig
    ) -> None:
        short = with_fields(config, max_epochs=1, min_steps_per_epoch=1)
        result = train_ranking(prepared.folder, tmp_path / "m", short, progress=lambda line: None)
        lengths = leave_one_out(histories).train_lengths
        assert result.num_examples == sum(min(8, length - 1) for length in lengths)
        assert result.peak_rss_mib > 100
        assert result.seconds > result.epochs[0].seconds > 0
        written = (tmp_path / "m" / "training.json").read_text()
        assert TrainingResult.model_validate_json(written) == result

    def test_raises_when_histories_are_too_short(
        self, tmp_path: Path, features, config: RankingConfig, write: Callable
    ) -> None:
        short = Histories(
            np.array([2, 3, 4], np.int32),
            np.ones(3, np.int8),
            np.ones(3, np.int64),
            np.array([0, 3], np.int64),
        )
        data = write(tmp_path / "short", short, features)
        with pytest.raises(DataError, match="give a longer interaction log"):
            train_ranking(data.folder, tmp_path / "m", config, progress=lambda line: None)
        assert not (tmp_path / "m").exists()

    def test_raises_when_the_loss_is_not_finite(
        self, tmp_path: Path, prepared: PreparedData, config: RankingConfig
    ) -> None:
        wild = with_fields(config, learning_rate=1e30)
        with pytest.raises(ConfigError, match="lower it from 1e\\+30"):
            train_ranking(prepared.folder, tmp_path / "m", wild, progress=lambda line: None)
        assert not (tmp_path / "m").exists()


class TestSmallRetailer:
    def test_draws_again_until_an_epoch_has_enough_steps(self, prepared, config, tmp_path):
        lines: list[str] = []
        settings = {"max_epochs": 1, "batch_size": 100_000}
        for name, steps in (("few", 1), ("many", 30)):
            chosen = with_fields(config, **settings, min_steps_per_epoch=steps)
            train_ranking(prepared.folder, tmp_path / name, chosen, progress=lines.append)
        few, many = (
            json.loads((tmp_path / name / "training.json").read_text())["epochs"][0]["loss"]
            for name in ("few", "many")
        )
        # One step's loss is the untrained model's; thirty steps on the same customers learn.
        assert many < few


# Trains slowly enough to be killed, and keeps its state after every step.
INTERRUPTED = """
import sys
import time
from pathlib import Path

from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.step import TrainStep
from stylerec.models.ranking.train import train_ranking

step = TrainStep.__call__
def slow(*arguments, **named):
    time.sleep(0.05)
    return step(*arguments, **named)
TrainStep.__call__ = slow

prepared, output, checkpoint = (Path(argument) for argument in sys.argv[1:4])
train_ranking(
    prepared,
    output,
    RankingConfig.model_validate_json(sys.argv[4]),
    checkpoint=checkpoint,
    checkpoint_interval_s=0.0,
)
"""
LONG = {"max_epochs": 4, "patience": 4, "min_steps_per_epoch": 20, "initialisation": "spectral"}
SAMPLED = {"max_full_softmax_items": 0, "num_negatives": 20}


def interrupt(
    how: signal.Signals, prepared: Path, folder: Path, config: RankingConfig, *, epochs: int
) -> int:
    """Ends a training with a signal some steps after an epoch; returns its exit code."""
    arguments = [prepared, folder / "m", folder / "state", config.model_dump_json()]
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", INTERRUPTED, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for _ in range(epochs):
        assert "validation NDCG@10" in process.stdout.readline()
    time.sleep(0.4)
    process.send_signal(how)
    process.stdout.read()
    return process.wait(timeout=60)


def assert_equal_weights(first: Path, second: Path) -> None:
    weights, others = (load_file(folder / "weights.safetensors") for folder in (first, second))
    for name, weight in weights.items():
        np.testing.assert_array_equal(weight, others[name], err_msg=name)


class TestCheckpoint:
    @pytest.mark.parametrize("changes", [{}, SAMPLED], ids=["full", "sampled"])
    def test_a_killed_run_goes_on_to_equal_weights(
        self, tmp_path: Path, prepared: PreparedData, config: RankingConfig, changes: dict
    ) -> None:
        chosen = with_fields(config, **LONG, **changes)
        code = interrupt(signal.SIGKILL, prepared.folder, tmp_path, chosen, epochs=2)
        assert code == -signal.SIGKILL
        assert not (tmp_path / "m").exists()
        lines: list[str] = []
        resumed = train_ranking(
            prepared.folder,
            tmp_path / "m",
            chosen,
            checkpoint=tmp_path / "state",
            progress=lines.append,
        )
        whole = train_ranking(prepared.folder, tmp_path / "w", chosen, progress=lambda line: None)
        assert_equal_weights(tmp_path / "m", tmp_path / "w")
        assert [e.loss for e in resumed.epochs] == [e.loss for e in whole.epochs]
        assert "epoch 3 of 4" in lines[0]
        assert not (tmp_path / "state").exists()

    def test_a_run_that_is_asked_to_end_keeps_its_state(
        self, tmp_path: Path, prepared: PreparedData, config: RankingConfig
    ) -> None:
        chosen = with_fields(config, **LONG)
        code = interrupt(signal.SIGTERM, prepared.folder, tmp_path, chosen, epochs=1)
        assert code == 128 + signal.SIGTERM
        assert (tmp_path / "state" / CHECKPOINT_FILE).exists()

    def test_refuses_the_state_of_another_config(
        self, tmp_path: Path, prepared: PreparedData, config: RankingConfig
    ) -> None:
        chosen = with_fields(config, **LONG)
        interrupt(signal.SIGKILL, prepared.folder, tmp_path, chosen, epochs=1)
        other = with_fields(chosen, learning_rate=0.01)
        with pytest.raises(ReleaseError, match="a checkpoint of this config and data"):
            train_ranking(prepared.folder, tmp_path / "m", other, checkpoint=tmp_path / "state")
        assert not (tmp_path / "m").exists()


# In a process of its own: devices can only be split before TensorFlow uses them.
TWO_DEVICES = """
import sys
from pathlib import Path

import tensorflow as tf

from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.train import train_ranking

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
train_ranking(
    Path(sys.argv[1]),
    Path(sys.argv[2]),
    RankingConfig.model_validate_json(sys.argv[3]),
    devices=("CPU:0", "CPU:1"),
)
"""


class TestTrainingStrategy:
    @pytest.mark.parametrize("changes", [{}, SAMPLED], ids=["full", "sampled"])
    def test_two_devices_train_as_one_does(
        self, tmp_path: Path, prepared: PreparedData, config: RankingConfig, changes: dict
    ) -> None:
        exact = {"max_epochs": 2, "precision": "float32", "use_input_embedding": True}
        chosen = with_fields(config, **exact, **changes)
        arguments = [str(prepared.folder), str(tmp_path / "two"), chosen.model_dump_json()]
        done = subprocess.run(
            [sys.executable, "-c", TWO_DEVICES, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2_000:]
        one = train_ranking(prepared.folder, tmp_path / "one", chosen, progress=lambda line: None)
        training = json.loads((tmp_path / "two" / "training.json").read_text())
        for found, expected in zip(training["epochs"], one.epochs, strict=True):
            # The devices' sums are rounded in another order.
            assert found["loss"] == pytest.approx(expected.loss, rel=1e-5)
        weights = load_file(tmp_path / "two" / "weights.safetensors")
        for name, expected in load_file(tmp_path / "one" / "weights.safetensors").items():
            np.testing.assert_allclose(weights[name], expected, atol=2e-3, err_msg=name)

    def test_a_single_device_needs_none(self) -> None:
        assert training_strategy().num_replicas_in_sync == 1
        assert not isinstance(training_strategy(["CPU:0"]), tf.distribute.MirroredStrategy)
