import math

import pytest
import torch
from torch.nn import functional

from stylerec.models.next_item import loss as module
from stylerec.models.next_item.loss import gbce_loss, log_expected_counts, softmax_loss

INFINITE = float("inf")


def one_dimensional(*logits):
    """Returns a state and items whose products are these logits."""
    return torch.ones(1, 1), torch.tensor(logits)[:, None]


def random_problem(num_targets=50, num_items=300, dim=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    state = torch.randn(num_targets, dim, generator=generator).requires_grad_()
    items = torch.randn(num_items, dim, generator=generator).requires_grad_()
    target = torch.randint(num_items, (num_targets,), generator=generator)
    return state, items, target


class TestFullSoftmax:
    def test_is_minus_log_share_of_the_target(self):
        state, items = one_dimensional(math.log(1.0), math.log(2.0), math.log(5.0))
        loss = softmax_loss(state, items, column_N=torch.tensor([2]))
        assert loss.item() == pytest.approx(-math.log(5 / 8))

    def test_weights_are_relative(self):
        state = torch.ones(2, 1)
        items = torch.log(torch.tensor([1.0, 2.0, 5.0]))[:, None]
        loss = softmax_loss(
            state, items, column_N=torch.tensor([2, 0]), weight_N=torch.tensor([6.0, 2.0])
        )
        assert loss.item() == pytest.approx(-(6 * math.log(5 / 8) + 2 * math.log(1 / 8)) / 8)

    @pytest.mark.parametrize("tile", [1, 7 * 300, 10**9])
    def test_loss_and_gradients_are_the_cross_entropys(self, tile, monkeypatch):
        monkeypatch.setattr(module, "_TILE_ELEMENTS", {"cpu": tile})
        monkeypatch.setattr(module, "_MIN_TILE_ROWS", 1)
        state, items, target = random_problem()
        weight = torch.rand(50, generator=torch.Generator().manual_seed(1))
        per_target = functional.cross_entropy(state @ items.T, target, reduction="none")
        expected = (per_target * weight).sum() / weight.sum()
        expected_gradients = torch.autograd.grad(expected, [state, items])
        loss = softmax_loss(state, items, column_N=target, weight_N=weight)
        torch.testing.assert_close(loss, expected)
        for found, wanted in zip(
            torch.autograd.grad(loss, [state, items]), expected_gradients, strict=True
        ):
            torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)

    def test_products_in_bfloat16_stay_close(self):
        state, items, target = random_problem()
        exact = torch.autograd.grad(softmax_loss(state, items, column_N=target), [state, items])
        loss = softmax_loss(state, items, column_N=target, product_dtype=torch.bfloat16)
        rough = torch.autograd.grad(loss, [state, items])
        for found, wanted in zip(rough, exact, strict=True):
            assert (found - wanted).norm() < 0.01 * wanted.norm()

    def test_huge_scores_stay_finite(self):
        state, items = one_dimensional(500.0, -500.0)
        state.requires_grad_()
        loss = softmax_loss(state, items, column_N=torch.tensor([1]))
        assert loss.item() == pytest.approx(1_000.0)
        (gradient,) = torch.autograd.grad(loss, [state])
        assert gradient.item() == pytest.approx(500.0 - -500.0)


