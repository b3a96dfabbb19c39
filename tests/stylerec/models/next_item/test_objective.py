import numpy as np
import pytest
import torch

from stylerec.models.next_item.batches import History, TrainingBatch
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.objective import Objective

CPU = torch.device("cpu")


def objective(counts, **settings):
    generator = torch.Generator().manual_seed(0)
    config = NextItemConfig(**settings)
    return Objective(np.array(counts), config, generator=generator, device=CPU)


class TestDraw:
    def test_takes_all_trained_items_for_the_full_softmax(self):
        chosen = objective([0, 0, 4, 0, 1], loss="full_softmax")
        assert chosen.trained[chosen.draw()].tolist() == [2, 4]

    def test_draws_in_proportion_to_powered_counts(self):
        chosen = objective(
            [0, 0, 9, 0, 1], loss="sampled_softmax", negative_power=0.5, num_negatives=20_000
        )
        share = (chosen.trained[chosen.draw()] == 2).float().mean().item()
        assert share == pytest.approx(3 / (3 + 1), abs=0.02)

    def test_is_uniform_with_power_zero(self):
        chosen = objective([0, 0, 9, 1], negative_power=0.0)
        assert chosen.probability.tolist() == [1 / 2, 1 / 2]


class TestLoss:
    def test_is_the_softmax_over_trained_items(self, model):
        history = History(
            torch.tensor([[0, 5, 6]]), torch.tensor([[0, 1, 2]]), torch.tensor([[0.0, 3.0, 1.0]])
        )
        batch = TrainingBatch(history, torch.tensor([[5, 6, 0]]))
        counts = np.zeros(43, dtype=np.int64)
        counts[[5, 6, 9]] = 1
        with torch.inference_mode():
            table = model.items.table()
            states = model.encode(table, *vars(history).values())[0]
            logits = states[:2] @ table[[5, 6, 9]].T
            shares = logits.softmax(dim=1)
            loss = objective(counts, loss="full_softmax").loss(model, batch)
            sampled = objective(counts, loss="sampled_softmax", num_negatives=50_000)
            estimate = sampled.loss(model, batch)
        expected = -(shares[0, 0].log() + shares[1, 1].log()) / 2
        assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
        assert estimate.item() == pytest.approx(expected.item(), rel=0.02)
