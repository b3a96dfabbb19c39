import json
import math

import pytest
import torch

from stylerec.models.checkpoint import Checkpoint
from stylerec.models.next_item.training_state import Place, TrainingState
from stylerec.models.records import EpochRecord


def new_state(seed):
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    return TrainingState(model, torch.optim.AdamW(model.parameters(), lr=0.1, fused=True))


def train(state, num_steps):
    for step in range(num_steps):
        state.optimiser.zero_grad()
        state.model(torch.full((1, 3), 0.1 * step)).square().sum().backward()
        state.optimiser.step()


class TestTrainingState:
    def test_goes_on_from_a_checkpoint_as_if_nothing_had_been(self):
        state, other = new_state(0), new_state(1)
        train(state, 3)
        state.keep_best()
        best = {name: weight.clone() for name, weight in state.best.items()}
        train(state, 2)
        record = EpochRecord(
            epoch=1, loss=1 / 3, validation_ndcg_at_10=0.1, examples_per_s=1.0, seconds=2.0
        )
        state.place = Place(epoch=2, step=5, num_steps=8, loss_sum=0.1 + 0.2, records=[record])
        checkpoint = state.checkpoint()
        # As it is on the disk.
        text = json.dumps(checkpoint.state)
        arrays = {name: array.copy() for name, array in checkpoint.arrays.items()}
        other.restore(Checkpoint(arrays, json.loads(text)))
        assert other.place == state.place
        for each in (state, other):
            train(each, 4)
        for mine, theirs in zip(state.model.parameters(), other.model.parameters(), strict=True):
            assert torch.equal(mine, theirs)
        assert all(torch.equal(other.best[name], weight) for name, weight in best.items())

    def test_before_the_first_step_there_are_no_moments(self):
        state, other = new_state(0), new_state(1)
        other.restore(state.checkpoint())
        assert other.best == {}
        assert other.optimiser.state_dict()["state"] == {}

    def test_best_weights_do_not_follow_the_model(self):
        state = new_state(0)
        train(state, 1)
        state.keep_best()
        before = state.model[0].weight.clone()
        train(state, 1)
        assert torch.equal(state.best["0.weight"], before)
        assert not torch.equal(state.model[0].weight, before)


class TestPlace:
    def test_keeps_a_broken_loss_for_the_epochs_end_to_refuse(self):
        place = Place(loss_sum=math.nan)
        again = Place.model_validate(json.loads(json.dumps(place.model_dump())))
        assert math.isnan(again.loss_sum)

    def test_starts_an_epoch_with_empty_sums(self):
        place = Place(
            epoch=3, step=9, num_steps=40, loss_sum=2.0, weight_sum=1.0, num_examples=7, epoch_s=4.0
        )
        place.start_epoch()
        assert place == Place(epoch=4, num_steps=40)

    @pytest.mark.parametrize("wrong", [{"epoch": "three"}, {"batch": 3}])
    def test_raises_for_other_fields(self, wrong):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Place.model_validate(wrong)
