import pytest
import torch

from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.layers import (
    BLOCKS,
    GAP_BOUNDARIES_DAYS,
    NUM_GAP_BUCKETS,
    NUM_TIME_BUCKETS,
    Blocks,
    HstuBlock,
    attention_mask,
    gap_buckets,
    time_buckets,
)

BOUNDARIES = torch.tensor(GAP_BOUNDARIES_DAYS)
MINUTE = 1 / 1_440


def buckets(ages_days, is_real=None):
    ages = torch.tensor([ages_days])
    is_real = torch.ones(ages.shape, dtype=torch.bool) if is_real is None else is_real
    return gap_buckets(ages, is_real, BOUNDARIES)[0].tolist()


class TestGapBuckets:
    def test_doubles_from_ten_minutes(self):
        # Gaps of 5, 15, 25 and 45 minutes: below 10, from 10, from 20 and from 40.
        ages = [90 * MINUTE, 85 * MINUTE, 70 * MINUTE, 45 * MINUTE, 0.0]
        assert buckets(ages) == [0, 1, 2, 3, 4]

    def test_is_zero_for_first_interaction_and_padding(self):
        is_real = torch.tensor([[False, False, True, True]])
        assert buckets([0.0, 0.0, 30.0, 30.0], is_real) == [0, 0, 0, 1]

    def test_ends_with_the_longest(self):
        assert buckets([3_650.0, 0.0]) == [0, NUM_GAP_BUCKETS - 1]

    def test_ignores_when_it_is_asked(self):
        ages = [20.0, 12.5, 12.0, 1.0]
        assert buckets(ages) == buckets([age + 7.0 for age in ages])


class TestAttentionMask:
    def test_sees_itself_and_earlier_real_positions(self):
        mask = attention_mask(torch.tensor([[False, True, True]]))
        assert mask[0, 0].int().tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]


class TestTimeBuckets:
    def test_is_the_time_between_query_and_key(self):
        # Gaps of 15 and 25 minutes: from 10, from 20, and together from 40.
        ages = torch.tensor([[40 * MINUTE, 25 * MINUTE, 0.0]])
        buckets = time_buckets(ages, BOUNDARIES)[0]
        assert buckets.tril().tolist() == [[0, 0, 0], [1, 0, 0], [3, 2, 0]]

    def test_ends_with_the_longest(self):
        buckets = time_buckets(torch.tensor([[3_650.0, 0.0]]), BOUNDARIES)
        assert buckets[0, 1, 0] == NUM_TIME_BUCKETS - 1


def random_blocks(kind, **changes):
    torch.manual_seed(0)
    config = NextItemConfig(embedding_dim=8, block=kind, **changes)
    blocks = Blocks(config).eval()
    for parameter in blocks.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return blocks


ALL_REAL = torch.ones(2, 5, dtype=torch.bool)
AGES = torch.tensor([40.0, 12.0, 3.0, 0.5, 0.0]).repeat(2, 1)


@pytest.mark.parametrize("kind", list(BLOCKS))
class TestBlocks:
    def test_keep_shape_and_causality(self, kind):
        blocks = random_blocks(kind)
        x = torch.randn(2, 5, 8)
        later = x.clone()
        later[:, 4] += torch.randn(8)
        changed = (blocks(later, ALL_REAL, AGES) - blocks(x, ALL_REAL, AGES)).abs().amax((0, 2))
        assert torch.all(changed[:4] == 0)
        assert changed[4] > 0.1

    def test_what_is_in_padding_changes_nothing(self, kind):
        blocks = random_blocks(kind)
        x = torch.randn(2, 5, 8)
        is_real = ALL_REAL.clone()
        is_real[:, :2] = False
        other, ages = x.clone(), AGES.clone()
        other[:, :2] += 3.0
        ages[:, :2] += 90.0
        states, others = blocks(x, is_real, AGES), blocks(other, is_real, ages)
        assert torch.equal(states[:, 2:], others[:, 2:])
        shorter = blocks(x[:, 2:], is_real[:, 2:], AGES[:, 2:])
        torch.testing.assert_close(shorter, states[:, 2:], atol=1e-5, rtol=0)

    def test_times_matter_to_hstu_alone(self, kind):
        blocks = random_blocks(kind)
        x = torch.randn(2, 5, 8)
        change = (blocks(x, ALL_REAL, AGES) - blocks(x, ALL_REAL, 3 * AGES)).abs().max()
        assert (change > 1e-3) == (kind == "hstu")


class TestSelfAttention:
    def test_every_parameter_has_a_gradient_beyond_rounding(self):
        """A bias that the softmax cancels would have none, and Adam would blow up its noise."""
        blocks = random_blocks("pre_norm", num_layers=1)
        (blocks(torch.randn(2, 5, 8), ALL_REAL, AGES) * torch.randn(2, 5, 8)).sum().backward()
        for name, parameter in blocks.named_parameters():
            assert parameter.grad.abs().max() > 1e-3, name


class TestHstuBlock:
    def test_follows_the_equations(self):
        config = NextItemConfig(embedding_dim=8, num_heads=2, num_layers=1, block="hstu", max_len=7)
        torch.manual_seed(0)
        blocks = Blocks(config).eval()
        block = blocks[0]
        assert isinstance(block, HstuBlock)
        for parameter in block.parameters():
            torch.nn.init.normal_(parameter)
        x = torch.randn(1, 3, 8)
        ages = torch.tensor([[5.0, 1.0, 0.0]])
        silu, norm = torch.nn.functional.silu, torch.nn.functional.layer_norm
        normed = norm(x[0], (8,), block.norm.weight, block.norm.bias)
        u, v, q, k = silu(normed @ block.inner.weight.T).split(8, dim=1)
        attended = torch.zeros(3, 8)
        times = time_buckets(ages, BOUNDARIES)[0]
        for head in (slice(0, 4), slice(4, 8)):
            for i in range(3):
                for j in range(i + 1):
                    bias = block.position_bias.weight[i - j] + block.time_bias.weight[times[i, j]]
                    weight = silu(q[i, head] @ k[j, head] + bias) / 7
                    attended[i, head] += weight * v[j, head]
        weight, bias = block.attended_norm.weight, block.attended_norm.bias
        gated = norm(attended, (8,), weight, bias, eps=1e-6) * u
        expected = x[0] + gated @ block.outer.weight.T + block.outer.bias
        actual = blocks(x, torch.ones(1, 3, dtype=torch.bool), ages)[0]
        torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-4)

    def test_the_number_of_interactions_counts(self):
        """Without a softmax more of the same is not the same."""
        blocks = random_blocks("hstu", num_layers=1)
        one = torch.randn(1, 1, 8)
        real = torch.ones(1, 4, dtype=torch.bool)
        blocks[0].attended_norm = torch.nn.Identity()
        states = blocks(one.repeat(1, 4, 1), real, torch.zeros(1, 4))[0]
        assert (states[3] - states[0]).abs().max() > 1e-3
