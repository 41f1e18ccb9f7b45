"""Cancelling calls of an `async def`: those that wait, and those whose coroutine goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

import pytest
from async_support import AsyncStepped
from chains import until_running
from support import PATIENCE, InThread, Parking, SomeError, WatchedLocks, said

from more_executors import Executors, _core
from more_executors.futures import f_map


class Waiting:
    """An `async def` that waits until it is cancelled; then it does what `when_cancelled` says, which may take long."""

    def __init__(self, when_cancelled: Callable[[], Any] | None = None) -> None:
        self.begun = threading.Semaphore(0)
        self.cancelled = threading.Semaphore(0)
        self.asked = 0
        self._when_cancelled = when_cancelled

    async def __call__(self, value: Any = None) -> Any:
        self.begun.release()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.asked += 1
            self.cancelled.release()
            if self._when_cancelled is None:
                raise
            return await self._when_cancelled()

    def wait_until_begun(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.begun.acquire(timeout=PATIENCE)

    def wait_until_cancelled(self) -> None:
        assert self.cancelled.acquire(timeout=PATIENCE)


class Shutter:
    """Lets the coroutines go on that wait for it, when the test says so."""

    def __init__(self, ending: Any = None) -> None:
        self._open: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_reached = threading.Event()
        self._ending = ending

    async def __call__(self) -> Any:
        self._loop, self._open = asyncio.get_running_loop(), asyncio.Event()
        self._is_reached.set()
        await self._open.wait()
        if isinstance(self._ending, BaseException):
            raise self._ending
        return self._ending

    def open(self) -> None:
        assert self._is_reached.wait(PATIENCE)  # a coroutine says that it is cancelled before it comes here
        assert self._loop is not None
        assert self._open is not None
        self._loop.call_soon_threadsafe(self._open.set)


# -- that wait -------------------------------------------------------------------------------------------------------


def test_one_that_waits_for_its_turn_is_cancelled_at_once_and_never_begins() -> None:
    steps = AsyncStepped()
    with Executors.event_loop(max_concurrency=1) as executor:
        futures = [executor.submit(steps, n) for n in range(4)]
        call = steps.next()
        assert futures[1].cancel() is True
        assert futures[1].cancelled()
        assert futures[2].cancel() is True
        assert futures[1].cancel() is True
        call.end()
        last = steps.next()
        assert last.argument == 3
        last.end()


def test_on_the_loops_own_thread_one_that_waits_is_cancelled_at_once_too() -> None:
    async def cancel_the_other() -> bool:
        return other[0].cancel()

    other: list[Any] = []
    waiting = Waiting()
    with Executors.event_loop(max_concurrency=1) as executor:
        first = executor.submit(waiting)
        waiting.wait_until_begun()
        cancelling = executor.submit(cancel_the_other)
        other.append(executor.submit(waiting))
        assert first.cancel()
        assert cancelling.result(PATIENCE) is True
        assert other[0].cancelled()


# -- that go on ------------------------------------------------------------------------------------------------------


def test_a_coroutine_that_goes_on_is_cancelled_and_the_answer_is_that_it_ended_so() -> None:
    waiting = Waiting()
    with Executors.event_loop() as executor:
        future = executor.submit(waiting)
        waiting.wait_until_begun()
        assert future.running()
        assert future.cancel() is True
        assert future.cancelled()
        assert said(future) is CancelledError
        assert future.cancel() is True
    assert waiting.asked == 1


def test_the_answer_waits_for_what_the_coroutine_does_when_it_is_cancelled() -> None:
    # 1. A coroutine is cancelled, and has to clean up. 2. Who cancels waits. 3. The coroutine has cleaned up.
    shutter = Shutter(asyncio.CancelledError())
    waiting = Waiting(shutter)
    with Executors.event_loop() as executor:
        future = executor.submit(waiting)
        waiting.wait_until_begun()
        cancelling = InThread(future.cancel)  # 1
        waiting.wait_until_cancelled()
        assert executor.submit(asyncio.sleep, 0, "the loop goes on").result(PATIENCE) == "the loop goes on"
        assert cancelling.is_alive()  # 2
        assert not future.done()
        shutter.open()  # 3
        assert cancelling.outcome() is True
        assert future.cancelled()


@pytest.mark.parametrize("make", [str, SomeError])
def test_one_that_ends_otherwise_all_the_same_was_not_cancelled(make: Any) -> None:
    shutter = Shutter(make())
    waiting = Waiting(shutter)
    with Executors.event_loop() as executor:
        future = executor.submit(waiting)
        waiting.wait_until_begun()
        cancelling = InThread(future.cancel)
        waiting.wait_until_cancelled()
        shutter.open()
        assert cancelling.outcome() is False
        assert not future.cancelled()
        assert said(future) in ("", SomeError)


def test_others_who_cancel_meanwhile_share_the_answer_and_it_is_not_cancelled_again() -> None:
    # 1. Somebody cancels: the coroutine cleans up. 2. Two others cancel. 3. It has cleaned up.
    shutter = Shutter(asyncio.CancelledError())
    waiting = Waiting(shutter)
    with Executors.event_loop() as executor:
        future = executor.submit(waiting)
        waiting.wait_until_begun()
        threads = [InThread(future.cancel)]  # 1
        waiting.wait_until_cancelled()
        threads += [InThread(future.cancel), InThread(future.cancel)]  # 2
        executor.submit(asyncio.sleep, 0).result(PATIENCE)
        shutter.open()  # 3
        assert [thread.outcome() for thread in threads] == [True] * 3
    assert waiting.asked == 1


@pytest.mark.skipif(not hasattr(asyncio.Task, "uncancel"), reason="since Python 3.11")
def test_one_that_took_it_back_can_be_cancelled_again() -> None:
    async def stubborn() -> None:
        try:
            begun.release()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            task: Any = asyncio.current_task()
            task.uncancel()
            begun.release()
            await asyncio.Event().wait()

    begun = threading.Semaphore(0)
    with Executors.event_loop() as executor:
        future = executor.submit(stubborn)
        assert begun.acquire(timeout=PATIENCE)
        first = InThread(future.cancel)
        assert begun.acquire(timeout=PATIENCE)
        assert not future.done()
        assert future.cancel() is True
        assert first.outcome() is True


def test_one_that_has_been_submitted_but_not_made_its_first_step_never_makes_it() -> None:
    # 1. The loop is busy. 2. A call is submitted, and cancelled on another thread. 3. The loop comes to it.
    busy = Parking()
    steps = AsyncStepped()

    async def block() -> None:
        busy()

    with Executors.event_loop() as executor:
        executor.submit(block)
        busy.wait_for_one()  # 1
        future = executor.submit(steps, 1)
        assert future.cancel() is True  # 2
        busy.let_go()  # 3
    assert steps.unasked() == 0


# -- on the thread of a loop -----------------------------------------------------------------------------------------


def test_on_the_loops_own_thread_the_answer_is_no_for_now_and_the_coroutine_is_cancelled() -> None:
    async def cancel_the_other() -> bool:
        return other.cancel()

    waiting = Waiting()
    with Executors.event_loop() as executor:
        other = executor.submit(waiting)
        waiting.wait_until_begun()
        assert executor.submit(cancel_the_other).result(PATIENCE) is False
        assert said(other) is CancelledError


def test_a_coroutine_may_cancel_its_own_future() -> None:
    async def cancel_myself() -> None:
        answers.append(futures[0].cancel())
        await asyncio.sleep(0)

    futures: list[Any] = []
    answers: list[bool] = []
    busy = Parking()

    async def block() -> None:
        busy()

    with Executors.event_loop() as executor:
        executor.submit(block)
        busy.wait_for_one()
        futures.append(executor.submit(cancel_myself))
        busy.let_go()
        assert said(futures[0]) is CancelledError
    assert answers == [False]


def test_a_thread_that_runs_another_event_loop_does_not_wait_either() -> None:
    async def main() -> None:
        assert future.cancel() is False
        await asyncio.to_thread(waiting.wait_until_cancelled)
        shutter.open()
        await asyncio.wait([asyncio.wrap_future(future)])

    shutter = Shutter(asyncio.CancelledError())
    waiting = Waiting(shutter)
    with Executors.event_loop() as executor:
        future = executor.submit(waiting)
        waiting.wait_until_begun()
        InThread(asyncio.run, main()).outcome()
        assert future.cancelled()


def test_cancelling_an_asyncio_future_cancels_the_coroutine_and_blocks_nothing() -> None:
    async def main() -> None:
        future = executor.submit(waiting)
        await asyncio.to_thread(waiting.wait_until_begun)
        with pytest.raises((asyncio.TimeoutError, TimeoutError)):
            await asyncio.wait_for(future, 0.01)
        await asyncio.to_thread(waiting.wait_until_cancelled)
        shutter.open()

    shutter = Shutter(asyncio.CancelledError())
    waiting = Waiting(shutter)
    executor = Executors.event_loop().with_asyncio()
    asyncio.run(main())
    executor.shutdown()


def test_a_callback_on_the_loops_thread_may_cancel() -> None:
    waiting, steps = Waiting(), AsyncStepped()
    answers: list[bool] = []
    with Executors.event_loop() as executor:
        future = executor.submit(waiting)
        waiting.wait_until_begun()
        executor.submit(steps, 1).add_done_callback(lambda _: answers.append(future.cancel()))
        steps.next().end()
        assert said(future) is CancelledError
    assert answers == [False]


# -- through layers, and many ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["map", "retry", "throttle", "timeout", "flat_map", "cancel_on_shutdown"])
def test_a_cancel_gets_down_to_it_through_every_layer(layer: str) -> None:
    layers: dict[str, Callable[[Any], Any]] = {
        "map": lambda executor: executor.with_map(str),
        "flat_map": lambda executor: executor.with_flat_map(lambda x: x),
        "retry": lambda executor: executor.with_retry(max_attempts=9, sleep=0.0),
        "throttle": lambda executor: executor.with_throttle(5),
        "timeout": lambda executor: executor.with_timeout(PATIENCE),
        "cancel_on_shutdown": lambda executor: executor.with_cancel_on_shutdown(),
    }
    waiting = Waiting()
    with layers[layer](Executors.event_loop()) as executor:
        future = executor.submit(waiting)
        waiting.wait_until_begun()
        until_running(future)
        assert future.cancel() is True
        assert future.cancelled()
    assert waiting.asked == 1


def test_a_future_made_of_it_cancels_it() -> None:
    waiting = Waiting()
    with Executors.event_loop() as executor:
        future = f_map(executor.submit(waiting), str)
        waiting.wait_until_begun()
        assert future.cancel() is True


def test_a_timeout_cancels_it_and_does_not_wait_for_it_to_end() -> None:
    """The thread of the timeouts is free for others, although a coroutine takes its time."""
    shutter = Shutter(asyncio.CancelledError())
    slow, quick = Waiting(shutter), Waiting()
    with Executors.event_loop() as executor, executor.with_timeout(PATIENCE) as upper:
        futures = [executor.submit(slow), executor.submit(quick)]
        slow.wait_until_begun()
        quick.wait_until_begun()
        late = upper._watch(futures[0], 0.0)
        slow.wait_until_cancelled()
        assert said(upper._watch(futures[1], 0.0)) is CancelledError
        assert not late.done()
        shutter.open()
        assert said(late) is CancelledError


def test_many_are_asked_to_end_before_any_is_waited_for() -> None:
    """Each takes until all of them have been asked."""
    count = 5
    asked: list[int] = []

    async def clean_up() -> None:
        asked.append(1)
        while len(asked) < count:
            await asyncio.sleep(0)
        raise asyncio.CancelledError

    waiting = Waiting(clean_up)
    executor = Executors.event_loop(max_concurrency=count)
    futures = [executor.submit(waiting) for _ in range(2 * count)]
    waiting.wait_until_begun(count)
    executor.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in futures)
    assert waiting.asked == count


def test_cancel_on_shutdown_cancels_all_of_them() -> None:
    waiting = Waiting()
    with Executors.event_loop().with_map().with_cancel_on_shutdown() as executor:
        futures = [executor.submit(waiting) for _ in range(5)]
        waiting.wait_until_begun(5)
    assert all(future.cancelled() for future in futures)


def test_a_poll_executor_cancels_what_is_not_started_yet() -> None:
    waiting = Waiting()
    with Executors.event_loop().with_poll(lambda descriptors: None, cancel_many_fn=lambda ids: []) as executor:
        futures = [executor.submit(waiting) for _ in range(5)]
        waiting.wait_until_begun(5)
        assert executor.cancel_all() == 5
        assert all(future.cancelled() for future in futures)


# -- schedules -------------------------------------------------------------------------------------------------------


def test_who_cancels_sleeps_until_the_coroutine_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    # 1. Somebody cancels, and goes to sleep. 2. The coroutine ends with a result in spite of that: the answer is no.
    shutter = Shutter("in spite of that")
    waiting = Waiting(shutter)
    with Executors.event_loop() as executor:
        future = executor.submit(waiting)
        waiting.wait_until_begun()
        locks = WatchedLocks()
        with monkeypatch.context() as patches:
            patches.setattr(_core, "allocate_lock", locks)
            cancelling = InThread(future.cancel)  # 1
            waiting.wait_until_cancelled()
            locks.next_asleep()
        shutter.open()  # 2
        assert cancelling.outcome() is False
        assert future.result(PATIENCE) == "in spite of that"


def test_a_coroutine_whose_future_somebody_else_ended_goes_on_and_takes_its_room() -> None:
    # 1. A coroutine goes on. 2. Its future is ended by somebody else. 3. The next one waits for the coroutine.
    steps = AsyncStepped()
    with Executors.event_loop(max_concurrency=1) as executor:
        future = executor.submit(steps, 1)
        call = steps.next()  # 1
        future.set_result("from elsewhere")  # 2
        other = executor.submit(steps, 2)
        assert (executor._calls.running, executor._calls.waiting) == (1, 1)  # 3
        call.end("ignored")
        steps.next().end("other")
        assert (future.result(), other.result(PATIENCE)) == ("from elsewhere", "other")
        assert future.cancel() is False
