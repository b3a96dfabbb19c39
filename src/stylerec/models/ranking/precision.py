"""In which number format training multiplies queries with all items."""

import os
from pathlib import Path
from typing import Literal

import tensorflow as tf

PrecisionName = Literal["auto", "float32", "bfloat16"]

_CPU_FLAGS = Path("/proc/cpuinfo")
_FIRST_GPU_WITH_BFLOAT16 = (8, 0)


def choose_precision(name: PrecisionName) -> tf.DType:
    """Returns the format that a config asks for.

    `auto` is bfloat16 on GPUs that have it and on a CPU with matrix tiles (AMX), else float32:
    without hardware for it, bfloat16 is several times slower.
    """
    if name != "auto":
        return tf.as_dtype(name)
    gpus = tf.config.list_physical_devices("GPU")
    is_fast = all(_has_bfloat16(gpu) for gpu in gpus) if gpus else _has_tiles()
    return tf.bfloat16 if is_fast else tf.float32


def _has_bfloat16(gpu: tf.config.PhysicalDevice) -> bool:
    capability = tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
    return bool(capability >= _FIRST_GPU_WITH_BFLOAT16)


def _has_tiles() -> bool:
    # TensorFlow says nothing about AMX, which it uses through oneDNN.
    is_off = os.environ.get("TF_ENABLE_ONEDNN_OPTS") == "0"
    return not is_off and _CPU_FLAGS.exists() and "amx_bf16" in _CPU_FLAGS.read_text()
