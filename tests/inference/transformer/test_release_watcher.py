import asyncio
import shutil
import weakref
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from inference.transformer.metered import MeteredHistoryReader, MeteredScorer
from inference.transformer.metrics import Metrics
from inference.transformer.release_loading import load_recommender
from inference.transformer.release_watcher import ReleaseSlot, ReleaseWatcher
from inference.transformer.triton_client import TritonRefusedError, TritonUnavailableError
from stylerec.release.store import promote, publish, rollback


class Triton:
    """Has the versions in its repository ready once it was asked to load the model."""

    def __init__(self):
        self.repository: set[tuple[str, int]] = set()
        self.ready: set[tuple[str, int]] = set()
        self.is_up = True
        self.loads: list[str] = []
        self.scored: list[tuple[str, int]] = []

    async def is_model_ready(self, model, version, timeout_s):
        return self.is_up and (model, version) in self.ready

    async def load_model(self, model, timeout_s):
        if not self.is_up:
            raise TritonUnavailableError("connection refused")
        self.loads.append(model)
        found = {entry for entry in self.repository if entry[0] == model}
        if not found:
            raise TritonRefusedError(400, f"no {model} in the repository")
        self.ready |= found

    async def score(self, model, version, inputs, timeout_s):
        self.scored.append((model, version))
        raise TritonUnavailableError("this one scores nothing")

    def stage(self, manifest):
        self.repository |= {(name, entry.version) for name, entry in manifest.models.items()}


class NoHistories:
    async def read(self, customer_ids, timeout_s):
        return {}


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def triton():
    return Triton()


@pytest.fixture
def slot():
    return ReleaseSlot()


@pytest.fixture
def make(slot, triton, registry):
    metrics = Metrics(registry)
    scorer = MeteredScorer(triton, metrics)
    reader = MeteredHistoryReader(NoHistories(), metrics)
    return lambda settings: ReleaseWatcher(
        settings,
        slot=slot,
        control=triton,
        load=lambda release: load_recommender(release, scorer=scorer, history_reader=reader),
        metrics=metrics,
    )


@pytest.fixture
def watcher(settings, make):
    return make(settings)


def poll(watcher, *, times=1, wait_s=0.0):
    async def run():
        for _ in range(times):
            await watcher.poll()
            await asyncio.sleep(wait_s)

    asyncio.run(run())


def served(slot):
    return None if slot.current is None else slot.current.release.release_id