class TestSampledSoftmax:
    def test_weighs_each_negative_by_its_chance(self):
        # Two draws: an item with Q = 1/4 stands for 1 / (2 * 1/4) = 2 items, one with 1/2 for 1.
        state, items = one_dimensional(math.log(3.0), math.log(5.0), math.log(7.0))
        correction = torch.tensor([INFINITE, math.log(2 * 1 / 4), math.log(2 * 1 / 2)])
        loss = softmax_loss(state, items, column_N=torch.tensor([0]), correction_U=correction)
        assert loss.item() == pytest.approx(-math.log(3 / (3 + 5 * 2 + 7 * 1)))

    def test_the_target_itself_is_never_corrected(self):
        state, items = one_dimensional(math.log(3.0), math.log(7.0))
        correction = torch.tensor([math.log(1 / 2), 0.0])
        loss = softmax_loss(state, items, column_N=torch.tensor([0]), correction_U=correction)
        assert loss.item() == pytest.approx(-math.log(3 / (3 + 7)))

    def test_gradients_are_those_of_the_formula(self):
        state, items, target = random_problem()
        correction = torch.linspace(-2.0, 2.0, 300)
        correction[5] = INFINITE
        logits = state @ items.T
        own = logits.gather(1, target[:, None])
        others = (logits - correction).scatter(1, target[:, None], -INFINITE)
        expected = (torch.logsumexp(torch.cat([own, others], dim=1), dim=1) - own[:, 0]).mean()
        wanted = torch.autograd.grad(expected, [state, items])
        loss = softmax_loss(state, items, column_N=target, correction_U=correction)
        torch.testing.assert_close(loss, expected)
        for one, other in zip(torch.autograd.grad(loss, [state, items]), wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)

    def test_estimates_the_full_sum_without_bias(self):
        state, items, target = random_problem(num_targets=1, num_items=50)
        generator = torch.Generator().manual_seed(1)
        probability = torch.softmax(torch.randn(50, generator=generator), dim=0)
        draws = torch.multinomial(probability, 200_000, replacement=True, generator=generator)
        correction = log_expected_counts(
            torch.bincount(draws, minlength=50), probability, num_draws=200_000
        )
        sampled = softmax_loss(state, items, column_N=target, correction_U=correction)
        full = softmax_loss(state, items, column_N=target)
        assert sampled.item() == pytest.approx(full.item(), rel=0.02)


class TestLogExpectedCounts:
    def test_is_zero_where_an_item_comes_up_as_often_as_expected(self):
        found = log_expected_counts(
            torch.tensor([4, 2, 0]), torch.tensor([4 / 8, 1 / 8, 3 / 8]), num_draws=8
        )
        assert found.tolist() == pytest.approx([0.0, math.log(1 / 2), INFINITE])


class TestGbceLoss:
    def loss(self, calibration, **changes):
        arguments = {
            "is_target_NM": torch.tensor([[False, False]]),
            "sampling_rate": 1 / 4,
            "calibration": calibration,
            **changes,
        }
        positive, negative = torch.tensor([1.0]), torch.tensor([[0.0, 2.0]])
        return gbce_loss(positive, negative, **arguments).item()

    def negatives(self):
        return math.log(1 + math.exp(0.0)) + math.log(1 + math.exp(2.0))

    def positive(self):
        return math.log(1 + math.exp(-1.0))

    def test_without_calibration_is_the_binary_cross_entropy(self):
        assert self.loss(0.0) == pytest.approx((self.positive() + self.negatives()) / 3)

    def test_full_calibration_scales_the_positive_by_the_sampling_rate(self):
        assert self.loss(1.0) == pytest.approx((self.positive() / 4 + self.negatives()) / 3)

    def test_in_between_follows_the_formula(self):
        beta = 1 / 4 * (0.75 * (1 - 4) + 4)
        assert self.loss(0.75) == pytest.approx((beta * self.positive() + self.negatives()) / 3)

    def test_leaves_out_negatives_that_are_the_target(self):
        found = self.loss(0.0, is_target_NM=torch.tensor([[False, True]]))
        assert found == pytest.approx((self.positive() + math.log(2.0)) / 3)

    def test_weights_are_relative(self):
        loss = gbce_loss(
            torch.tensor([0.0, 100.0]),
            torch.full((2, 1), -100.0),
            is_target_NM=torch.zeros(2, 1, dtype=torch.bool),
            sampling_rate=0.5,
            calibration=0.0,
            weight_N=torch.tensor([3.0, 1.0]),
        )
        assert loss.item() == pytest.approx(3 * math.log(2.0) / 2 / (3 + 1))
