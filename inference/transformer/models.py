"""The two KServe models: `recommender` answers requests, `interactions` takes events in."""

import time
from abc import abstractmethod
from typing import Any

import orjson
from kserve import InferRequest, InferResponse, Model
from kserve.errors import InvalidInput, ModelNotReady
from kserve.model import InferenceVerb

from inference.transformer.history_store import FeatureStoreUnavailableError, HistoryStore
from inference.transformer.interactions import parse_interactions
from inference.transformer.metrics import FEATURE_STORE, Metrics
from inference.transformer.open_inference import (
    INPUT_TYPES,
    OUTPUT_TYPES,
    instances_of,
    response_of,
)
from inference.transformer.release_watcher import ReleaseSlot
from stylerec.errors import RequestError

INTERACTIONS_MODEL = "interactions"

Body = dict[str, Any]


class InvalidRequestError(InvalidInput):
    """A wrong request: HTTP 400 that names the field, INVALID_ARGUMENT in gRPC."""

    def __init__(self, error: RequestError) -> None:
        super().__init__(str(error))
        self.field = error.where


class UnavailableError(ModelNotReady):
    """What a request needs is not there now: HTTP 503, UNAVAILABLE in gRPC."""


class JsonModel(Model):
    """A KServe model that takes and gives JSON instances over V1 and V2.

    Args:
        name: Model name in the address.
        metrics: Told about rejected requests.
    """

    def __init__(self, name: str, metrics: Metrics) -> None:
        super().__init__(name)
        self._metrics = metrics
        # Registered and answering; whether it is ready is asked of `Readiness`.
        self.ready = True

    async def __call__(
        self,
        body: Body | InferRequest | bytes,
        headers: dict[str, str] | None = None,
        verb: InferenceVerb = InferenceVerb.PREDICT,
    ) -> tuple[Body | InferResponse, dict[str, str]]:
        """Returns the response to a decoded V1 or V2 request, and no headers of its own."""
        if verb != InferenceVerb.PREDICT:
            raise NotImplementedError("only predict is offered")
        try:
            if isinstance(body, InferRequest):
                response = await self.answer({"instances": instances_of(body)})
                return response_of(body, response["predictions"]), {}
            # KServe leaves a body of an unknown content type (curl's default) undecoded.
            payload = _decoded(body) if isinstance(body, bytes) else body
            return await self.answer(payload), {}
        except RequestError as error:
            self._metrics.observe_rejection(self.name)
            raise InvalidRequestError(error) from error

    @abstractmethod
    async def answer(self, payload: object) -> Body:
        """Returns the V1 response to a decoded V1 body.

        Raises:
            RequestError: The body is wrong.
            UnavailableError: Something needed is not there now.
        """

    def get_input_types(self) -> list[dict[str, Any]]:
        """Returns the V2 inputs."""
        return INPUT_TYPES

    def get_output_types(self) -> list[dict[str, Any]]:
        """Returns the V2 outputs."""
        return OUTPUT_TYPES


class RecommenderModel(JsonModel):
    """Answers from the release in the slot; needs neither Triton nor Feast for a lower rung."""

    def __init__(self, name: str, *, slot: ReleaseSlot, metrics: Metrics) -> None:
        super().__init__(name, metrics)
        self._slot = slot

    async def answer(self, payload: object) -> Body:
        """Returns one prediction per instance; see `JsonModel.answer`."""
        started = time.perf_counter()
        recommender = self._slot.current
        if recommender is None:
            raise UnavailableError(self.name, self._slot.why_empty)
        answers = await recommender.recommend(recommender.parse(payload))
        self._metrics.observe_answers(answers, time.perf_counter() - started)
        return {"predictions": answers}


class InteractionsModel(JsonModel):
    """Stores interactions, so that the customer's next request sees them."""

    def __init__(self, *, histories: HistoryStore, timeout_s: float, metrics: Metrics) -> None:
        super().__init__(INTERACTIONS_MODEL, metrics)
        self._histories, self._timeout_s = histories, timeout_s

    async def answer(self, payload: object) -> Body:
        """Returns per instance whether it was `accepted` or a `duplicate`, and the counts."""
        interactions = parse_interactions(payload, now_s=time.time())
        try:
            with self._metrics.dependency(FEATURE_STORE):
                is_new = await self._histories.push(interactions, self._timeout_s)
        except (TimeoutError, FeatureStoreUnavailableError) as error:
            raise UnavailableError(
                self.name, f"The feature store does not answer ({type(error).__name__}); send again"
            ) from error
        self._metrics.observe_interactions(is_new)
        return {
            "predictions": [{"status": "accepted" if new else "duplicate"} for new in is_new],
            "accepted": sum(is_new),
            "duplicates": len(is_new) - sum(is_new),
        }


def _decoded(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(
            "body", expected="JSON", got=error.msg, fix='send {"instances": [...]}'
        ) from error
