"""Prometheus metrics of the routing transformer, on KServe's `/metrics` beside its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from stylerec.serving.answers import Answer

FEATURE_STORE = "feature_store"
_LATENCY_BUCKETS = (
    0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15,
    0.2, 0.25, 0.5, 1.0, 2.5,
)  # fmt: skip
_AGE_BUCKETS = (1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000, 7_776_000)
_NO_RUNG = "none"


class Metrics:
    """One set of metrics; one per registry.

    Args:
        registry: Where they are registered; KServe serves the default one.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._served_release: str | None = None
        self._answers = Counter(
            "stylerec_answers",
            "Answers by touchpoint, by the rung that ranked and whether it was the first choice",
            ["touchpoint", "rung", "is_primary"],
            registry=registry,
        )
        self._latency = Histogram(
            "stylerec_answer_seconds",
            "Time from the parsed call to its answers, per instance",
            ["touchpoint"],
            buckets=_LATENCY_BUCKETS,
            registry=registry,
        )
        self._skipped = Counter(
            "stylerec_skipped_rungs",
            "Better rungs that did not rank, with the reason",
            ["touchpoint", "rung", "reason"],
            registry=registry,
        )
        self._history_age = Histogram(
            "stylerec_history_age_seconds",
            "Age of the histories that were read",
            buckets=_AGE_BUCKETS,
            registry=registry,
        )
        self._dependency_seconds = Histogram(
            "stylerec_dependency_seconds",
            "Calls to the feature store and to each Triton model",
            ["dependency"],
            buckets=_LATENCY_BUCKETS,
            registry=registry,
        )
        self._dependency_failures = Counter(
            "stylerec_dependency_failures",
            "Calls that failed or were given up at the end of their budget",
            ["dependency", "error"],
            registry=registry,
        )
        self._rejected = Counter(
            "stylerec_rejected_requests",
            "Calls answered with a 400 (INVALID_ARGUMENT in gRPC)",
            ["model"],
            registry=registry,
        )
        self.invalid_histories = Counter(
            "stylerec_invalid_histories",
            "Stored histories that could not be used",
            registry=registry,
        )
        self._interactions = Counter(
            "stylerec_interactions",
            "Posted interactions, accepted or repeated",
            ["outcome"],
            registry=registry,
        )
        self._release = Gauge(
            "stylerec_release_info",
            "1 for the release being served",
            ["release"],
            registry=registry,
        )
        self.release_failures = Counter(
            "stylerec_release_failures",
            "Attempts to take up a release that failed; the one before stayed",
            registry=registry,
        )
        self._ready = Gauge(
            "stylerec_ready", "Whether a part was usable when last asked", ["part"],
            registry=registry,
        )  # fmt: skip

    def observe_answers(self, answers: list[Answer], seconds: float) -> None:
        """Counts the answers of one call that took `seconds`."""
        for answer in answers:
            touchpoint = answer["touchpoint"]
            is_primary = str(answer["served_by"] == "primary").lower()
            self._answers.labels(touchpoint, answer["model"] or _NO_RUNG, is_primary).inc()
            self._latency.labels(touchpoint).observe(seconds)
            for rung, reason in answer["skipped"].items():
                self._skipped.labels(touchpoint, rung, reason).inc()
            if answer["history_age_s"] is not None:
                self._history_age.observe(answer["history_age_s"])

    def observe_interactions(self, is_new: list[bool]) -> None:
        """Counts posted interactions."""
        self._interactions.labels("accepted").inc(sum(is_new))
        self._interactions.labels("duplicate").inc(len(is_new) - sum(is_new))

    def observe_rejection(self, model: str) -> None:
        """Counts a call that was wrong."""
        self._rejected.labels(model).inc()

    def observe_release(self, release_id: str) -> None:
        """Names the release that is served from now on."""
        if self._served_release is not None:
            self._release.labels(self._served_release).set(0)
        self._release.labels(release_id).set(1)
        self._served_release = release_id

    def observe_readiness(self, parts: Mapping[str, bool]) -> None:
        """Sets what was usable when last asked."""
        for part, is_usable in parts.items():
            self._ready.labels(part).set(is_usable)

    @contextmanager
    def dependency(self, name: str) -> Iterator[None]:
        """Times a call to a dependency and counts its failure, a cancellation included."""
        started = perf_counter()
        try:
            yield
        except BaseException as error:
            self._dependency_failures.labels(name, type(error).__name__).inc()
            raise
        finally:
            self._dependency_seconds.labels(name).observe(perf_counter() - started)
