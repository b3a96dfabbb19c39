"""Follows the release pointer: a new release is served once all of it is ready, never before."""

import asyncio
import gc
import logging
import shutil
from collections.abc import Callable
from typing import Protocol

from inference.transformer.metrics import Metrics
from inference.transformer.triton_client import TritonUnavailableError
from inference.transformer.warm_up import warm_up
from stylerec.release.store import Release, open_release, read_pointer
from stylerec.serving.recommender import Recommender
from stylerec.serving.scoring import ReleaseInfo
from stylerec.settings import Settings

logger = logging.getLogger(__name__)

_MAX_BACKOFF_S = 60.0
_LOAD_TIMEOUT_S = 60.0
"""Triton answers a load call when the model is loaded, which may take its time."""


class ModelControl(Protocol):
    """What the watcher asks of Triton."""

    async def is_model_ready(self, model: str, version: int, timeout_s: float) -> bool:
        """Returns whether this version would answer."""
        ...

    async def load_model(self, model: str, timeout_s: float) -> None:
        """Loads the newest versions of a model."""
        ...


class ReleaseSlot:
    """The recommender that answers from now on; a request takes it once and keeps it."""

    def __init__(self) -> None:
        self.current: Recommender | None = None
        self.why_empty = "no release has been looked for yet"


class ReleaseWatcher:
    """Takes up whatever release the pointer names.

    A release that is corrupt, or whose models Triton does not have yet, is not served: the one
    before stays, and the new one is tried again. Only when nothing at all is served yet, a
    release is taken up without its models, as the lower rungs can answer.

    Args:
        settings: Release root, polling interval, time-outs.
        slot: Where the recommender goes.
        control: Triton.
        load: Verified release to its recommender; runs in a thread.
        metrics: Told about the release and about failures.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        slot: ReleaseSlot,
        control: ModelControl,
        load: Callable[[Release], Recommender],
        metrics: Metrics,
    ) -> None:
        self._settings, self._slot, self._control = settings, slot, control
        self._load, self._metrics = load, metrics
        self._built: Recommender | None = None
        self._failed_id: str | None = None
        self._num_failures = 0
        self._retry_at_s = 0.0
        self._last_fault = ""

    async def run(self) -> None:
        """Polls until cancelled; nothing that goes wrong ends it."""
        while True:
            await self.poll()
            await asyncio.sleep(self._settings.release_poll_s)

    async def poll(self) -> None:
        """Looks at the pointer once and does what it takes."""
        wanted: str | None = None
        try:
            pointer = await asyncio.to_thread(read_pointer, self._settings.release_uri)
            if pointer is None:
                self._report(f"no release is published under {self._settings.release_uri} yet")
                return
            wanted = pointer.release_id
            served = self._slot.current
            if served is not None and served.release.release_id == wanted:
                if await self.ensure_models(served.release):
                    self._last_fault = ""
            elif wanted != self._failed_id or self._now_s() >= self._retry_at_s:
                await self._take_up(wanted)
        except Exception as error:
            # Anything from a half-copied file to a wrong contract; the release before stays.
            self._metrics.release_failures.inc()
            self._back_off(wanted)
            self._report(f"release {wanted or 'pointer'} cannot be used: {error}")

    async def ensure_models(self, release: ReleaseInfo) -> bool:
        """Returns whether Triton has all pinned versions ready, after asking it to load others."""
        faults = await asyncio.gather(
            *(self._model_fault(name, v) for name, v in release.model_versions.items())
        )
        found = [fault for fault in faults if fault is not None]
        if found:
            self._report(f"release {release.release_id} lacks models in triton: {'; '.join(found)}")
        return not found

    async def _model_fault(self, model: str, version: int) -> str | None:
        """Returns why a pinned version is not ready, None if it is."""
        timeout_s = self._settings.dependency_timeout_s
        if await self._control.is_model_ready(model, version, timeout_s):
            return None
        try:
            await self._control.load_model(model, _LOAD_TIMEOUT_S)
        except (TimeoutError, TritonUnavailableError) as error:
            return f"{model} version {version}: {error or type(error).__name__}"
        if await self._control.is_model_ready(model, version, timeout_s):
            return None
        return f"{model} version {version}: not ready after loading; is it in the model repository?"

    async def _take_up(self, release_id: str) -> None:
        if self._built is None or self._built.release.release_id != release_id:
            self._built = await asyncio.to_thread(self._open, release_id)
        recommender = self._built
        are_models_ready = await self.ensure_models(recommender.release)
        if not are_models_ready and self._slot.current is not None:
            return
        await warm_up(recommender)
        self._slot.current = recommender
        self._built, self._failed_id, self._num_failures = None, None, 0
        # The catalogue lives as long as the release: keep full collections from walking it.
        gc.freeze()
        self._metrics.observe_release(release_id)
        logger.info("serving release %s", release_id)

    def _open(self, release_id: str) -> Recommender:
        cache = self._settings.release_cache
        release = open_release(self._settings.release_uri, release_id, cache=cache)
        served = self._slot.current
        kept = {release_id, served.release.release_id if served else release_id}
        for folder in cache.iterdir() if cache.is_dir() else ():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        return self._load(release)

    def _back_off(self, release_id: str | None) -> None:
        self._num_failures = self._num_failures + 1 if release_id == self._failed_id else 1
        self._failed_id = release_id
        wait_s = self._settings.release_poll_s * 2.0 ** min(self._num_failures - 1, 10)
        self._retry_at_s = self._now_s() + min(wait_s, _MAX_BACKOFF_S)

    def _report(self, fault: str) -> None:
        """Logs a fault that lasts once, not at every poll."""
        if fault != self._last_fault:
            logger.warning("%s", fault)
        self._last_fault = fault
        if self._slot.current is None:
            self._slot.why_empty = fault

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()
