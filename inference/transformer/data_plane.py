"""KServe's data plane with the project's readiness, and with every wrong body told as wrong."""

import struct
from typing import Any

from kserve.errors import InferenceError, InvalidInput
from kserve.model import BaseKServeModel
from kserve.model_repository import ModelRepository
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.model_repository_extension import ModelRepositoryExtension

from inference.transformer.models import INTERACTIONS_MODEL, InvalidRequestError
from inference.transformer.open_inference import check_binary_request, json_request_of
from inference.transformer.readiness import Readiness
from stylerec.errors import RequestError

_JSON_LENGTH_HEADER = "inference-header-content-length"
# KServe reads a binary request's header and tensors without checks.
_DECODING_ERRORS = (
    AttributeError,
    InferenceError,
    LookupError,
    TypeError,
    ValueError,
    struct.error,
)


class RoutingDataPlane(DataPlane):
    """Keeps predicting while it is not ready, as the lower rungs need no dependency.

    Args:
        models: Registered models.
        readiness: Asked by every readiness probe.
    """

    def __init__(self, models: ModelRepository, readiness: Readiness) -> None:
        super().__init__(model_registry=models)
        self.readiness = readiness

    def metadata(self) -> dict[str, Any]:
        """Returns the server's metadata; loading and unloading over the wire is not offered."""
        return {**super().metadata(), "extensions": []}

    async def ready(self) -> bool:
        """Returns whether release, Triton and feature store are all usable."""
        return await self.readiness.is_ready()

    async def model_ready(
        self, model_name: str, disable_predictor_health_check: bool = False
    ) -> bool:
        """Returns whether a model is ready, or, before a prediction, whether it exists.

        KServe asks with `disable_predictor_health_check` before each prediction, and without it
        for readiness probes.

        Raises:
            ModelNotFound: There is no such model.
        """
        self.get_model_from_registry(model_name)
        if disable_predictor_health_check:
            return True
        if model_name == INTERACTIONS_MODEL:
            return await self.readiness.is_store_ready()
        return await self.readiness.is_ready()

    async def get_model(self, name: str) -> BaseKServeModel:
        """Returns a model without asking whether it is ready.

        Raises:
            ModelNotFound: There is no such model.
        """
        return self.get_model_from_registry(name)

    def decode(
        self,
        body: object,
        headers: dict[str, str],
        protocol_version: str = "v1",
        model_name: str | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Returns the decoded request and its CloudEvent attributes.

        Raises:
            InvalidInput: The body cannot be decoded, whatever is wrong with it.
        """
        try:
            if protocol_version == "v2" and isinstance(body, bytes):
                if _JSON_LENGTH_HEADER not in headers:
                    # Plain JSON under another content type, such as curl's default.
                    body = json_request_of(body)
                else:
                    check_binary_request(body, headers[_JSON_LENGTH_HEADER])
            decoded, attributes = super().decode(body, headers, protocol_version, model_name)
        except InvalidInput:
            raise
        except RequestError as error:
            raise InvalidRequestError(error) from error
        except _DECODING_ERRORS as error:
            detail = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InvalidInput(
                f"body: expected a {protocol_version} request, got {detail}"
            ) from error
        return decoded, attributes


class FixedModels(ModelRepositoryExtension):
    """Refuses to load and unload over the wire: what is served is the release pointer's affair."""

    async def load(self, model_name: str) -> None:
        """Refuses.

        Raises:
            InvalidInput: Always.
        """
        raise InvalidInput(f"{model_name}: models are changed by publishing a release")

    async def unload(self, model_name: str) -> None:
        """Refuses.

        Raises:
            InvalidInput: Always.
        """
        await self.load(model_name)