class TestReleaseWatcher:
    def test_says_that_nothing_is_published(self, watcher, slot):
        poll(watcher)
        assert slot.current is None
        assert "no release is published" in slot.why_empty

    def test_takes_up_what_is_published(self, watcher, slot, triton, build, settings, registry):
        manifest = publish(build(models=("ranking",)), settings.release_uri)
        triton.stage(manifest)
        poll(watcher)
        assert served(slot) == manifest.release_id
        info = {"release": manifest.release_id}
        assert registry.get_sample_value("stylerec_release_info", info) == 1

    def test_serves_lower_rungs_when_nothing_was_served_and_triton_is_down(
        self, watcher, slot, triton, build, settings
    ):
        triton.is_up = False
        manifest = publish(build(models=("ranking",)), settings.release_uri)
        poll(watcher)
        assert served(slot) == manifest.release_id

    def test_keeps_the_release_before_until_triton_has_the_new_models(
        self, watcher, slot, triton, build, settings
    ):
        first = publish(build(models=("ranking",), name="first"), settings.release_uri)
        triton.stage(first)
        poll(watcher)
        second = publish(build(models=("ranking",), name="second"), settings.release_uri)
        poll(watcher, times=3)
        assert served(slot) == first.release_id
        triton.stage(second)
        poll(watcher)
        assert served(slot) == second.release_id

    def test_follows_a_rollback(self, watcher, slot, triton, build, settings, registry):
        first = publish(build(name="first", models=("ranking",)), settings.release_uri)
        second = publish(build(name="second", models=("ranking",)), settings.release_uri)
        triton.stage(first)
        triton.stage(second)
        poll(watcher)
        assert served(slot) == second.release_id
        rollback(settings.release_uri)
        poll(watcher)
        assert served(slot) == first.release_id
        info = {"release": second.release_id}
        assert registry.get_sample_value("stylerec_release_info", info) == 0

    @pytest.mark.parametrize("fault", ["changed", "missing", "no_manifest", "no_folder"])
    def test_a_corrupt_release_is_counted_and_not_served(
        self, watcher, slot, build, settings, registry, fault
    ):
        first = publish(build(name="first"), settings.release_uri)
        poll(watcher)
        second = publish(build(name="second"), settings.release_uri)
        folder = Path(settings.release_uri) / second.release_id
        if fault == "changed":
            (folder / "vocabulary.json").write_text("{}")
        elif fault == "missing":
            (folder / "catalogue.parquet").unlink()
        elif fault == "no_manifest":
            (folder / "release.json").unlink()
        else:
            shutil.rmtree(folder)
        poll(watcher)
        assert served(slot) == first.release_id
        assert registry.get_sample_value("stylerec_release_failures_total") == 1
        promote(settings.release_uri, first.release_id)
        poll(watcher)
        assert served(slot) == first.release_id

    def test_takes_up_a_release_that_was_mended(self, watcher, slot, build, settings):
        manifest = publish(build(), settings.release_uri)
        path = Path(settings.release_uri) / manifest.release_id / "vocabulary.json"
        whole = path.read_bytes()
        path.write_bytes(b"half")
        poll(watcher)
        assert slot.current is None
        assert manifest.release_id in slot.why_empty
        path.write_bytes(whole)
        poll(watcher, times=3, wait_s=settings.release_poll_s)
        assert served(slot) == manifest.release_id

    def test_tries_a_corrupt_release_ever_less_often(self, watcher, build, settings, registry):
        manifest = publish(build(), settings.release_uri)
        (Path(settings.release_uri) / manifest.release_id / "vocabulary.json").write_bytes(b"half")
        # Polls at 0, 0.1, ... 0.9 s; tried at 0, then after 0.1, 0.2, 0.4 and 0.8 s of waiting.
        poll(watcher, times=10, wait_s=settings.release_poll_s)
        assert registry.get_sample_value("stylerec_release_failures_total") <= 4

    def test_a_broken_pointer_leaves_what_is_served(self, watcher, slot, build, settings):
        manifest = publish(build(), settings.release_uri)
        poll(watcher)
        (Path(settings.release_uri) / "current.json").write_text("{")
        poll(watcher)
        assert served(slot) == manifest.release_id

    def test_loads_the_models_again_after_triton_restarted(
        self, watcher, slot, triton, build, settings
    ):
        manifest = publish(build(models=("ranking",)), settings.release_uri)
        triton.stage(manifest)
        poll(watcher)
        triton.ready.clear()
        poll(watcher)
        assert triton.ready == triton.repository
        assert served(slot) == manifest.release_id

    def test_the_release_before_is_freed_once_nobody_uses_it(self, watcher, slot, build, settings):
        publish(build(name="first"), settings.release_uri)
        poll(watcher)
        in_flight = slot.current
        before = weakref.ref(in_flight.catalogue)
        publish(build(name="second"), settings.release_uri)
        poll(watcher)
        assert before() is not None
        del in_flight
        assert before() is None

    def test_keeps_copies_of_the_releases_in_use_only(self, slot, triton, build, settings, make):
        remote = settings.model_copy(update={"release_uri": "memory://stylerec-watcher"})
        watcher = make(remote)
        manifests = []
        for name in ("first", "second", "third"):
            manifests.append(publish(build(name=name), remote.release_uri))
            poll(watcher)
            assert served(slot) == manifests[-1].release_id
        copies = {path.name for path in settings.release_cache.iterdir()}
        assert copies == {manifest.release_id for manifest in manifests[1:]}

    def test_warms_the_models_up_before_it_serves(self, watcher, triton, build, settings):
        manifest = publish(build(models=("ranking",)), settings.release_uri)
        triton.stage(manifest)
        poll(watcher)
        assert ("ranking", manifest.models["ranking"].version) in triton.scored

    def test_logs_a_lasting_state_once(self, watcher, caplog, build, settings):
        publish(build(models=("ranking", "next_item")), settings.release_uri)
        poll(watcher, times=5)
        lacking = [record for record in caplog.records if "lacks models" in record.message]
        assert len(lacking) == 1
        assert "ranking" in lacking[0].message
        assert "next_item" in lacking[0].message

    def test_ends_when_cancelled_and_not_before(self, watcher, slot, settings, build):
        async def run():
            task = asyncio.create_task(watcher.run())
            await asyncio.sleep(0.2)
            publish(build(), settings.release_uri)
            for _ in range(100):
                await asyncio.sleep(0.05)
                if slot.current is not None:
                    break
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(run())
        assert slot.current is not None
