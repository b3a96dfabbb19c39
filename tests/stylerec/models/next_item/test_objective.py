import math

import numpy as np
import pytest
import torch

from stylerec.models.next_item.batches import History, TrainingBatch
from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.objective import Objective

CPU = torch.device("cpu")
NUM_ITEMS = 43


def objective(counts, **settings):
    generator = torch.Generator().manual_seed(0)
    config = NextItemConfig(**settings)
    return Objective(np.array(counts), config, generator=generator, device=CPU)


class TestDraw:
    def test_draws_in_proportion_to_powered_counts(self):
        chosen = objective(
            [0, 0, 9, 0, 1], loss="sampled_softmax", negative_power=0.5, num_negatives=20_000
        )
        share = (chosen.trained[chosen.draw()] == 2).float().mean().item()
        assert share == pytest.approx(3 / (3 + 1), abs=0.02)

    @pytest.mark.parametrize(
        "settings", [{"loss": "sampled_softmax", "negative_power": 0.0}, {"loss": "gbce"}]
    )
    def test_is_uniform_with_power_zero_and_for_gbce(self, settings):
        assert objective([0, 0, 9, 1], **settings).probability.tolist() == [1 / 2, 1 / 2]


class TestLoss:
    @pytest.fixture
    def batch(self):
        history = History(
            torch.tensor([[0, 5, 6]]), torch.tensor([[0, 1, 2]]), torch.tensor([[0.0, 3.0, 1.0]])
        )
        return TrainingBatch(
            history, torch.tensor([[5, 6, 0]]), weight=torch.tensor([[1.0, 1.0, 0.0]])
        )

    @pytest.fixture
    def counts(self):
        counts = np.zeros(NUM_ITEMS, dtype=np.int64)
        counts[[5, 6, 9]] = 1
        return counts

    @pytest.fixture
    def logits(self, model, batch):
        with torch.inference_mode():
            table = model.items.table()
            history = batch.history
            states = model.encoder(table[history.item_index], *vars(history).values())[0]
            return states[:2] @ table[[5, 6, 9]].T

    def test_is_the_softmax_over_trained_items(self, model, batch, counts, logits):
        loss = objective(counts, loss="full_softmax").loss(model, batch)
        shares = logits.softmax(dim=1)
        expected = -(shares[0, 0].log() + shares[1, 1].log()) / 2
        assert loss.item() == pytest.approx(expected.item(), rel=1e-4)

    def test_many_samples_come_close_to_the_full_softmax(self, model, batch, counts):
        full = objective(counts, loss="full_softmax").loss(model, batch)
        sampled = objective(counts, loss="sampled_softmax", num_negatives=50_000)
        assert sampled.loss(model, batch).item() == pytest.approx(full.item(), rel=0.02)

    def test_weights_choose_which_targets_teach(self, model, batch, counts, logits):
        batch.weight[0, 1] = 0.0
        loss = objective(counts, loss="full_softmax").loss(model, batch)
        assert loss.item() == pytest.approx(-logits.log_softmax(dim=1)[0, 0].item(), rel=1e-4)

    def test_gbce_takes_the_drawn_items_as_negatives(self, model, batch, counts, logits):
        # 5,000 uniform draws find all three items, each of them a negative of the other targets.
        loss = objective(counts, loss="gbce", num_negatives=5_000).loss(model, batch)

        def minus_log_sigmoid(score):
            return math.log(1 + math.exp(-score))

        score = logits.tolist()
        first = minus_log_sigmoid(score[0][0]) + sum(
            map(minus_log_sigmoid, [-s for s in score[0][1:]])
        )
        others = [-score[1][0], -score[1][2]]
        second = minus_log_sigmoid(score[1][1]) + sum(map(minus_log_sigmoid, others))
        # The sampling rate is at most 1, and so is beta then.
        assert loss.item() == pytest.approx((first + second) / 2 / (1 + 3), rel=1e-4)

    @pytest.mark.parametrize("name", ["full_softmax", "sampled_softmax", "gbce"])
    def test_reaches_every_part_of_the_model(self, name, model, batch, counts):
        objective(counts, loss=name).loss(model, batch).backward()
        assert model.items.item_id.weight.grad.abs().sum() > 0
        assert model.encoder.norm.weight.grad.abs().sum() > 0
