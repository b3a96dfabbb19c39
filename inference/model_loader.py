"""`python -m inference.model_loader`: keeps the published releases' models loaded in one Triton.

It runs beside Triton in the same pod. Each replica of a Triton has a repository of its own and,
with explicit model control, loads what it is told: a load call through the replicas' Service would
reach one of them. So each has its loader, which follows the same release pointer as the routers,
and a new replica has the right versions before it takes its first call.
"""

import argparse
import asyncio
import logging
import math
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from inference.transformer.triton_client import TritonClient, TritonUnavailableError
from stylerec.release.staging import stage_models
from stylerec.release.store import open_release, read_pointer
from stylerec.schema.tensors import MODEL_NAMES
from stylerec.settings import Settings

logger = logging.getLogger(__name__)

_LOAD_TIMEOUT_S = 60.0
_RETRY_S = 30.0


class ModelControl(Protocol):
    """What the loader asks of Triton."""

    async def is_model_ready(self, model: str, version: int, timeout_s: float) -> bool:
        """Returns whether this version would answer."""
        ...

    async def load_model(self, model: str, timeout_s: float) -> None:
        """Loads all versions of a model that are in the repository."""
        ...


class ModelLoader:
    """Stages the models of each root's current release and has Triton load them.

    Args:
        settings: Release roots, repository, polling interval.
        models: Names of the models that this Triton serves.
        control: Triton.
        python_model: The generic `model.py` for a Triton without the ONNX Runtime backend.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        models: Sequence[str],
        control: ModelControl,
        python_model: Path | None = None,
    ) -> None:
        self._settings, self._models, self._control = settings, tuple(models), control
        self._python_model = python_model
        self._tried_ids: dict[str, str] = {}
        self._retry_at_s = math.inf
        self._versions: dict[str, dict[str, int]] = {}
        self._staging_faults: list[str] = []
        self._reported: list[str] = []

    async def poll(self) -> None:
        """Looks at every root once; a fault of one of them does not hold up the others."""
        faults = await asyncio.to_thread(self._stage)
        for versions in self._versions.values():
            for model, version in versions.items():
                try:
                    await self._ensure_loaded(model, version)
                except (TimeoutError, TritonUnavailableError) as error:
                    faults.append(f"{model} version {version}: {error or type(error).__name__}")
        if faults and faults != self._reported:
            logger.warning("%s", "; ".join(faults))
        self._reported = faults

    def _stage(self) -> list[str]:
        """Stages what the pointers name, if that changed or failed a while ago; returns faults."""
        current = dict(self._tried_ids)
        pointer_faults = []
        for root in self._roots():
            try:
                if (pointer := read_pointer(root)) is not None:
                    current[root] = pointer.release_id
            except Exception as error:
                # A remote file system raises whatever its cloud's library does.
                pointer_faults.append(f"{root}: {error}")
        if current != self._tried_ids or time.monotonic() >= self._retry_at_s:
            self._staging_faults = self._stage_all(current)
            self._tried_ids = current
            self._retry_at_s = time.monotonic() + _RETRY_S if self._staging_faults else math.inf
        return [*pointer_faults, *self._staging_faults]

    def _stage_all(self, release_ids: dict[str, str]) -> list[str]:
        faults = []
        # All of them again, the served one last: the repository keeps the versions staged last.
        for root in (root for root in self._roots() if root in release_ids):
            try:
                self._versions[root] = self._stage_release(root, release_ids[root])
            except Exception as error:
                faults.append(f"{root}: {error}")
        return faults

    def _stage_release(self, root: str, release_id: str) -> dict[str, int]:
        with tempfile.TemporaryDirectory(prefix="release-") as cache:
            release = open_release(root, release_id, cache=Path(cache))
            versions = stage_models(
                release,
                self._settings.model_repository,
                models=self._models,
                python_model=self._python_model,
            )
        logger.info("staged %s of release %s", ", ".join(versions) or "nothing", release_id)
        return versions

    def _roots(self) -> list[str]:
        roots = [self._settings.preload_release_uri, self._settings.release_uri]
        return [root for root in roots if root is not None]

    async def _ensure_loaded(self, model: str, version: int) -> None:
        timeout_s = self._settings.dependency_timeout_s
        if not await self._control.is_model_ready(model, version, timeout_s):
            await self._control.load_model(model, _LOAD_TIMEOUT_S)
            logger.info("loaded %s version %s", model, version)


async def _run(
    settings: Settings, *, models: Sequence[str], heartbeat: Path | None, python_model: Path | None
) -> None:
    control = TritonClient(settings.triton_host, settings.triton_http_port)
    loader = ModelLoader(settings, models=models, control=control, python_model=python_model)
    while True:
        await loader.poll()
        if heartbeat is not None:
            heartbeat.touch()
        await asyncio.sleep(settings.release_poll_s)


def main(arguments: Sequence[str]) -> int:
    """Follows the release pointers until killed; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m inference.model_loader", description=__doc__)
    parser.add_argument(
        "--models", required=True, help=f"comma-separated, of {', '.join(MODEL_NAMES)}"
    )
    parser.add_argument("--heartbeat", type=Path, help="file to touch after every poll")
    parser.add_argument(
        "--python-model", type=Path, help="model.py for a Triton without the ONNX Runtime backend"
    )
    given = parser.parse_args(arguments)
    models = given.models.split(",")
    unknown = sorted(set(models) - set(MODEL_NAMES))
    if unknown:
        parser.error(f"--models: expected {', '.join(MODEL_NAMES)}, got {', '.join(unknown)}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # The first process of a container ignores a stop signal that nobody handles.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    run = _run(
        Settings(), models=models, heartbeat=given.heartbeat, python_model=given.python_model
    )
    asyncio.run(run)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
