"""An ASGI middleware that stops reading a body once it is larger than any honest one."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from inference.transformer.models import InvalidRequestError
from stylerec.errors import RequestError

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]


class BodyLimit:
    """Refuses bodies of more than `max_bytes`, however they are sent."""

    def __init__(self, app: _App, *, max_bytes: int) -> None:
        self._app, self._max_bytes = app, max_bytes

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Passes the request on with a counting `receive`."""
        num_received = 0

        async def counted() -> _Message:
            nonlocal num_received
            message = await receive()
            num_received += len(message.get("body", b""))
            if num_received > self._max_bytes:
                raise InvalidRequestError(
                    RequestError(
                        "body",
                        expected=f"at most {self._max_bytes} bytes",
                        got="more",
                        fix="split it over several calls",
                    )
                )
            return message

        await self._app(scope, counted, send)
