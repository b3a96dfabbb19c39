import asyncio
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from inference.transformer.metrics import Metrics
from inference.transformer.readiness import Readiness
from inference.transformer.release_watcher import ReleaseSlot


def check(*, versions=None, ready=(), is_store_ready=True):
    """Returns readiness, faults and gauges of a router in this state."""
    registry = CollectorRegistry()
    slot = ReleaseSlot()
    if versions is not None:
        slot.current = SimpleNamespace(release=SimpleNamespace(model_versions=versions))

    async def is_model_ready(model, version, timeout_s):
        return (model, version) in ready

    async def is_ready(timeout_s):
        return is_store_ready

    readiness = Readiness(
        slot=slot,
        control=SimpleNamespace(is_model_ready=is_model_ready),
        histories=SimpleNamespace(is_ready=is_ready),
        timeout_s=1.0,
        metrics=Metrics(registry),
    )
    found = asyncio.run(readiness.is_ready())
    gauges = {
        part: registry.get_sample_value("stylerec_ready", {"part": part})
        for part in ("release", "triton", "feature_store")
    }
    return found, readiness.faults, gauges


def is_answering(release):
    slot = ReleaseSlot()
    slot.current = release
    parts = {"slot": slot, "control": None, "histories": None, "timeout_s": 1.0}
    return Readiness(**parts, metrics=Metrics(CollectorRegistry())).is_answering


class TestReadiness:
    def test_is_ready_when_every_part_is(self):
        found, faults, gauges = check(versions={"ranking": 7}, ready=[("ranking", 7)])
        assert found
        assert faults == []
        assert gauges == {"release": 1, "triton": 1, "feature_store": 1}

    def test_another_version_in_triton_is_not_enough(self):
        found, faults, _ = check(versions={"ranking": 7}, ready=[("ranking", 6)])
        assert not found
        assert "ranking" in faults[0]

    @pytest.mark.parametrize("is_store_ready", [True, False])
    def test_is_not_ready_without_a_release(self, is_store_ready):
        found, faults, gauges = check(is_store_ready=is_store_ready)
        assert not found
        assert "release" in faults[0]
        assert gauges == {"release": 0, "triton": 0, "feature_store": is_store_ready}

    def test_is_not_ready_without_the_feature_store(self):
        found, faults, _ = check(versions={}, is_store_ready=False)
        assert not found
        assert "feature store" in faults[0]


class TestIsAnswering:
    def test_is_true_once_there_is_a_release_whatever_else_is_gone(self):
        assert is_answering(SimpleNamespace())

    def test_is_false_before(self):
        assert not is_answering(None)
