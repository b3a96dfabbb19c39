import pytest
import torch

from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.layers import (
    GAP_BOUNDARIES_DAYS,
    NUM_GAP_BUCKETS,
    attention_mask,
    gap_buckets,
    transformer_block,
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


class TestTransformerBlock:
    @pytest.mark.parametrize("kind", ["pre_norm", "ligr"])
    def test_keeps_shape_and_causality(self, kind):
        torch.manual_seed(0)
        block = transformer_block(NextItemConfig(embedding_dim=8, block=kind)).eval()
        x = torch.randn(2, 5, 8)
        mask = attention_mask(torch.ones(2, 5, dtype=torch.bool))
        later = x.clone()
        later[:, 4] += 1.0
        changed = (block(later, mask) - block(x, mask)).abs().amax(dim=(0, 2))
        assert torch.all(changed[:4] == 0)
        assert changed[4] > 0.1
