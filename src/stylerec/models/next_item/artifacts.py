"""The files of a trained and of an exported next-item model, and how a folder appears whole."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from stylerec.errors import ReleaseError

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "weights.safetensors"
TRAINING_FILE = "training.json"
ONNX_FILE = "model.onnx"
EMBEDDING_FILE = "item_embedding.safetensors"
EMBEDDING_KEY = "item_embedding"
EXPORT_FILE = "export.json"


@contextmanager
def written_aside(output: Path) -> Iterator[Path]:
    """Yields an empty sibling folder that replaces `output` when the block succeeds.

    When the block fails, `output` is as it was and nothing is left beside it.

    Raises:
        ReleaseError: The disk is full or the place cannot be written.
    """
    output = output.resolve()
    mark = uuid.uuid4().hex[:8]
    aside = output.with_name(f".{output.name}-{mark}.partial")
    before = output.with_name(f".{output.name}-{mark}.old")
    try:
        aside.mkdir(parents=True)
        yield aside
        if output.exists():
            output.rename(before)
        aside.rename(output)
    except (OSError, SafetensorError) as error:
        raise ReleaseError(
            str(output),
            expected="a folder that can be written",
            got=str(error),
            fix="free some space or check the permissions; what was there before is unchanged",
        ) from error
    finally:
        if before.exists() and not output.exists():
            before.rename(output)
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)
