"""The scorer and the history reader that a recommender is given: the real ones, measured."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from inference.transformer.metrics import FEATURE_STORE, Metrics
from stylerec.serving.history import CustomerHistory, HistoryReader
from stylerec.serving.scoring import Scorer


class MeteredScorer:
    """A `Scorer` whose calls are timed and whose failures are counted."""

    def __init__(self, scorer: Scorer, metrics: Metrics) -> None:
        self._scorer, self._metrics = scorer, metrics

    async def score(
        self, model: str, version: int, inputs: dict[str, NDArray[Any]], timeout_s: float
    ) -> dict[str, NDArray[Any]]:
        """Returns the model's outputs; see `TritonClient.score`."""
        with self._metrics.dependency(model):
            return await self._scorer.score(model, version, inputs, timeout_s)


class MeteredHistoryReader:
    """A `HistoryReader` whose calls are timed and whose failures are counted."""

    def __init__(self, reader: HistoryReader, metrics: Metrics) -> None:
        self._reader, self._metrics = reader, metrics

    async def read(
        self, customer_ids: Sequence[str], timeout_s: float
    ) -> dict[str, CustomerHistory]:
        """Returns the customers that are known; see `HistoryStore.read`."""
        with self._metrics.dependency(FEATURE_STORE):
            return await self._reader.read(customer_ids, timeout_s)
