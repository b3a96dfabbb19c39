import pytest
import torch

from stylerec.models.next_item.precision import choose_precision

CPU, GPU = torch.device("cpu"), torch.device("cuda")
FLOAT32, BFLOAT16 = torch.float32, torch.bfloat16


class TestChoosePrecision:
    @pytest.mark.parametrize(("name", "dtype"), [("float32", FLOAT32), ("bfloat16", BFLOAT16)])
    @pytest.mark.parametrize("device", [CPU, GPU])
    def test_is_what_was_asked_for(self, name, dtype, device):
        precision = choose_precision(name, device)
        assert (precision.encoder, precision.loss) == (dtype, dtype)
        assert precision.device_type == device.type

    @pytest.mark.parametrize(("is_supported", "dtype"), [(True, BFLOAT16), (False, FLOAT32)])
    def test_auto_takes_what_the_gpu_has(self, monkeypatch, is_supported, dtype):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: is_supported)
        precision = choose_precision("auto", GPU)
        assert (precision.encoder, precision.loss) == (dtype, dtype)

    @pytest.mark.parametrize(("has_tiles", "dtype"), [(True, BFLOAT16), (False, FLOAT32)])
    def test_auto_takes_tiles_of_a_cpu_for_the_loss(self, monkeypatch, has_tiles, dtype):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: has_tiles)
        precision = choose_precision("auto", CPU)
        assert (precision.encoder, precision.loss) == (FLOAT32, dtype)


class TestAutocast:
    @pytest.mark.parametrize(("name", "dtype"), [("float32", FLOAT32), ("bfloat16", BFLOAT16)])
    def test_products_are_in_the_format_and_weights_are_not(self, name, dtype):
        layer = torch.nn.Linear(2, 2)
        with choose_precision(name, CPU).autocast():
            product = layer(torch.ones(1, 2))
        assert product.dtype == dtype
        assert layer.weight.dtype == FLOAT32
