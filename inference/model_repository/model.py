"""Runs one `model.onnx` inside Triton's Python backend: the laptop's stand-in for its ONNX backend.

Triton imports this file from a model's version folder with its own environment, so it uses nothing
but numpy, onnxruntime and what the backend provides.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """One instance of a model version; Triton calls it from a single thread."""

    def initialize(self, args: dict[str, str]) -> None:
        """Opens the model file that lies beside this one, with one thread and no spinning."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = Path(__file__).with_name("model.onnx")
        self._session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        config = json.loads(args["model_config"])
        self._outputs = [output["name"] for output in config["output"]]
        dtypes = {
            i["name"]: pb_utils.triton_string_to_numpy(i["data_type"]) for i in config["input"]
        }
        dims = {i["name"]: [max(int(d), 1) for d in i["dims"]] for i in config["input"]}
        # The first run of a session plans its memory: do it before anyone waits for it.
        self._session.run(
            self._outputs, {name: np.zeros(dims[name], dtype) for name, dtype in dtypes.items()}
        )
        self._inputs = list(dtypes)

    def execute(self, requests: list) -> list:
        """Answers each request on its own; a bad one fails alone."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: object) -> object:
        try:
            feeds = {
                name: pb_utils.get_input_tensor_by_name(request, name).as_numpy()
                for name in self._inputs
            }
            arrays = self._session.run(self._outputs, feeds)
        except Exception as error:  # onnxruntime raises one class per status, with no common base
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))
        tensors = [pb_utils.Tensor(*pair) for pair in zip(self._outputs, arrays, strict=True)]
        return pb_utils.InferenceResponse(output_tensors=tensors)
