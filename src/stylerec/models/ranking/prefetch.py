"""Makes a training step's inputs while the step before runs."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Element = TypeVar("Element")
_AHEAD = 2


def prefetched(elements: Iterator[Element]) -> Generator[Element]:
    """Yields the same elements in the same order, taken ahead of time in a thread of their own.

    What taking an element raises is raised here. Closing this waits for the elements under way.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        done = object()
        ahead: deque[Future[Element | object]] = deque(
            pool.submit(next, elements, done) for _ in range(_AHEAD)
        )
        while (element := ahead.popleft().result()) is not done:
            ahead.append(pool.submit(next, elements, done))
            yield element  # type: ignore[misc]
