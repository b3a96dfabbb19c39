import threading
from collections.abc import Iterator

import pytest

from stylerec.models.ranking.prefetch import prefetched


def counting(taken: list[int], *, fails_at: int = -1) -> Iterator[int]:
    for number in range(6):
        if number == fails_at:
            raise ValueError("no more")
        taken.append(number)
        yield number


class TestPrefetched:
    def test_yields_the_same_in_the_same_order(self) -> None:
        assert list(prefetched(counting([]))) == [0, 1, 2, 3, 4, 5]
        assert list(prefetched(iter([None, None]))) == [None, None]
        assert list(prefetched(iter(()))) == []

    def test_takes_elements_before_they_are_asked_for(self) -> None:
        is_taken = threading.Event()

        def elements() -> Iterator[int]:
            yield 0
            is_taken.set()
            yield 1

        found = prefetched(elements())
        assert next(found) == 0
        assert is_taken.wait(timeout=10)
        found.close()

    def test_takes_only_a_few_ahead_and_stops_when_closed(self) -> None:
        taken: list[int] = []
        found = prefetched(counting(taken))
        next(found)
        found.close()
        assert taken == [0, 1, 2]
        assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]

    def test_raises_what_the_source_raised_after_what_came_before(self) -> None:
        found = prefetched(counting([], fails_at=2))
        assert [next(found), next(found)] == [0, 1]
        with pytest.raises(ValueError, match="no more"):
            next(found)
