import pytest
import torch

from stylerec.models.next_item.config import NextItemConfig
from stylerec.models.next_item.model import HistoryEncoder
from stylerec.models.next_item.throughput import peak_flops, peak_flops_of, training_flops


class TestTrainingFlops:
    def test_is_three_times_the_forward_pass(self):
        config = NextItemConfig(
            embedding_dim=8, num_layers=2, block="pre_norm", feed_forward_factor=4
        )
        flops = training_flops(
            config, HistoryEncoder(config), num_tokens=10, num_pairs=30, num_scores=100
        )
        # Per block 3 D D + D D of attention and 2 * 4 D D of feed-forward.
        products = 2 * (2 * 12 * 8 * 8) * 10
        attention = 2 * 30 * (2 * 8 + 2 * 8)
        scores = 100 * 2 * 8
        assert flops == 3 * (products + attention + scores)

    def test_equals_what_torch_counts_where_nothing_is_padded(self):
        from torch.utils.flop_counter import FlopCounterMode

        config = NextItemConfig(embedding_dim=8, num_layers=2, block="ligr", max_len=6)
        encoder = HistoryEncoder(config)
        item, index = torch.randn(3, 6, 8, requires_grad=True), torch.full((3, 6), 5)
        with FlopCounterMode(display=False) as counter:
            encoder(item, index, index.clamp(max=1), torch.zeros(3, 6)).sum().backward()
        # Torch counts masked pairs too.
        flops = training_flops(config, encoder, num_tokens=18, num_pairs=3 * 36, num_scores=0)
        assert counter.get_total_flops() == pytest.approx(flops, rel=0.15)


class TestPeakFlops:
    @pytest.mark.parametrize(
        ("name", "tflops"),
        [
            ("NVIDIA H100 80GB HBM3", 989.4),
            ("NVIDIA H100 PCIe", 756.0),
            ("NVIDIA A100-SXM4-40GB", 312.0),
            ("NVIDIA L4", 121.0),
            ("NVIDIA L40S", 362.0),
        ],
    )
    def test_is_known_by_name(self, name, tflops):
        assert peak_flops_of(name, torch.bfloat16) == tflops * 1e12

    def test_is_lower_in_float32(self):
        assert peak_flops_of("NVIDIA A100-SXM4-40GB", torch.float32) == 19.5e12

    def test_is_unknown_for_others_and_for_a_cpu(self):
        assert peak_flops_of("NVIDIA GeForce GTX 1080", torch.bfloat16) is None
        assert peak_flops(torch.device("cpu"), torch.float32) is None
