import math

import pytest
import torch

from stylerec.models.next_item.loss import full_softmax_loss, sampled_softmax_loss


class TestFullSoftmaxLoss:
    def test_is_minus_log_share_of_the_target(self):
        logits = torch.log(torch.tensor([[1.0, 2.0, 5.0], [4.0, 4.0, 2.0]]))
        loss = full_softmax_loss(logits, torch.tensor([2, 0]))
        assert loss.item() == pytest.approx(-(math.log(5 / 8) + math.log(4 / 10)) / 2)


class TestSampledSoftmaxLoss:
    def test_weighs_each_negative_by_its_chance(self):
        # Two draws: an item with Q = 1/4 stands for 1 / (2 * 1/4) = 2 items, one with 1/2 for 1.
        loss = sampled_softmax_loss(
            torch.log(torch.tensor([3.0])),
            torch.log(torch.tensor([[5.0, 7.0]])),
            log_q_M=torch.log(torch.tensor([1 / 4, 1 / 2])),
            is_target_NM=torch.tensor([[False, False]]),
        )
        assert loss.item() == pytest.approx(-math.log(3 / (3 + 5 * 2 + 7 * 1)))

    def test_leaves_out_negatives_that_are_the_target(self):
        loss = sampled_softmax_loss(
            torch.log(torch.tensor([3.0])),
            torch.log(torch.tensor([[3.0, 7.0]])),
            log_q_M=torch.log(torch.tensor([1 / 2, 1 / 2])),
            is_target_NM=torch.tensor([[True, False]]),
        )
        assert loss.item() == pytest.approx(-math.log(3 / (3 + 7)))

    def test_equals_the_full_softmax_when_draws_match_their_chances(self):
        logits = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
        target = torch.tensor([0, 2, 3])
        # 8 draws in which each item comes up exactly 8 Q times.
        draws = torch.tensor([0, 0, 0, 0, 1, 1, 2, 3])
        probability = torch.tensor([4 / 8, 2 / 8, 1 / 8, 1 / 8])
        sampled = sampled_softmax_loss(
            logits[torch.arange(3), target],
            logits[:, draws],
            log_q_M=probability[draws].log(),
            is_target_NM=target[:, None] == draws[None, :],
        )
        assert sampled.item() == pytest.approx(full_softmax_loss(logits, target).item(), rel=1e-5)

    def test_estimates_the_full_sum_without_bias(self):
        generator = torch.Generator().manual_seed(1)
        logits = torch.randn(1, 50, generator=generator)
        target = torch.tensor([4])
        probability = torch.softmax(torch.randn(50, generator=generator), dim=0)
        draws = torch.multinomial(probability, 200_000, replacement=True, generator=generator)
        sampled = sampled_softmax_loss(
            logits[:, 4],
            logits[:, draws],
            log_q_M=probability[draws].log(),
            is_target_NM=target[:, None] == draws[None, :],
        )
        assert sampled.item() == pytest.approx(full_softmax_loss(logits, target).item(), rel=0.02)
