"""KServe's REST server on a socket of our own, with errors as JSON that names the field."""

import logging
import signal
import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady, ServerNotReady
from kserve.protocol.rest.server import RESTServer
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from inference.transformer.body_limit import BodyLimit
from inference.transformer.data_plane import FixedModels, RoutingDataPlane

logger = logging.getLogger(__name__)

ANSWERING_PATH = "/health/answering"
"""200 once a release is loaded: then every request is answered, whatever else is gone."""
MAX_BODY_BYTES = 16 * 1024 * 1024
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# FastAPI tries the tensors' JSON form and then raw bytes, and puts these into a fault's place.
_UNION_MEMBERS = ("InferenceRequest", "bytes", "body")


class RoutingRestServer(RESTServer):
    """V1 and V2 REST on an already bound socket.

    Args:
        data_plane: What answers.
        listener: Bound and listening.
        grace_period_s: How long requests in flight may take after a stop signal.
    """

    def __init__(
        self, data_plane: RoutingDataPlane, *, listener: socket.socket, grace_period_s: int
    ) -> None:
        super().__init__(
            "kserve.model_server:app",
            data_plane,
            FixedModels(data_plane.model_registry),
            listener.getsockname()[1],
            grace_period=grace_period_s,
        )
        # One line per request costs a third of a small request's time.
        self.config.access_log = False
        self._listener = listener

    async def start(self) -> None:
        """Serves until a stop signal; returns when the requests in flight are answered."""
        self.create_application()
        for stop in _STOP_SIGNALS:
            # Uvicorn raises the signal that ended it again, when the rest is still to be stopped.
            signal.signal(stop, lambda *_: None)
        await self._server.serve(sockets=[self._listener])

    def _register_endpoints(self, app: FastAPI) -> None:
        super()._register_endpoints(app)
        app.add_api_route(ANSWERING_PATH, self._answering)

    async def _answering(self) -> JSONResponse:
        readiness = self.dataplane.readiness
        return JSONResponse(
            {"answering": readiness.is_answering},
            HTTPStatus.OK if readiness.is_answering else HTTPStatus.SERVICE_UNAVAILABLE,
        )

    def _add_middlewares(self, app: FastAPI) -> None:
        # KServe's own would write a timing line per request.
        app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES)

    def _add_exception_handlers(self, app: FastAPI) -> None:
        super()._add_exception_handlers(app)
        for kind, status in (
            (InvalidInput, HTTPStatus.BAD_REQUEST),
            (ModelNotFound, HTTPStatus.NOT_FOUND),
            (ModelNotReady, HTTPStatus.SERVICE_UNAVAILABLE),
            (ServerNotReady, HTTPStatus.SERVICE_UNAVAILABLE),
            (NotImplementedError, HTTPStatus.BAD_REQUEST),
        ):
            app.add_exception_handler(kind, self._handler(status))
        app.add_exception_handler(RequestValidationError, _wrong_body)
        app.add_exception_handler(HTTPException, _http_error)
        app.add_exception_handler(ClientDisconnect, _left)
        app.add_exception_handler(Exception, _bug)

    def _handler(
        self, status: HTTPStatus
    ) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
        async def handle(_: Request, error: Exception) -> JSONResponse:
            content: dict[str, Any] = {"error": _encodable(str(error))}
            if field := getattr(error, "field", None):
                content["field"] = _encodable(field)
            if isinstance(error, ModelNotReady | ServerNotReady):
                content["faults"] = self.dataplane.readiness.faults
            return JSONResponse(content, status_code=status)

        return handle


async def _wrong_body(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    places = [str(place) for place in first["loc"] if place not in _UNION_MEMBERS]
    field = _encodable(".".join(places) or "body")
    fix = "send an Open Inference Protocol request"
    content = {"error": f"{field}: {first['msg']}; {fix}", "field": field}
    return JSONResponse(content, status_code=HTTPStatus.BAD_REQUEST)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, status_code=error.status_code)


async def _left(_: Request, __: Exception) -> JSONResponse:
    # Nobody reads it; without it each caller that gives up leaves a trace in the log.
    return JSONResponse({"error": "body: broke off"}, HTTPStatus.BAD_REQUEST)


async def _bug(_: Request, __: Exception) -> JSONResponse:
    # Uvicorn logs it; the caller learns nothing of the inside.
    return JSONResponse({"error": "internal error"}, HTTPStatus.INTERNAL_SERVER_ERROR)


def _encodable(text: str) -> str:
    """Returns the text with what no encoder takes, such as half a surrogate pair, escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
