"""Readiness that means it: a release is loaded, Triton has its models, the feature store answers.

A router that is not ready still answers from the lower rungs once it has a release.
"""

import asyncio

from inference.transformer.history_store import HistoryStore
from inference.transformer.metrics import FEATURE_STORE, Metrics
from inference.transformer.release_watcher import ModelControl, ReleaseSlot

_RELEASE = "release"
_TRITON = "triton"


class Readiness:
    """Asks every part when it is asked itself; nothing is remembered but the last faults.

    Args:
        slot: The release being served.
        control: Triton.
        histories: The feature store.
        timeout_s: Longest wait for each part; they are asked at once.
        metrics: Told what was usable.
    """

    def __init__(
        self,
        *,
        slot: ReleaseSlot,
        control: ModelControl,
        histories: HistoryStore,
        timeout_s: float,
        metrics: Metrics,
    ) -> None:
        self._slot, self._control, self._histories = slot, control, histories
        self._timeout_s, self._metrics = timeout_s, metrics
        self.faults: list[str] = []

    async def is_ready(self) -> bool:
        """Returns whether every part is usable; `faults` then says what is not."""
        recommender = self._slot.current
        versions = recommender.release.model_versions if recommender is not None else {}
        *are_models_ready, is_store_ready = await asyncio.gather(
            *(
                self._control.is_model_ready(model, version, self._timeout_s)
                for model, version in versions.items()
            ),
            self.is_store_ready(),
        )
        absent = [
            model for model, ready in zip(versions, are_models_ready, strict=True) if not ready
        ]
        parts = {
            _RELEASE: recommender is not None,
            _TRITON: recommender is not None and not absent,
            FEATURE_STORE: is_store_ready,
        }
        self._metrics.observe_readiness(parts)
        self.faults = self._faults(recommender is not None, absent, is_store_ready)
        return all(parts.values())

    @property
    def is_answering(self) -> bool:
        """Whether requests are answered, if only from the lower rungs.

        This is what decides whether Kubernetes sends requests: all routers share their
        dependencies, so a readiness that asked for those would take all of them away at once.
        """
        return self._slot.current is not None

    async def is_store_ready(self) -> bool:
        """Returns whether the feature store answers."""
        return await self._histories.is_ready(self._timeout_s)

    def _faults(self, has_release: bool, absent: list[str], is_store_ready: bool) -> list[str]:
        faults = []
        if not has_release:
            faults.append(self._slot.why_empty)
        if absent:
            faults.append(f"triton has no ready {', '.join(absent)} of this release")
        if not is_store_ready:
            faults.append("the feature store does not answer")
        return faults
