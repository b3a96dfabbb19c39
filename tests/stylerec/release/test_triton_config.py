import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from stylerec.release.triton_config import BACKENDS, TritonBackend, render_config
from stylerec.schema.tensors import MODEL_SPECS


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("model", list(MODEL_SPECS))
class TestRenderConfig:
    def test_parses_as_triton_reads_it(self, model: str, backend: TritonBackend) -> None:
        config = text_format.Parse(render_config(model, backend), model_config_pb2.ModelConfig())
        spec = MODEL_SPECS[model]
        assert config.name == model
        assert config.backend == backend
        assert config.max_batch_size == 0
        assert [tensor.name for tensor in config.input] == [tensor.name for tensor in spec.inputs]
        assert [tensor.name for tensor in config.output] == [t.name for t in spec.outputs]

    def test_gives_dynamic_dimensions_as_minus_one(
        self, model: str, backend: TritonBackend
    ) -> None:
        config = text_format.Parse(render_config(model, backend), model_config_pb2.ModelConfig())
        for tensor, spec in zip(config.input, MODEL_SPECS[model].inputs, strict=True):
            assert list(tensor.dims) == [d if isinstance(d, int) else -1 for d in spec.dims]
