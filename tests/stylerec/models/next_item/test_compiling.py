import pytest
import torch
from safetensors.torch import load_file

from stylerec.errors import ConfigError
from stylerec.models.next_item.compiling import compile_in_place
from stylerec.models.next_item.train import train_next_item


@pytest.fixture
def traced_only(monkeypatch):
    """Traces and differentiates as ever, but runs torch's own kernels: no minutes of g++."""
    whole = torch.nn.Module.compile

    def compile_without_kernels(self, **settings):
        torch._dynamo.reset()
        whole(self, backend="aot_eager", **settings)

    monkeypatch.setattr(torch.nn.Module, "compile", compile_without_kernels)
    yield
    torch._dynamo.reset()


class TestCompileInPlace:
    @pytest.mark.parametrize("block", ["ligr", "hstu"])
    def test_trains_the_same_model(self, prepared, tmp_path, small_config, traced_only, block):
        config = small_config.model_copy(
            update={
                "max_epochs": 1,
                "block": block,
                "dropout": 0.0,
                "id_dropout": 0.0,
                "precision": "float32",
            }
        )
        for name, compiles in (("plain", False), ("compiled", True)):
            chosen = config.model_copy(update={"compile": compiles})
            train_next_item(prepared, tmp_path / name, chosen, device="cpu", progress=len)
        plain, compiled = (
            load_file(tmp_path / name / "weights.safetensors") for name in ("plain", "compiled")
        )
        assert plain.keys() == compiled.keys()
        for name, weight in plain.items():
            torch.testing.assert_close(compiled[name], weight, atol=1e-4, rtol=1e-3)

    def test_raises_without_a_compiler(self, monkeypatch):
        monkeypatch.setenv("CXX", "/missing/g++")
        with pytest.raises(
            ConfigError, match=r"next_item\.compile: expected a C\+\+ compiler: /mi"
        ):
            compile_in_place(torch.nn.Linear(1, 1))
