"""The state of an interrupted training run: written whole, refused when it is another run's.

A checkpoint is one safetensors file whose header holds the JSON, so that replacing it is one rename
and a process killed at any moment leaves the one before.
"""

import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from stylerec.aside import written_file_aside
from stylerec.data.prepared import PreparedData
from stylerec.errors import ReleaseError, shortened

CHECKPOINT_FILE = "checkpoint.safetensors"
_FORMAT = "1"
_FORMAT_KEY, _FINGERPRINT_KEY, _STATE_KEY, _HASH_KEY = "format", "fingerprint", "state", "sha256"


@dataclass(frozen=True)
class Checkpoint:
    """Everything a run needs to go on as if it had never stopped.

    Attributes:
        arrays: Weights, optimiser moments, the best weights so far, by name.
        state: Numbers, strings and lists that JSON can hold; floats survive exactly.
    """

    arrays: dict[str, NDArray[Any]]
    state: dict[str, Any]


def run_fingerprint(config: BaseModel, data: PreparedData) -> str:
    """Returns a hash of the config, the data's summary and the sizes of its split.

    Runs with equal fingerprints may continue each other's checkpoints.
    """
    split = data.split
    described = {
        "config": config.model_dump(mode="json"),
        "data": data.summary.model_dump(mode="json"),
        "split": {
            "train": int(split.train_lengths.sum()),
            "validation": len(split.validation),
            "test": len(split.test),
        },
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def run_folder(root: str, model: str, config: BaseModel, data: PreparedData) -> Path | None:
    """Returns where one run keeps its checkpoint in a folder for many; None where that is empty.

    It is named after what is trained on what: a changed config or newer data starts anew beside a
    checkpoint that it would refuse. Runs that nobody finishes leave theirs; delete what is old.
    """
    return Path(root) / f"{model}-{run_fingerprint(config, data)[:16]}" if root else None


def write_checkpoint(folder: Path, checkpoint: Checkpoint, *, fingerprint: str) -> None:
    """Writes the checkpoint of a run, replacing the one before; it is on the disk when this ends.

    Args:
        folder: Where the run keeps it; made if missing.
        checkpoint: The run's state.
        fingerprint: Of the run, see `run_fingerprint`.

    Raises:
        ReleaseError: The disk is full or the folder cannot be written; the one before is unchanged.
    """
    # `ascontiguousarray` would turn numbers into vectors.
    arrays = {name: np.asarray(array, order="C") for name, array in checkpoint.arrays.items()}
    state = json.dumps(checkpoint.state)
    header = {
        _FORMAT_KEY: _FORMAT,
        _FINGERPRINT_KEY: fingerprint,
        _STATE_KEY: state,
        _HASH_KEY: _content_hash(arrays, state),
    }
    with written_file_aside(folder / CHECKPOINT_FILE, error=ReleaseError) as path:
        # What a process that was killed while writing left behind holds as much room as this.
        _remove_unfinished(folder)
        try:
            save_file(arrays, path, metadata=header)
        except SafetensorError as cause:
            raise OSError(str(cause)) from cause


def read_checkpoint(folder: Path, *, fingerprint: str) -> Checkpoint | None:
    """Returns the checkpoint that the folder holds, or None where there is none.

    Args:
        folder: Where the run keeps it.
        fingerprint: Of the run that wants to go on.

    Raises:
        ReleaseError: The file is damaged, cannot be read, or belongs to another config or data.
    """
    path = folder / CHECKPOINT_FILE
    try:
        if not path.exists():
            return None
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            _check_origin(path, header, fingerprint)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _damaged(path, shortened(str(error).splitlines(), limit=1)) from error
    state = header.get(_STATE_KEY, "")
    if _content_hash(arrays, state) != header.get(_HASH_KEY):
        raise _damaged(path, "other bytes than were written")
    return Checkpoint(arrays, json.loads(state))


def discard_checkpoint(folder: Path) -> None:
    """Removes the checkpoint, and the folder if nothing else is in it."""
    # It is no longer needed; that it cannot be removed must not fail a finished run.
    with contextlib.suppress(OSError):
        (folder / CHECKPOINT_FILE).unlink(missing_ok=True)
        _remove_unfinished(folder)
        folder.rmdir()


def _check_origin(path: Path, header: dict[str, str], fingerprint: str) -> None:
    if header.get(_FORMAT_KEY) != _FORMAT:
        raise _damaged(path, f"format {header.get(_FORMAT_KEY)}, not {_FORMAT}")
    found = header.get(_FINGERPRINT_KEY, "")
    if found != fingerprint:
        raise ReleaseError(
            str(path),
            expected=f"a checkpoint of this config and data ({fingerprint[:8]})",
            got=f"one of another config or other data ({found[:8]})",
            fix="remove it to start anew, go back to that config and data, or name another folder",
        )


def _damaged(path: Path, got: str) -> ReleaseError:
    return ReleaseError(
        str(path),
        expected="a whole checkpoint",
        got=got,
        fix="remove it to start anew",
    )


def _remove_unfinished(folder: Path) -> None:
    for path in folder.glob(f".*-{CHECKPOINT_FILE}"):
        path.unlink(missing_ok=True)


def _content_hash(arrays: dict[str, NDArray[Any]], state: str) -> str:
    content = hashlib.sha256(state.encode())
    for name in sorted(arrays):
        array = arrays[name]
        content.update(f"{name}:{array.dtype.str}:{array.shape}".encode())
        content.update(array.reshape(-1).view(np.uint8).data)
    return content.hexdigest()
