"""Time left for a request, and waiting no longer than that for a dependency."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Deadline:
    """When a request must be answered, on the event loop's clock.

    Attributes:
        expires_s: Moment on `asyncio`'s monotonic clock.
        reserve_s: Kept free at the end for what needs no dependency.
    """

    expires_s: float
    reserve_s: float

    def budget_s(self, budget_ms: int) -> float:
        """Returns how long a dependency may take: its budget, or less if less is left."""
        left = self.expires_s - asyncio.get_running_loop().time() - self.reserve_s
        return min(budget_ms / 1_000, left)


async def bounded(work: Coroutine[Any, Any, _Result], timeout_s: float) -> _Result:
    """Returns what `work` returns; after `timeout_s` it is cancelled and not waited for.

    Unlike `asyncio.timeout`, a dependency that ignores its cancellation cannot hold the request.

    Raises:
        TimeoutError: It took longer.
    """
    task = asyncio.ensure_future(work)
    try:
        return await awaited(task, timeout_s)
    finally:
        abandon(task)


async def awaited(task: "asyncio.Future[_Result]", timeout_s: float) -> _Result:
    """Returns the result of a task that others may be waiting for too; never cancels it.

    Raises:
        TimeoutError: It took longer.
    """
    done, _ = await asyncio.wait({task}, timeout=max(0.0, timeout_s))
    if not done:
        raise TimeoutError
    if task.cancelled():
        # Whoever runs the dependency gave up on it; this request goes on.
        raise ConnectionError("the call was cancelled")
    return task.result()


def abandon(task: "asyncio.Future[Any]") -> None:
    """Cancels a task and sees to it that its late error is not reported as unhandled."""
    if not task.done():
        task.cancel()
    task.add_done_callback(_take_error)


def _take_error(task: "asyncio.Future[Any]") -> None:
    if not task.cancelled():
        task.exception()
