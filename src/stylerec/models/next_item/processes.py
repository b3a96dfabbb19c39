"""The processes that train one model together, and what they tell each other."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed

from stylerec.models.checkpoint import Checkpoint

_TORCHRUN_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK")


@dataclass(frozen=True)
class Processes:
    """One process among those that train together; alone unless `joined` says otherwise.

    What they tell each other goes over the CPU (gloo), whatever the model's device: waiting for a
    GPU at each step would leave it idle.

    Attributes:
        rank: This process, 0 to size - 1; 0 writes and reports.
        size: Processes in all.
        local_rank: This process among those of its machine: the GPU it takes.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes and reports."""
        return self.rank == 0

    def summed(self, *values: float) -> list[float]:
        """Returns each value's sum over all processes; every process must call it."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64)
        distributed.all_reduce(total)
        return [float(value) for value in total]

    def wait(self) -> None:
        """Returns when every process has come this far."""
        self.summed(0.0)

    def shared(self, checkpoint: Checkpoint | None) -> Checkpoint | None:
        """Returns the first process's checkpoint in all of them; every process must call it."""
        if self.size == 1:
            return checkpoint
        header = np.frombuffer(_described(checkpoint), dtype=np.uint8)
        (size,) = _sent(np.array([len(header)]))
        described = json.loads(_sent(np.resize(header, int(size))).tobytes())
        if described is None:
            return None
        state, layout = described
        own = checkpoint.arrays if checkpoint else {}
        arrays = {
            name: _sent(own.get(name, np.empty(shape, dtype=np.dtype(dtype))))
            for name, (dtype, shape) in layout.items()
        }
        return Checkpoint(arrays, state)


ALONE = Processes()


@contextmanager
def joined() -> Iterator[Processes]:
    """Yields this process among those that `torchrun` started, or alone where it did not."""
    if any(name not in os.environ for name in _TORCHRUN_VARIABLES):
        yield ALONE
        return
    rank, size, local_rank = (int(os.environ[name]) for name in _TORCHRUN_VARIABLES)
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank)
        distributed.init_process_group("cpu:gloo,cuda:nccl")
    else:
        distributed.init_process_group("gloo")
    try:
        yield Processes(rank, size, local_rank)
    finally:
        distributed.destroy_process_group()


def _described(checkpoint: Checkpoint | None) -> bytes:
    """Returns the checkpoint's state and what its arrays look like, as JSON."""
    if checkpoint is None:
        return b"null"
    layout = {name: (array.dtype.str, array.shape) for name, array in checkpoint.arrays.items()}
    return json.dumps([checkpoint.state, layout]).encode()


def _sent(array: NDArray[Any]) -> NDArray[Any]:
    """Returns the first process's array in all of them; theirs must have its shape."""
    sent = np.array(array, order="C")
    if sent.size:
        distributed.broadcast(torch.from_numpy(sent.reshape(-1).view(np.uint8)), src=0)
    return sent
