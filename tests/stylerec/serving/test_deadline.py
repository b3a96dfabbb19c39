import asyncio

import pytest

from stylerec.serving.deadline import Deadline, abandon, awaited, bounded


async def returned(value: int, delay_s: float = 0.0) -> int:
    await asyncio.sleep(delay_s)
    return value


class TestDeadline:
    def test_gives_the_budget_or_what_is_left_before_the_reserve(self) -> None:
        async def budgets() -> list[float]:
            now = asyncio.get_running_loop().time()
            deadline = Deadline(expires_s=now + 10.0, reserve_s=1.0)
            return [deadline.budget_s(50), deadline.budget_s(50_000)]

        short, long = asyncio.run(budgets())
        assert short == 0.050
        assert long == pytest.approx(10.0 - 1.0, abs=0.5)


class TestBounded:
    def test_returns_the_result(self) -> None:
        assert asyncio.run(bounded(returned(3), 1.0)) == 3

    def test_raises_what_the_work_raises(self) -> None:
        async def fails() -> None:
            raise OSError("refused")

        with pytest.raises(OSError, match="refused"):
            asyncio.run(bounded(fails(), 1.0))

    def test_cancels_what_takes_too_long(self) -> None:
        cancelled = []

        async def hangs() -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

        async def run() -> None:
            with pytest.raises(TimeoutError):
                await bounded(hangs(), 0.01)
            await asyncio.sleep(0)

        asyncio.run(run())
        assert cancelled == [True]

    def test_does_not_wait_for_work_that_ignores_its_cancellation(self) -> None:
        async def stubborn() -> None:
            for _ in range(2):
                try:
                    await asyncio.sleep(3.0)
                except asyncio.CancelledError:
                    continue

        async def run() -> float:
            loop = asyncio.get_running_loop()
            start = loop.time()
            with pytest.raises(TimeoutError):
                await bounded(stubborn(), 0.02)
            return loop.time() - start

        assert asyncio.run(run()) < 2.5

    def test_cancels_the_work_when_the_caller_goes_away(self) -> None:
        async def run() -> bool:
            work = asyncio.Event()

            async def hangs() -> None:
                try:
                    await asyncio.sleep(60)
                finally:
                    work.set()

            caller = asyncio.create_task(bounded(hangs(), 60))
            await asyncio.sleep(0.01)
            caller.cancel()
            await asyncio.wait_for(work.wait(), 1)
            return caller.cancelled() or caller.cancelling() > 0

        assert asyncio.run(run())


class TestAwaited:
    def test_leaves_a_shared_task_running(self) -> None:
        async def run() -> int:
            task = asyncio.create_task(returned(5, 0.3))
            with pytest.raises(TimeoutError):
                await awaited(task, 0.001)
            return await awaited(task, 10.0)

        assert asyncio.run(run()) == 5

    def test_a_dependency_that_cancels_itself_is_an_error_like_any_other(self) -> None:
        async def gives_up() -> None:
            raise asyncio.CancelledError

        async def run() -> None:
            await bounded(gives_up(), 1.0)

        with pytest.raises(ConnectionError):
            asyncio.run(run())


class TestAbandon:
    def test_a_late_error_is_not_reported(self) -> None:
        reported: list[object] = []

        async def fails_late() -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise OSError("late") from None

        async def run() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: reported.append(context))
            task = asyncio.create_task(fails_late())
            await asyncio.sleep(0)
            abandon(task)
            del task
            await asyncio.sleep(0.01)

        asyncio.run(run())
        assert reported == []
