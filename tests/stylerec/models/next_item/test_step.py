from dataclasses import replace

import numpy as np
import pytest
import torch

from stylerec.data.prepared import PreparedData
from stylerec.models.next_item.batches import training_batch
from stylerec.models.next_item.examples import read_examples
from stylerec.models.next_item.model import NextItemModel
from stylerec.models.next_item.objective import Objective
from stylerec.models.next_item.precision import choose_precision
from stylerec.models.next_item.processes import ALONE
from stylerec.models.next_item.step import TrainStep
from stylerec.models.next_item.trainer import initialise

CPU = torch.device("cpu")


@pytest.fixture
def parts(prepared, small_config):
    """Returns a function that makes a step with its model and a batch, always the same."""
    data = PreparedData(prepared)

    def make(**changes):
        config = small_config.model_copy(update=changes)
        examples = read_examples(data, config, num_items=43)
        model = NextItemModel(data.item_features, config)
        initialise(model, data.item_features, examples, config)
        model.train()
        generator = torch.Generator()
        step = TrainStep(
            model,
            Objective(examples.counts, config, generator=generator, device=CPU),
            config,
            generator=generator,
            steps_per_epoch=10,
            precision=choose_precision("float32", CPU),
            processes=ALONE,
        )
        batch = training_batch(examples.histories, examples.windows, np.arange(20))
        return step, model, batch

    return make


def weights_after(parts, number, **changes):
    step, model, batch = parts(loss="sampled_softmax", dropout=0.3, **changes)
    weight = float(batch.weight.sum())
    step(batch, weight=weight, total_weight=weight, number=number)
    return model.state_dict()


def are_equal(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


class TestTrainStep:
    def test_draws_by_the_steps_number_alone(self, parts):
        first = weights_after(parts, 15)
        torch.rand(100)
        assert are_equal(first, weights_after(parts, 15))
        assert not are_equal(first, weights_after(parts, 16))

    def test_rate_rises_over_an_epoch_and_falls_to_little(self, parts):
        step, _, batch = parts(learning_rate=0.5, max_epochs=4)
        rates = {}
        for number in (0, 4, 9, 19, 39, 60):
            step(batch, weight=1.0, total_weight=1.0, number=number)
            rates[number + 1] = step.optimiser.param_groups[0]["lr"]
        assert rates[1] == pytest.approx(0.5 * 1 / 10 * (1 - 1 / 40))
        assert rates[5] == pytest.approx(0.5 * 5 / 10 * (1 - 5 / 40))
        assert rates[10] == pytest.approx(0.5 * (1 - 10 / 40))
        assert rates[20] == pytest.approx(0.5 * (1 - 20 / 40))
        assert rates[40] == rates[61] == pytest.approx(0.5 * 0.02)

    def test_returns_the_sum_of_weighted_losses(self, parts):
        step, _, batch = parts(loss="full_softmax", dropout=0.0, id_dropout=0.0)
        with torch.no_grad():
            mean = float(step._loss(batch))
        assert step(batch, weight=3.0, total_weight=3.0, number=0).item() == pytest.approx(3 * mean)

    def test_a_part_without_weight_takes_part_without_teaching(self, parts):
        step, model, batch = parts(weight_decay=0.0)
        before = {name: weight.clone() for name, weight in model.state_dict().items()}
        nothing = replace(batch, weight=torch.zeros_like(batch.weight))
        loss = step(nothing, weight=0.0, total_weight=5.0, number=0)
        assert loss.item() == 0.0
        assert are_equal(before, model.state_dict())
