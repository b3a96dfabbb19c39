import pytest
from prometheus_client import CollectorRegistry

from inference.transformer.metrics import Metrics


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def metrics(registry):
    return Metrics(registry)


def answer(**changes):
    return {
        "touchpoint": "for-you",
        "model": "ranking",
        "served_by": "fallback:ranking",
        "skipped": {"next_item": "timeout"},
        "history_age_s": 5.0,
        **changes,
    }


class TestMetrics:
    def test_counts_answers_by_touchpoint_and_rung(self, metrics, registry):
        metrics.observe_answers([answer(), answer(), answer(served_by="primary")], 0.004)
        labels = {"touchpoint": "for-you", "rung": "ranking"}
        value = registry.get_sample_value
        assert value("stylerec_answers_total", {**labels, "is_primary": "false"}) == 2
        assert value("stylerec_answers_total", {**labels, "is_primary": "true"}) == 1
        assert value("stylerec_answer_seconds_count", {"touchpoint": "for-you"}) == 3
        assert value("stylerec_answer_seconds_sum", {"touchpoint": "for-you"}) == pytest.approx(
            3 * 0.004
        )
        skipped = {"touchpoint": "for-you", "rung": "next_item", "reason": "timeout"}
        assert value("stylerec_skipped_rungs_total", skipped) == 3
        assert value("stylerec_history_age_seconds_sum") == 3 * 5.0

    def test_takes_an_answer_that_nobody_ranked(self, metrics, registry):
        metrics.observe_answers([answer(model=None, served_by="none", history_age_s=None)], 0.1)
        labels = {"touchpoint": "for-you", "rung": "none", "is_primary": "false"}
        assert registry.get_sample_value("stylerec_answers_total", labels) == 1
        assert registry.get_sample_value("stylerec_history_age_seconds_count") == 0

    def test_counts_a_failure_and_passes_it_on(self, metrics, registry):
        with pytest.raises(TimeoutError), metrics.dependency("ranking"):
            raise TimeoutError
        with metrics.dependency("ranking"):
            pass
        failed = {"dependency": "ranking", "error": "TimeoutError"}
        assert registry.get_sample_value("stylerec_dependency_failures_total", failed) == 1
        called = {"dependency": "ranking"}
        assert registry.get_sample_value("stylerec_dependency_seconds_count", called) == 2

    def test_one_release_is_served_at_a_time(self, metrics, registry):
        metrics.observe_release("first")
        metrics.observe_release("second")
        served = {
            release: registry.get_sample_value("stylerec_release_info", {"release": release})
            for release in ("first", "second")
        }
        assert served == {"first": 0, "second": 1}

    def test_counts_interactions(self, metrics, registry):
        metrics.observe_interactions([True, False, True])
        value = registry.get_sample_value
        assert value("stylerec_interactions_total", {"outcome": "accepted"}) == 2
        assert value("stylerec_interactions_total", {"outcome": "duplicate"}) == 1
