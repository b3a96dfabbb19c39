import math

import pytest
import torch

from stylerec.models.outfit.loss import outfit_loss

NONE = torch.zeros(1, 0)


def softplus(value: float) -> float:
    return math.log(1 + math.exp(value))


class TestOutfitLoss:
    def test_is_ln_2_per_term_for_logits_of_0(self):
        loss = outfit_loss(torch.zeros(3), torch.zeros(3, 2), torch.zeros(3, 4))
        assert float(loss) == pytest.approx(2 * math.log(2))

    def test_is_the_mean_of_both_sides_cross_entropy(self):
        loss = outfit_loss(torch.tensor([2.0]), torch.tensor([[1.0, -1.0]]), NONE)
        true = -math.log(1 / (1 + math.exp(-2.0)))
        false = [-math.log(1 - 1 / (1 + math.exp(-logit))) for logit in (1.0, -1.0)]
        assert float(loss) == pytest.approx(0.5 * true + 0.5 * sum(false) / 2)

    def test_ranks_single_replacements_below_the_outfit(self):
        true, whole = torch.tensor([2.0]), torch.tensor([[-1.0]])
        without = outfit_loss(true, whole, NONE)
        loss = outfit_loss(true, whole, torch.tensor([[1.5, 3.0]]))
        expected = (softplus(1.5 - 2.0) + softplus(3.0 - 2.0)) / 2
        assert float(loss - without) == pytest.approx(expected)

    def test_softmax_is_the_cross_entropy_of_picking_the_outfit(self):
        true, whole = torch.tensor([2.0]), torch.tensor([[-1.0]])
        singles = torch.tensor([[1.5, 3.0]])
        without = outfit_loss(true, whole, NONE)
        loss = outfit_loss(true, whole, singles, single_loss="softmax")
        expected = math.log(1 + math.exp(1.5 - 2.0) + math.exp(3.0 - 2.0))
        assert float(loss - without) == pytest.approx(expected)

    def test_does_not_depend_on_the_number_of_equal_counter_examples(self):
        true = torch.tensor([0.3, -0.2])
        one = outfit_loss(true, torch.full((2, 1), 0.7), torch.full((2, 1), 0.1))
        five = outfit_loss(true, torch.full((2, 5), 0.7), torch.full((2, 3), 0.1))
        assert float(one) == pytest.approx(float(five))
