"""KServe's V2 gRPC service on one address, with our statuses."""

import logging
from typing import NoReturn

from grpc import StatusCode, aio
from grpc_interceptor import AsyncExceptionToStatusInterceptor
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc
from kserve.protocol.grpc.servicer import InferenceServicer

from inference.transformer.data_plane import FixedModels, RoutingDataPlane
from inference.transformer.rest_server import MAX_BODY_BYTES
from stylerec.errors import StackError

logger = logging.getLogger(__name__)

_STATUSES: tuple[tuple[type[Exception], StatusCode], ...] = (
    (InvalidInput, StatusCode.INVALID_ARGUMENT),
    (ModelNotFound, StatusCode.NOT_FOUND),
    (ModelNotReady, StatusCode.UNAVAILABLE),
    (NotImplementedError, StatusCode.UNIMPLEMENTED),
)


class StatusInterceptor(AsyncExceptionToStatusInterceptor):
    """Turns errors into gRPC statuses; only bugs are logged and become INTERNAL."""

    async def handle_exception(
        self,
        ex: Exception,
        request_or_iterator: object,
        context: aio.ServicerContext,
        method_name: str,
    ) -> NoReturn:
        """Ends the call with the error's status; never returns."""
        for kind, status in _STATUSES:
            if isinstance(ex, kind):
                await context.abort(status, str(ex))
        logger.error("gRPC %s failed", method_name, exc_info=ex)
        await context.abort(StatusCode.INTERNAL, "internal error")
        raise AssertionError("abort always raises")


def grpc_server(data_plane: RoutingDataPlane, *, host: str, port: int) -> aio.Server:
    """Returns a gRPC server, bound but not started; call it inside the event loop.

    Raises:
        StackError: The port is taken.
    """
    server = aio.server(
        interceptors=[StatusInterceptor()],
        options=[
            ("grpc.max_receive_message_length", MAX_BODY_BYTES),
            ("grpc.max_send_message_length", MAX_BODY_BYTES),
            # Without it two routers would share the port and each get half of the calls.
            ("grpc.so_reuseport", 0),
        ],
    )
    servicer = InferenceServicer(data_plane, FixedModels(data_plane.model_registry))
    grpc_predict_v2_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, server)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise StackError(
            f"grpc_port {port}",
            expected=f"a free port on {host}",
            got="one that is taken",
            fix="stop what listens there, or set STYLEREC_GRPC_PORT",
        ) from error
    return server
