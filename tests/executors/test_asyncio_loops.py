"""Loops of asyncio: which one a future is on, several, closed ones, and how often one is woken."""

from __future__ import annotations

import asyncio
import gc
import selectors
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from asyncio_support import awaited, future_types, in_loop, turns
from support import PATIENCE, DuckDelegate, InThread, SomeError, all_at_once, is_gone, listening_to

from more_executors import AsyncioExecutor, Executors, SyncExecutor, _core


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts how often it is woken from outside."""

    def __init__(self) -> None:
        super().__init__(selectors.DefaultSelector())
        self.wake_ups = 0

    def before_call(self) -> None:
        """What a test puts over this, on its loop, is called before each callback that is noted."""

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        self.before_call()
        return super().call_soon(callback, *args, context=context)

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        self.wake_ups += 1
        return super().call_soon_threadsafe(callback, *args, context=context)


@pytest.fixture
def loop() -> Iterator[CountingLoop]:
    loop = CountingLoop()
    yield loop
    loop.close()
    vars(loop).pop("before_call", None)


def run_until(loop: asyncio.AbstractEventLoop, future: Any) -> Any:
    """What awaiting `future` gives, or the type of what that raises."""
    return loop.run_until_complete(asyncio.wait_for(awaited(future), PATIENCE))


# -- which loop ---------------------------------------------------------------------------------------------------


def test_it_is_the_one_given_else_the_one_that_runs(loop: CountingLoop) -> None:
    async def main() -> list[Any]:
        here = asyncio.get_running_loop()
        on_loop, on_current = AsyncioExecutor(SyncExecutor(), loop), AsyncioExecutor(SyncExecutor())
        assert on_loop.submit(int).get_loop() is loop
        assert on_current.submit(int).get_loop() is here
        assert on_current.submit_with_loop(loop, int).get_loop() is loop
        assert on_loop.submit_with_loop(here, int).get_loop() is here
        assert on_loop.submit_with_loop(None, int).get_loop() is here
        assert await on_current.submit_with_loop(here, int, 7) == 7
        return [on_loop.submit(int, 5), on_current.submit_with_loop(loop, int, 6)]

    assert [run_until(loop, future) for future in in_loop(main())] == [5, 6]


def test_it_may_be_the_one_that_is_set_on_this_thread(loop: CountingLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        future = AsyncioExecutor(SyncExecutor()).submit(int, 5)
        assert future.get_loop() is loop
        assert run_until(loop, future) == 5
    finally:
        asyncio.set_event_loop(None)


def test_without_one_nothing_is_submitted() -> None:
    delegate = DuckDelegate()
    executor = AsyncioExecutor(delegate)

    def submit() -> None:
        for submit in (executor.submit, lambda fn: executor.submit_with_loop(None, fn)):
            with pytest.raises(RuntimeError, match="no current event loop"):
                submit(int)

    InThread(submit).outcome()
    assert delegate.submitted == []


@pytest.mark.parametrize("loop", [5, "loop", object()])
def test_what_is_no_loop_is_refused_and_nothing_is_submitted(loop: Any) -> None:
    delegate = DuckDelegate()
    with pytest.raises(TypeError, match="loop must be"):
        AsyncioExecutor(delegate, loop)
    with pytest.raises(TypeError, match="loop must be"):
        AsyncioExecutor(delegate).submit_with_loop(loop, int)
    assert delegate.submitted == []


def test_one_executor_serves_loops_on_several_threads_at_once() -> None:
    with Executors.thread_pool(2) as pool:
        executor = AsyncioExecutor(pool)

        def serve(number: int) -> list[int]:
            async def main() -> list[int]:
                return await asyncio.gather(*(executor.submit(divmod, key, number) for key in range(100)))

            return in_loop(main())

        outcomes = all_at_once(*(lambda number=number: serve(number) for number in range(1, 5)))
        assert outcomes == [[divmod(key, number) for key in range(100)] for number in range(1, 5)]


def test_futures_of_two_loops_that_end_together_end_each_on_its_own(loop: CountingLoop) -> None:
    other = CountingLoop()
    delegate = DuckDelegate(Future)
    executor = AsyncioExecutor(delegate)
    futures = [executor.submit_with_loop(each, int) for each in (loop, other, loop, other)]
    InThread(lambda: [given.set_result(key) for key, given in enumerate(delegate.given)]).outcome()
    assert (loop.wake_ups, other.wake_ups) == (1, 1)
    assert [run_until(loop, futures[0]), run_until(loop, futures[2])] == [0, 2]
    assert not futures[1].done()
    assert [run_until(other, futures[1]), run_until(other, futures[3])] == [1, 3]
    other.close()


def test_a_loop_that_is_closed_is_not_kept_by_the_executor() -> None:
    executor = AsyncioExecutor(SyncExecutor())

    async def main() -> weakref.ref[Any]:
        assert await executor.submit(int, 5) == 5
        return weakref.ref(asyncio.get_running_loop())

    gone = in_loop(main())
    assert is_gone(gone)
    assert len(executor._bridges) == 0
    assert is_gone(in_loop(main()))


# -- how often it is woken ----------------------------------------------------------------------------------------


@future_types
def test_however_many_end_between_two_turns_it_is_woken_once(loop: CountingLoop, future_type: Any) -> None:
    delegate = DuckDelegate(future_type)
    executor = AsyncioExecutor(delegate, loop)
    futures = [executor.submit(int) for _ in range(1000)]
    for key in range(500):
        delegate.given[key].set_result(key)
    InThread(lambda: [given.set_exception(SomeError()) for given in delegate.given[500:999]]).outcome()
    assert delegate.given[999].cancel()
    assert loop.wake_ups == 1
    assert not any(future.done() for future in futures)
    assert run_until(loop, futures[999]) is asyncio.CancelledError
    assert [future.result() for future in futures[:500]] == list(range(500))
    assert all(isinstance(future.exception(), SomeError) for future in futures[500:999])
    assert loop.wake_ups == 1


def test_after_each_turn_it_is_woken_again(loop: CountingLoop) -> None:
    delegate = DuckDelegate(Future)
    executor = AsyncioExecutor(delegate, loop)
    for turn in range(5):
        futures = [executor.submit(int) for _ in range(3)]
        for given in delegate.given[-3:]:
            given.set_result(turn)
        assert loop.wake_ups == turn + 1
        assert [run_until(loop, future) for future in futures] == [turn] * 3


# 1. Two have arrived; the loop takes over what has arrived.
# 2. While it ends the first, a third ends: that needs a wake-up of its own.
@future_types
def test_what_ends_while_the_loop_takes_over_is_not_forgotten(loop: CountingLoop, future_type: Any) -> None:
    def end_another() -> None:
        if futures[0].done() and not delegate.given[2].done():
            assert not futures[1].done()
            delegate.given[2].set_result("meanwhile")

    delegate = DuckDelegate(future_type)
    executor = AsyncioExecutor(delegate, loop)
    futures = [executor.submit(int) for _ in range(3)]
    futures[0].add_done_callback(lambda _: None)
    loop.before_call = end_another  # type: ignore[method-assign]
    for key in range(2):
        delegate.given[key].set_result(key)
    assert loop.wake_ups == 1
    assert [run_until(loop, future) for future in futures] == [0, 1, "meanwhile"]
    assert loop.wake_ups == 2


def test_threads_that_end_futures_while_the_loop_runs_forget_none(loop: CountingLoop) -> None:
    delegate = DuckDelegate(Future)
    executor = AsyncioExecutor(delegate, loop)
    futures = [executor.submit(int) for _ in range(2000)]
    parts = [delegate.given[part::4] for part in range(4)]
    threads = [InThread(lambda part=part: [given.set_result(None) for given in part]) for part in parts]

    async def main() -> list[Any]:
        return await asyncio.gather(*futures)

    assert loop.run_until_complete(asyncio.wait_for(main(), PATIENCE)) == [None] * 2000
    for thread in threads:
        thread.outcome()
    assert 1 <= loop.wake_ups <= 2000


def test_what_is_done_before_the_loop_runs_is_there_when_it_does(loop: CountingLoop) -> None:
    executor = AsyncioExecutor(SyncExecutor(), loop)
    futures = [executor.submit(int, key) for key in range(3)]
    assert not any(future.done() for future in futures)
    assert [run_until(loop, future) for future in futures] == [0, 1, 2]
    assert loop.wake_ups == 1


# -- loops that are closed, or fail -------------------------------------------------------------------------------


@future_types
@pytest.mark.parametrize("how", ["result", "error", "cancel"])
def test_what_ends_after_the_loop_was_closed_is_dropped_without_a_word(future_type: Any, how: str) -> None:
    with listening_to("concurrent.futures") as heard, listening_to("asyncio") as heard_too:
        loop = CountingLoop()
        delegate = DuckDelegate(future_type)
        executor = AsyncioExecutor(delegate, loop)
        futures = [executor.submit(int) for _ in range(2)]
        loop.close()
        for given in delegate.given:
            if how == "result":
                given.set_result(None)
            elif how == "error":
                given.set_exception(SomeError())
            else:
                assert given.cancel()
        assert not any(future.done() for future in futures)
        del futures[:], executor
        gc.collect()
        assert {level for level, _, _ in heard.lines + heard_too.lines} <= {"DEBUG"}


def test_what_arrived_before_the_loop_was_closed_is_dropped() -> None:
    loop = CountingLoop()
    delegate = DuckDelegate(Future)
    future = AsyncioExecutor(delegate, loop).submit(int)
    delegate.given[0].set_result(None)
    loop.close()
    assert not future.done()
    gone = weakref.ref(future)
    del future
    delegate.given.clear()
    assert is_gone(gone)


def test_a_loop_that_is_gone_is_no_trouble() -> None:
    loop = CountingLoop()
    delegate = DuckDelegate(Future)
    executor = AsyncioExecutor(delegate)
    future = executor.submit_with_loop(loop, int)
    gone = weakref.ref(loop)
    loop.close()
    del loop, future
    delegate.given[0].set_result(None)
    delegate.given.clear()
    assert is_gone(gone)
    assert len(executor._bridges) == 0


def test_other_loops_go_on_when_one_is_closed(loop: CountingLoop) -> None:
    closed = CountingLoop()
    delegate = DuckDelegate(Future)
    executor = AsyncioExecutor(delegate)
    futures = [executor.submit_with_loop(each, int) for each in (closed, loop)]
    closed.close()
    for given in delegate.given:
        given.set_result("fine")
    assert run_until(loop, futures[1]) == "fine"


def test_a_loop_that_cannot_be_woken_is_reported_and_the_next_try_works(loop: CountingLoop) -> None:
    class Moody(CountingLoop):
        failing = True

        def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
            if self.failing:
                raise SomeError
            return super().call_soon_threadsafe(callback, *args, context=context)

    moody = Moody()
    delegate = DuckDelegate(Future)
    executor = AsyncioExecutor(delegate, moody)
    futures = [executor.submit(int) for _ in range(2)]
    with listening_to("concurrent.futures") as heard:
        delegate.given[0].set_result("dropped")
        assert [(level, type(error)) for level, _, error in heard.lines] == [("ERROR", SomeError)]
    moody.failing = False
    delegate.given[1].set_result("arrives")
    assert run_until(moody, futures[1]) == "arrives"
    moody.close()


# 1. Three have arrived; the loop takes over what has arrived.
# 2. It is interrupted as the first is done: the others are not to wait for ever.
@pytest.mark.parametrize("error", [KeyboardInterrupt, SomeError])
def test_an_interrupted_taking_over_goes_on_afterwards(loop: CountingLoop, error: type[BaseException]) -> None:
    def interrupt() -> None:
        if futures[0].done() and not interrupted:
            interrupted.append(True)
            raise error

    interrupted: list[bool] = []
    errors: list[Any] = []
    loop.set_exception_handler(lambda loop, context: errors.append(context["exception"]))
    executor = AsyncioExecutor(SyncExecutor(), loop)
    futures = [executor.submit(int, key) for key in range(3)]
    futures[0].add_done_callback(lambda _: None)
    loop.before_call = interrupt  # type: ignore[method-assign]
    if error is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(turns())
    else:
        loop.run_until_complete(turns())
        assert [type(each) for each in errors] == [error]
    assert interrupted
    assert [run_until(loop, future) for future in futures[1:]] == [1, 2]


def test_a_callback_that_fails_on_the_loop_is_the_loops_to_report(loop: CountingLoop) -> None:
    errors: list[Any] = []
    loop.set_exception_handler(lambda loop, context: errors.append(context["exception"]))

    def fail(_: Any) -> None:
        raise SomeError

    executor = AsyncioExecutor(SyncExecutor(), loop)
    futures = [executor.submit(int, key) for key in range(2)]
    futures[0].add_done_callback(fail)
    assert [run_until(loop, future) for future in futures] == [0, 1]
    loop.run_until_complete(turns())
    assert [type(error) for error in errors] == [SomeError]


def test_in_debug_mode_a_completion_on_another_thread_breaks_no_rule_of_the_loop(loop: CountingLoop) -> None:
    loop.set_debug(True)
    delegate = DuckDelegate(Future)
    executor = AsyncioExecutor(delegate, loop)
    futures = [executor.submit(int) for _ in range(3)]

    async def main() -> list[Any]:
        gathered = asyncio.gather(*futures, return_exceptions=True)
        InThread(delegate.given[0].set_result, 0)
        InThread(delegate.given[1].set_exception, SomeError())
        InThread(delegate.given[2].cancel)
        return [type(each) for each in await gathered]

    assert loop.run_until_complete(asyncio.wait_for(main(), PATIENCE)) == [int, SomeError, asyncio.CancelledError]


def test_the_loop_itself_may_complete_the_delegates_future() -> None:
    async def main() -> None:
        delegate = DuckDelegate(_core.Future)
        executor = AsyncioExecutor(delegate)
        future = executor.submit(int)
        asyncio.get_running_loop().call_soon(delegate.given[0].set_result, "on the loop")
        assert await future == "on the loop"
        assert threading.current_thread() is threading.main_thread()

    in_loop(main())
