"""Triton's `config.pbtxt` for every served model, in both variants, from one tensor list."""

from typing import Literal

from stylerec.schema.tensors import MODEL_SPECS, ModelSpec, TensorSpec

TritonBackend = Literal["python", "onnxruntime"]
BACKENDS: tuple[TritonBackend, ...] = ("python", "onnxruntime")

_LAPTOP_INSTANCES = 2
_WARMUP_SIZE = 1


def config_file_name(backend: TritonBackend) -> str:
    """Returns the file name of a variant inside a release's model folder."""
    return f"config.{backend}.pbtxt"


def render_config(model: str, backend: TritonBackend) -> str:
    """Returns the `config.pbtxt` text of a model.

    `python` is the laptop's variant: no wheel or Debian package carries Triton's ONNX Runtime
    backend, so the Python backend runs the same file with the `onnxruntime` package.
    `onnxruntime` is the cluster's. Batching is off in both: candidate sets are ragged, and
    padding them together costs more than it saves (design, section 8).

    Args:
        model: A name in `schema.tensors.MODEL_SPECS`.
        backend: Triton backend that executes the model.
    """
    spec = MODEL_SPECS[model]
    lines = [
        f'name: "{model}"',
        f'backend: "{backend}"',
        "max_batch_size: 0",
        *_tensors("input", spec.inputs),
        *_tensors("output", spec.outputs),
        # Every version in the folder is served: the one being rolled out, and those still pinned.
        "version_policy: { all {} }",
    ]
    if backend == "python":
        lines += [f"instance_group [ {{ count: {_LAPTOP_INSTANCES}, kind: KIND_CPU }} ]"]
    else:
        lines += [
            "instance_group [ { count: 1, kind: KIND_AUTO } ]",
            'parameters { key: "intra_op_thread_count" value: { string_value: "1" } }',
            'parameters { key: "inter_op_thread_count" value: { string_value: "1" } }',
            *_warmup(spec),
        ]
    return "\n".join(lines) + "\n"


def _tensors(kind: str, tensors: tuple[TensorSpec, ...]) -> list[str]:
    return [
        f'{kind} [ {{ name: "{tensor.name}", data_type: TYPE_{tensor.dtype}, '
        f"dims: [ {', '.join(str(_dim(d, dynamic=-1)) for d in tensor.dims)} ] }} ]"
        for tensor in tensors
    ]


def _warmup(spec: ModelSpec) -> list[str]:
    inputs = [
        f'    inputs {{ key: "{tensor.name}" value: {{ data_type: TYPE_{tensor.dtype}, dims: [ '
        f"{', '.join(str(_dim(d, dynamic=_WARMUP_SIZE)) for d in tensor.dims)} ], "
        "zero_data: true } }"
        for tensor in spec.inputs
    ]
    return ["model_warmup [", "  {", '    name: "zeros", batch_size: 0', *inputs, "  }", "]"]


def _dim(dim: str | int, *, dynamic: int) -> int:
    return dim if isinstance(dim, int) else dynamic
