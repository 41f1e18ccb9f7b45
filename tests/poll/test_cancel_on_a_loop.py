"""`cancel()` on the thread of an event loop: it does not wait for the rate limit, but goes on in the background."""

from __future__ import annotations

import asyncio
import threading
from math import inf
from typing import Any

import pytest
from support import PATIENCE, DuckDelegate, HeardLogger, InThread, said

from more_executors import Executors, PollExecutor, SyncExecutor
from more_executors._runtime import watched
from more_executors.rate_limit import RateLimit, Throttled

NEVER = 3600.0


@pytest.fixture(autouse=True)
def nothing_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "SLOW_SECONDS", inf)


def wait_for_nothing(descriptors: list[Any]) -> float:
    return NEVER


class Clock:
    """Stands until the test moves it. Who waits for the limit asks again at once, then."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class WatchedLimit(RateLimit):
    """A limit of one call in 100 s, of which none is left; `waits` notes on which threads somebody waited for it."""

    def __init__(self) -> None:
        self.clock_of_test = Clock()
        super().__init__(1, per=100.0, clock=self.clock_of_test)
        assert super().take(0)
        self.waiting = threading.Semaphore(0)
        self.waits: list[threading.Thread] = []
        self._go_on = threading.Event()

    def take(self, timeout: float | None = None) -> bool:
        if timeout == 0:
            return super().take(0)
        self.waits.append(threading.current_thread())
        self.waiting.release()
        assert self._go_on.wait(PATIENCE)
        return True

    def let_all_go(self) -> None:
        self._go_on.set()


@pytest.mark.parametrize("kind", ["one", "many", "one async", "many async"])
def test_it_says_no_and_goes_on_in_the_background(kind: str) -> None:
    limit, asked, ended = WatchedLimit(), list[Any](), threading.Event()

    async def one(result: Any) -> bool:
        asked.append(result)
        return True

    async def many(results: list[Any]) -> list[bool]:
        asked.extend(results)
        return [True for _ in results]

    options: dict[str, Any] = {
        "one": {"cancel_fn": lambda result: asked.append(result) is None},
        "many": {"cancel_many_fn": lambda results: asked.extend(results) or [True for _ in results]},
        "one async": {"cancel_fn": one},
        "many async": {"cancel_many_fn": many},
    }[kind]
    executor = PollExecutor(SyncExecutor(), wait_for_nothing, rate_limit=limit, **options)
    future = executor.adopt("key")
    future.add_done_callback(lambda _: ended.set())

    async def cancel() -> bool:
        return future.cancel()

    assert asyncio.run(cancel()) is False
    assert not future.done()
    assert limit.waiting.acquire(timeout=PATIENCE)
    assert asked == []
    assert threading.current_thread() not in limit.waits
    limit.let_all_go()
    assert ended.wait(PATIENCE)
    assert future.cancelled()
    assert asked == ["key"]
    executor.shutdown()


@pytest.mark.parametrize("kind", ["one", "many"])
def test_with_a_call_to_spare_it_asks_at_once(kind: str) -> None:
    options: dict[str, Any] = {
        "one": {"cancel_fn": lambda result: result == "yes"},
        "many": {"cancel_many_fn": lambda results: [result == "yes" for result in results]},
    }[kind]
    with PollExecutor(SyncExecutor(), wait_for_nothing, rate_limit=RateLimit(1, burst=100), **options) as executor:
        yes, no = executor.adopt_many(["yes", "no"])

        async def cancel() -> list[bool]:
            return [yes.cancel(), no.cancel()]

        assert asyncio.run(cancel()) == [True, False]
        assert (yes.cancelled(), no.done()) == (True, False)
        no.set_result(None)


def test_an_executor_that_is_shut_down_waits_for_what_goes_on_in_the_background() -> None:
    limit, asked = WatchedLimit(), list[Any]()
    executor = PollExecutor(
        SyncExecutor(), wait_for_nothing, lambda result: asked.append(result) is None, rate_limit=limit
    )
    futures = executor.adopt_many(range(3))

    async def cancel() -> list[bool]:
        return [future.cancel() for future in futures]

    assert asyncio.run(cancel()) == [False] * 3
    shutting_down = InThread(executor.shutdown)
    assert limit.waiting.acquire(timeout=PATIENCE)
    assert shutting_down.is_alive()
    limit.let_all_go()
    shutting_down.outcome()
    assert [future.cancelled() for future in futures] == [True] * 3
    assert sorted(asked) == [0, 1, 2]


def test_it_does_not_wait_for_the_answer_that_another_thread_waits_for() -> None:
    limit, logger = WatchedLimit(), HeardLogger()
    executor = PollExecutor(SyncExecutor(), wait_for_nothing, lambda result: True, rate_limit=limit, logger=logger)
    future = executor.adopt("key")
    other = InThread(future.cancel)
    assert limit.waiting.acquire(timeout=PATIENCE)

    async def cancel() -> bool:
        return future.cancel()

    assert InThread(asyncio.run, cancel()).outcome() is False
    limit.let_all_go()
    assert other.outcome() is True
    assert not logger.lines
    executor.shutdown()


def test_what_is_throttled_on_a_loop_is_refused_for_one_and_tried_again_for_many() -> None:
    throttled = [Throttled(0)]

    def cancel_many(results: list[Any]) -> list[bool]:
        if throttled:
            raise throttled.pop()
        return [True for _ in results]

    limit = RateLimit(1000, burst=100)
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel_many_fn=cancel_many, rate_limit=limit) as executor:
        future = executor.adopt("key")

        async def cancel() -> bool:
            return future.cancel()

        assert asyncio.run(cancel()) is False
    assert future.cancelled()


def test_a_task_of_asyncio_that_is_cancelled_cancels_the_remote_one_in_the_background() -> None:
    limit, ended = WatchedLimit(), threading.Event()

    def cancel(result: Any) -> bool:
        ended.set()
        return True

    executor = Executors.sync().with_poll(wait_for_nothing, cancel, rate_limit=limit)

    async def give_up() -> None:
        awaitable = executor.with_asyncio().submit(str, "key")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(awaitable, 0.001)

    asyncio.run(give_up())
    assert not ended.is_set()
    limit.let_all_go()
    assert ended.wait(PATIENCE)
    executor.shutdown()


def test_an_async_poll_function_with_a_plain_cancel_fn_does_not_block_its_own_loop() -> None:
    limit, answers = WatchedLimit(), list[Any]()

    async def poll(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            if descriptor.result == "other":
                answers.append(futures[0].cancel())
                descriptor.yield_result()
        return NEVER

    limit.try_take = lambda: 0.0  # type: ignore[method-assign]  # polls may go
    futures: list[Any] = []
    with PollExecutor(SyncExecutor(), poll, lambda result: True, rate_limit=limit) as executor:
        futures.append(executor.adopt("key"))
        assert said(executor.adopt("other")) is None
        assert answers == [False]
        limit.let_all_go()
    assert futures[0].cancelled()
    del limit.try_take


def test_away_from_a_loop_it_waits_as_ever() -> None:
    limit = WatchedLimit()
    with PollExecutor(SyncExecutor(), wait_for_nothing, lambda result: True, rate_limit=limit) as executor:
        future = executor.adopt("key")
        cancelling = InThread(future.cancel)
        assert limit.waiting.acquire(timeout=PATIENCE)
        assert cancelling.is_alive()
        limit.let_all_go()
        assert cancelling.outcome() is True


@pytest.mark.parametrize("function", ["cancel_fn", "cancel_many_fn"])
def test_a_cancel_when_the_loop_has_ended_is_a_no_and_no_error(function: str) -> None:
    async def cancel(result: Any) -> Any:
        return True

    logger = HeardLogger()
    options: dict[str, Any] = {function: cancel}
    executor = PollExecutor(SyncExecutor(), wait_for_nothing, logger=logger, **options)
    ask = executor._engine.cancels.one
    assert ask is not None
    executor.shutdown()
    assert ask("key") is False
    assert not logger.lines


def test_the_time_in_line_of_those_who_are_cancelled_together_begins_when_each_is_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ahead: list[int] = []
    waiting: list[None] = []
    limit = RateLimit(1000)
    take = limit.take

    def watched(timeout: float | None = None) -> bool:
        if timeout == 0:  # who does not wait
            return take(timeout)
        ahead.append(len(waiting))
        waiting.append(None)
        try:
            return take(timeout)
        finally:
            waiting.pop()

    monkeypatch.setattr(limit, "take", watched)
    with PollExecutor(SyncExecutor(), wait_for_nothing, lambda result: True, rate_limit=limit, max_concurrency=8) as e:
        e.adopt_many(range(50))
        assert e.cancel_all() == 50
    assert 1 < len(ahead) <= 50
    assert set(ahead) == {0}


def test_of_those_who_wait_on_the_loop_one_at_a_time_stands_in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    async def agree(result: Any) -> bool:
        return True

    limit, standing, most = RateLimit(1000), set[Any](), [0]
    succeeded = limit.succeeded
    told: list[float] = []

    def twice() -> float:
        """Each has to ask a second time."""
        task = asyncio.current_task()
        if task in standing:
            standing.discard(task)
            return 0.0
        standing.add(task)
        most.append(len(standing))
        return 0.001

    with monkeypatch.context() as patched:
        patched.setattr(limit, "try_take", twice)
        patched.setattr(limit, "succeeded", lambda began: (told.append(began), succeeded(began)))
        options: dict[str, Any] = {"rate_limit": limit, "max_concurrency": 8, "min_interval": 3600.0}
        with PollExecutor(SyncExecutor(), wait_for_nothing, agree, **options) as executor:
            patched.setattr(executor._engine.scheduler, "_acquire_permit", lambda: NEVER)
            executor.adopt_many(range(20))
            assert executor.cancel_all() == 20
    assert max(most) == 1
    assert len(told) == 20, "the limit is told how it went"


def test_what_goes_on_in_the_background_is_waited_for_although_the_future_is_done() -> None:
    limit, delegate = WatchedLimit(), DuckDelegate()
    executor = PollExecutor(delegate, wait_for_nothing, lambda result: True, rate_limit=limit)
    future = executor.adopt("key")

    async def cancel() -> bool:
        return future.cancel()

    assert asyncio.run(cancel()) is False
    assert limit.waiting.acquire(timeout=PATIENCE)
    future.set_result("done")
    executor.shutdown(wait=False)
    assert not executor._drained()
    assert delegate.shutdowns == []
    limit.let_all_go()
    delegate.wait_for_shutdown()
    executor._wait_until_drained()
