from pathlib import Path

import pytest
import tensorflow as tf

from stylerec.models.ranking import precision
from stylerec.models.ranking.precision import choose_precision


@pytest.fixture
def flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for the processor's description, on a machine without a GPU."""
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(precision, "_CPU_FLAGS", path)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    return path


class TestChoosePrecision:
    @pytest.mark.parametrize("name", ["float32", "bfloat16"])
    def test_a_named_format_is_taken_whatever_the_machine(self, flags: Path, name: str) -> None:
        flags.write_text("flags: avx2")
        assert choose_precision(name) == tf.as_dtype(name)

    def test_auto_is_bfloat16_where_the_processor_has_tiles(self, flags: Path) -> None:
        flags.write_text("flags: avx512f amx_bf16 amx_tile")
        assert choose_precision("auto") == tf.bfloat16

    def test_auto_is_float32_elsewhere(self, flags: Path) -> None:
        assert choose_precision("auto") == tf.float32
        flags.write_text("flags: avx2 avx512f")
        assert choose_precision("auto") == tf.float32

    def test_auto_is_float32_where_onednn_is_off(
        self, flags: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flags.write_text("flags: amx_bf16")
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
        assert choose_precision("auto") == tf.float32

    @pytest.mark.parametrize(
        ("capability", "expected"), [((7, 5), tf.float32), ((9, 0), tf.bfloat16)]
    )
    def test_auto_follows_the_gpu(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capability: tuple[int, int],
        expected: tf.DType,
    ) -> None:
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"])
        details = {"compute_capability": capability}
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
        assert choose_precision("auto") == expected
