import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from stylerec.data.histories import Histories
from stylerec.data.prepared import PreparedData
from stylerec.data.splits import leave_one_out
from stylerec.errors import ConfigError, DataError
from stylerec.models.ranking.artifacts import load_trained
from stylerec.models.ranking.batches import count_training_interactions
from stylerec.models.ranking.config import RankingConfig
from stylerec.models.ranking.model import RankingModel, ScoringGraph
from stylerec.models.ranking.train import train_ranking
from stylerec.models.ranking.validation import (
    choose_validation_customers,
    validation_ndcg_at_10,
)

NUM_ITEMS = 42


def with_fields(config: RankingConfig, **changes) -> RankingConfig:
    return RankingConfig(**{**config.model_dump(), **changes})


def ndcg(model: RankingModel, histories: Histories) -> float:
    split = leave_one_out(histories)
    customers = choose_validation_customers(histories, split, len(split.evaluated), seed=0)
    graph = ScoringGraph(model)
    return validation_ndcg_at_10(graph, histories, customers, max_len=model.config.max_history_len)


def popularity_ndcg(features, histories: Histories) -> float:
    """NDCG of a model that scores every item by its training interactions."""
    config = with_fields(RankingConfig.amf(), embedding_dim=2)
    model = RankingModel(config, features, has_id=np.arange(NUM_ITEMS) >= 2)
    table = np.zeros((NUM_ITEMS, 3), np.float32)
    split = leave_one_out(histories)
    table[:, -1] = count_training_interactions(histories, split, num_items=NUM_ITEMS)
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
        amf = with_fields(
            RankingConfig.amf(), embedding_dim=8, batch_size=64, learning_rate=0.02, max_epochs=12
        )
        result = train_ranking(prepared.folder, tmp_path / "m", amf, progress=lambda line: None)
        assert result.validation_ndcg_at_10 > 1.3 * popularity_ndcg(features, histories)

    def test_reports_one_line_per_epoch(
        self, tmp_path: Path, prepared: PreparedData, config: RankingConfig
    ) -> None:
        lines: list[str] = []
        short = with_fields(config, max_epochs=2)
        train_ranking(prepared.folder, tmp_path / "m", short, progress=lines.append)
        assert len(lines) == 2
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
        evaluated = leave_one_out(histories).evaluated
        items[histories.offsets[evaluated + 1] - 1] = NUM_ITEMS - 1
        other = Histories(items, histories.event_type, histories.timestamp_s, histories.offsets)
        short = with_fields(config, max_epochs=2)
        weights = []
        for name, rows in (("a", histories), ("b", other)):
            data = write(tmp_path / name, rows, features)
            train_ranking(data.folder, tmp_path / f"{name}-m", short, progress=lambda line: None)
            weights.append(load_file(tmp_path / f"{name}-m" / "weights.safetensors"))
        for name, weight in weights[0].items():
            np.testing.assert_array_equal(weight, weights[1][name], err_msg=name)

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
