from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import save_file

from stylerec.data.outfit_negatives import Questions
from stylerec.errors import DataError, ReleaseError
from stylerec.evaluation.outfits import answered_rightly, evaluate_outfits, sum_of_pairs
from stylerec.features.vocabulary import Vocabulary
from stylerec.models.outfit.export import write_onnx
from stylerec.models.outfit.scoring_graph import OutfitScorer

NUM_MOODS = 4


class Prepared:
    """What `evaluate_outfits` reads: 80 items of two types; outfits are of one mood."""

    def __init__(self, num_outfits: int = 300) -> None:
        number = np.arange(80)
        self.vocabulary = Vocabulary(tuple(f"i{i}" for i in number))
        self.items = pd.DataFrame(
            {"item_index": number + 2, "product_type": np.where(number % 2, "bag", "dress")}
        )
        self.mood = np.concatenate([[0, 0], number // 2 % NUM_MOODS])
        rng = np.random.default_rng(0)
        rows = []
        for outfit in range(num_outfits):
            mood = rng.integers(NUM_MOODS)
            for kind in (0, 1):
                item = 2 + kind + 2 * (mood + NUM_MOODS * rng.integers(10))
                rows.append((f"o{outfit}", item, kind == 0))
        self.outfits = pd.DataFrame(rows, columns=["outfit_id", "item_index", "is_hero"])


def export(folder: Path, style: np.ndarray, served: np.ndarray | None = None) -> Path:
    """Writes an export whose graph scores with the embeddings `served`, by default the same."""
    save_file({"style_embedding": style.astype(np.float32)}, folder / "style_embedding.safetensors")
    table = torch.from_numpy((style if served is None else served).astype(np.float32))
    graph = OutfitScorer(table, scale=torch.tensor(0.1), bias=torch.tensor(0.0)).eval()
    write_onnx(graph, folder / "model.onnx", max_len=1)
    return folder


class TestEvaluateOutfits:
    def test_rewards_a_true_embedding(self, tmp_path):
        prepared = Prepared()
        style = np.eye(NUM_MOODS)[prepared.mood]
        metrics = evaluate_outfits(export(tmp_path, style), prepared)
        # A counter-example shares the mood by chance 9 times in 39, and then ties.
        assert metrics.auc == pytest.approx(1 - 0.5 * 9 / 39, abs=0.05)
        # Three options all of other moods: (30 / 39) * (29 / 38) * (28 / 37).
        assert metrics.fitb == pytest.approx(30 / 39 * 29 / 38 * 28 / 37, abs=0.12)
        assert metrics.num_outfits > 10
        assert (metrics.pairwise_auc, metrics.pairwise_fitb) == (metrics.auc, metrics.fitb)

    def test_the_served_graph_and_the_sum_of_pairs_are_two_scores(self, tmp_path):
        prepared = Prepared()
        folder = export(tmp_path, np.ones((82, 4)), np.eye(NUM_MOODS)[prepared.mood])
        metrics = evaluate_outfits(folder, prepared)
        assert metrics.auc > 0.8
        assert metrics.pairwise_auc == 0.5

    def test_refuses_a_missing_graph(self, tmp_path):
        folder = export(tmp_path, np.ones((82, 4)))
        (folder / "model.onnx").unlink()
        with pytest.raises(ReleaseError, match=r"model\.onnx.*export the outfit model again"):
            evaluate_outfits(folder, Prepared())

    def test_a_constant_embedding_earns_chance_and_no_answer(self, tmp_path):
        metrics = evaluate_outfits(export(tmp_path, np.ones((82, 4))), Prepared())
        assert metrics.auc == 0.5
        assert metrics.fitb == 0.0

    def test_is_the_same_each_time(self, tmp_path):
        folder = export(tmp_path, np.random.default_rng(1).normal(size=(82, 4)))
        assert evaluate_outfits(folder, Prepared()) == evaluate_outfits(folder, Prepared())

    def test_splits_differ(self, tmp_path):
        folder = export(tmp_path, np.random.default_rng(1).normal(size=(82, 4)))
        test = evaluate_outfits(folder, Prepared(), split="test")
        assert test != evaluate_outfits(folder, Prepared(), split="validation")

    def test_refuses_an_embedding_of_another_catalogue(self, tmp_path):
        with pytest.raises(ReleaseError, match="82 rows"):
            evaluate_outfits(export(tmp_path, np.ones((50, 4))), Prepared())

    def test_refuses_a_missing_embedding(self, tmp_path):
        with pytest.raises(ReleaseError, match="export the outfit model again"):
            evaluate_outfits(tmp_path, Prepared())

    def test_refuses_data_without_held_out_outfits(self, tmp_path):
        with pytest.raises(DataError, match="none among 0"):
            evaluate_outfits(export(tmp_path, np.ones((82, 4))), Prepared(num_outfits=0))


class TestSumOfPairs:
    def test_is_the_sum_over_all_pairs(self):
        outfit = np.array([[[1.0, 0.0], [2.0, 1.0], [0.0, 3.0], [0.0, 0.0]]])
        # (1, 0).(2, 1) + (1, 0).(0, 3) + (2, 1).(0, 3)
        assert sum_of_pairs(outfit).tolist() == [2.0 + 0.0 + 3.0]


class TestAnsweredRightly:
    def test_counts_ties_as_wrong(self):
        value = np.array([0.0, 0.0, 1.0, 2.0, 2.0, 1.0, 0.5])
        questions = Questions(
            context=np.array([[2, 0], [2, 0]]),
            options=np.array([[3, 5, 6, 2], [3, 4, 5, 6]]),
            num_skipped=0,
        )
        assert answered_rightly(lambda rows: value[rows].sum(axis=1), questions).tolist() == [
            True,
            False,
        ]
