"""Awaiting what a delegate does: outcomes, cancelling both ways, errors, and what is kept. See also the loops."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import traceback
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest
from asyncio_support import awaited, future_types, in_loop, turns
from support import PATIENCE, DuckDelegate, DuckFuture, InThread, Parking, SomeError, Thing, is_gone

from more_executors import AsyncioExecutor, Executors, SyncExecutor

REFUSED = "^cannot schedule new futures after shutdown$"


on_a_thread = pytest.mark.parametrize("elsewhere", [False, True], ids=["on the loop's thread", "on another thread"])


def call(elsewhere: bool, function: Callable[..., Any], *args: Any) -> Any:
    return InThread(function, *args).outcome() if elsewhere else function(*args)


# -- outcomes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("debug", [False, True])
def test_submit_gives_an_asyncio_future_to_await(debug: bool) -> None:
    async def main() -> None:
        with Executors.thread_pool(2).with_asyncio() as executor:
            future = executor.submit(pow, 2, 10)
            assert isinstance(future, asyncio.Future)
            assert asyncio.isfuture(future)
            assert future.get_loop() is asyncio.get_running_loop()
            assert await future == 1024
            assert future.done()

    in_loop(main(), debug)


def test_all_arguments_are_passed_on() -> None:
    def arguments(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    async def main() -> None:
        executor = AsyncioExecutor(SyncExecutor())
        call = {"self": 1, "executor": 3}
        assert await executor.submit_with_loop(None, arguments, 1, **call) == ((1,), call)
        assert await executor.submit_with_loop(loop=None, fn=arguments, a=1) == ((), {"a": 1})
        call |= {"fn": 2, "loop": 4}
        assert await executor.submit(arguments, 1, **call) == ((1,), call)

    in_loop(main())


@future_types
@on_a_thread
def test_a_result_gets_to_who_awaits(future_type: type[Future[Any]], elsewhere: bool) -> None:
    async def main() -> None:
        delegate = DuckDelegate(future_type)
        executor = AsyncioExecutor(delegate)
        future = executor.submit(int)
        await turns()
        assert not future.done()
        call(elsewhere, delegate.given[0].set_result, thing := Thing())
        assert await future is thing

    in_loop(main())


@future_types
@on_a_thread
@pytest.mark.parametrize("error", [SomeError("of the task"), OSError(5, "x"), GeneratorExit()])
def test_an_exception_gets_to_who_awaits_the_very_same(
    future_type: type[Future[Any]], elsewhere: bool, error: BaseException
) -> None:
    async def main() -> None:
        delegate = DuckDelegate(future_type)
        future = AsyncioExecutor(delegate).submit(int)
        call(elsewhere, delegate.given[0].set_exception, error)
        await asyncio.wait([future])
        assert future.exception() is error

    in_loop(main())
    error.__traceback__ = None


def test_an_exception_has_its_traceback() -> None:
    def fail() -> None:
        raise SomeError

    async def main() -> None:
        with Executors.thread_pool(1).with_asyncio() as executor:
            with pytest.raises(SomeError) as caught:
                await executor.submit(fail)
            assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "fail"

    in_loop(main())


class OfAKind(StopIteration):
    """One that asyncio before Python 3.12 takes for what it is not."""


@pytest.mark.parametrize("error", [StopIteration(5), OfAKind(5)])
@pytest.mark.parametrize("debug", [False, True])
def test_stop_iteration_which_asyncio_does_not_take_is_the_cause_of_a_runtime_error(
    error: StopIteration, debug: bool
) -> None:
    async def main() -> None:
        delegate = DuckDelegate(Future)
        executor = AsyncioExecutor(delegate)
        futures = [executor.submit(int) for _ in range(2)]
        InThread(lambda: [delegate.given[0].set_exception(error), delegate.given[1].set_result("and the next")])
        with pytest.raises(RuntimeError) as caught:
            await futures[0]
        assert caught.value.__cause__ is error
        assert await futures[1] == "and the next"

    in_loop(main(), debug)
    error.__traceback__ = None


@pytest.mark.parametrize(
    "error", [concurrent.futures.CancelledError(), asyncio.CancelledError(), asyncio.TimeoutError()]
)
def test_a_task_that_fails_with_an_error_of_waiting_fails_so(error: BaseException) -> None:
    async def main() -> None:
        delegate = DuckDelegate(Future)
        future = AsyncioExecutor(delegate).submit(int)
        delegate.given[0].set_exception(error)
        await asyncio.wait([future])
        assert future.done()
        if isinstance(error, asyncio.TimeoutError):
            assert future.exception() is error
        else:
            with pytest.raises((asyncio.CancelledError, concurrent.futures.CancelledError)):
                future.result()

    in_loop(main())
    error.__traceback__ = None


def test_what_is_done_at_submit_is_done_after_a_turn_of_the_loop() -> None:
    async def main() -> None:
        executor = AsyncioExecutor(SyncExecutor())
        futures = [executor.submit(int, key) for key in range(100)]
        assert await asyncio.gather(*futures) == list(range(100))

    in_loop(main())


@pytest.mark.parametrize("debug", [False, True])
def test_a_thousand_through_a_chain_are_gathered_in_order(debug: bool) -> None:
    def poll(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            descriptor.yield_result(descriptor.result)
        return 0.01

    async def main() -> None:
        chain = Executors.thread_pool(4).with_retry().with_throttle(8).with_map(lambda x: x + 1)
        chain = chain.with_poll(poll).with_timeout(3600.0).with_cancel_on_shutdown()
        executor = chain.with_asyncio()
        futures = [executor.submit(int, key) for key in range(1000)]
        assert await asyncio.gather(*futures) == [key + 1 for key in range(1000)]
        await asyncio.to_thread(executor.shutdown)

    in_loop(main(), debug)


def test_tools_of_asyncio_take_the_futures() -> None:
    async def main() -> None:
        with Executors.thread_pool(2).with_asyncio() as executor:
            futures = [executor.submit(int, key) for key in range(5)]
            done, pending = await asyncio.wait(futures)
            assert done == set(futures)
            assert not pending
            assert sorted([await each for each in asyncio.as_completed([executor.submit(int, 1)])]) == [1]
            assert await asyncio.wait_for(executor.submit(int, 2), PATIENCE) == 2
            assert await asyncio.shield(executor.submit(int, 3)) == 3
            called: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            executor.submit(int, 4).add_done_callback(called.set_result)
            assert (await called).result() == 4

    in_loop(main())


# -- cancelling ---------------------------------------------------------------------------------------------------


@future_types
def test_cancelling_the_asyncio_future_cancels_the_delegates_at_once(future_type: type[Future[Any]]) -> None:
    async def main() -> None:
        delegate = DuckDelegate(future_type)
        future = AsyncioExecutor(delegate).submit(int)
        assert future.cancel() is True
        assert delegate.given[0].cancelled()
        assert future.cancelled()
        assert future.cancel() is False
        assert await awaited(future) is asyncio.CancelledError

    in_loop(main())


@future_types
@on_a_thread
def test_cancelling_the_delegates_future_cancels_the_asyncio_future(
    future_type: type[Future[Any]], elsewhere: bool
) -> None:
    async def main() -> None:
        delegate = DuckDelegate(future_type)
        future = AsyncioExecutor(delegate).submit(int)
        assert call(elsewhere, delegate.given[0].cancel) is True
        assert await awaited(future) is asyncio.CancelledError
        assert future.cancelled()

    in_loop(main())


@future_types
def test_cancelling_the_task_that_awaits_cancels_the_delegates_future(future_type: type[Future[Any]]) -> None:
    async def main() -> None:
        delegate = DuckDelegate(future_type)
        executor = AsyncioExecutor(delegate)

        async def awaiting() -> None:
            await executor.submit(int)

        task = asyncio.ensure_future(awaiting())
        await turns()
        task.cancel()
        assert await awaited(task) is asyncio.CancelledError
        assert delegate.given[0].cancelled()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(executor.submit(int), 0.001)
        assert delegate.given[1].cancelled()

    in_loop(main())


def test_the_message_of_a_cancel_is_kept() -> None:
    async def main() -> None:
        future = AsyncioExecutor(DuckDelegate(Future)).submit(int)
        future.cancel(msg="because")
        with pytest.raises(asyncio.CancelledError) as caught:
            future.result()
        assert caught.value.args == ("because",)

    in_loop(main())


@pytest.mark.parametrize("then", ["result", "error"])
def test_one_that_goes_on_after_its_asyncio_future_was_cancelled_is_let_go_on(then: str) -> None:
    async def main() -> None:
        delegate = DuckDelegate(Future)
        executor = AsyncioExecutor(delegate)
        futures = [executor.submit(int) for _ in range(2)]
        delegate.given[0].set_running_or_notify_cancel()
        assert futures[0].cancel() is True
        assert not delegate.given[0].done()
        if then == "result":
            delegate.given[0].set_result("nobody wants it")
        else:
            delegate.given[0].set_exception(SomeError())
        delegate.given[1].set_result("and the next")
        assert await futures[1] == "and the next"
        assert futures[0].cancelled()

    in_loop(main())


def test_a_delegates_future_that_ends_before_the_cancel_but_has_not_crossed_yet_is_cancelled() -> None:
    async def main() -> None:
        delegate = DuckDelegate(Future)
        future = AsyncioExecutor(delegate).submit(int)
        delegate.given[0].set_result("too late")
        assert future.cancel() is True
        await turns()
        assert future.cancelled()

    in_loop(main())


def test_a_cancel_of_one_that_is_done_is_refused() -> None:
    async def main() -> None:
        future = AsyncioExecutor(SyncExecutor()).submit(int, 5)
        assert await future == 5
        assert future.cancel() is False
        assert future.result() == 5

    in_loop(main())


def test_a_delegates_future_that_is_lost_cancels_the_asyncio_future() -> None:
    async def main() -> None:
        delegate = DuckDelegate(Future)
        future = AsyncioExecutor(delegate).submit(int)
        await turns()
        delegate.given.clear()
        gc.collect()
        assert await awaited(future) is asyncio.CancelledError

    in_loop(main())


def test_a_chain_below_sees_the_cancel() -> None:
    async def main() -> None:
        park = Parking()
        with Executors.thread_pool(1).with_throttle(1).with_map(str).with_asyncio() as executor:
            running = executor.submit(park)
            await asyncio.to_thread(park.wait_for_one)
            queued = [executor.submit(int, key) for key in range(3)]
            assert queued[1].cancel()
            park.let_go()
            assert await awaited(running) == "None"
            assert [await awaited(future) for future in queued] == ["0", asyncio.CancelledError, "2"]

    in_loop(main())


def test_cancels_against_completions_each_ends_once() -> None:
    async def main() -> None:
        delegate = DuckDelegate(Future)
        executor = AsyncioExecutor(delegate)
        for _ in range(20):
            futures = [executor.submit(int) for _ in range(50)]
            given = delegate.given[-50:]

            def complete(given: list[Any] = given) -> None:
                for each in given:
                    if each.set_running_or_notify_cancel():
                        each.set_result("done")

            thread = InThread(complete)
            for future in reversed(futures):
                future.cancel()
            outcomes = [await awaited(future) for future in futures]
            thread.outcome()
            for outcome, source in zip(outcomes, given, strict=True):
                assert outcome in ("done", asyncio.CancelledError)
                assert outcome is asyncio.CancelledError or not source.cancelled()

    in_loop(main())


# -- what is kept, and shutting down ------------------------------------------------------------------------------


@future_types
def test_a_future_that_is_done_keeps_nothing_of_the_delegate(future_type: type[Future[Any]]) -> None:
    async def main() -> None:
        delegate = DuckDelegate(future_type)
        executor = AsyncioExecutor(delegate)
        futures = [executor.submit(int, thing := Thing()) for _ in range(2)]
        gone = [weakref.ref(thing), *map(weakref.ref, delegate.given), weakref.ref(executor)]
        delegate.given[0].set_result("done")
        assert await futures[0] == "done"
        assert futures[1].cancel()
        await turns()
        del thing, executor, delegate
        assert [is_gone(reference) for reference in gone] == [True] * 4

    in_loop(main())


@future_types
def test_futures_that_nobody_awaits_are_collected(future_type: type[Future[Any]]) -> None:
    async def main() -> None:
        delegate = DuckDelegate(future_type)
        executor = AsyncioExecutor(delegate)
        future = executor.submit(int)
        gone = weakref.ref(future)
        delegate.given.pop().set_result(result := Thing())
        result_gone = weakref.ref(result)
        del future, result
        await turns()
        assert is_gone(gone)
        assert is_gone(result_gone)
        dropped = weakref.ref(executor.submit(int))
        delegate.given.clear()
        delegate.submitted.clear()
        gc.collect()
        await turns()
        assert is_gone(dropped)

    in_loop(main())


def test_a_pending_one_whose_executor_is_dropped_still_ends() -> None:
    async def main() -> None:
        future = Executors.thread_pool(1).with_map(str).with_asyncio().submit(int, 5)
        gc.collect()
        assert await future == "5"

    in_loop(main())


def test_after_shutdown_it_refuses_and_what_is_pending_ends() -> None:
    async def main() -> None:
        delegate = DuckDelegate(Future)
        executor = AsyncioExecutor(delegate)
        future = executor.submit(int)
        executor.shutdown(wait=False)
        executor.shutdown()
        assert delegate.shutdowns == [{"wait": False}]
        for submit in (executor.submit, lambda fn: executor.submit_with_loop(None, fn)):
            with pytest.raises(RuntimeError, match=REFUSED):
                submit(int)
        assert len(delegate.submitted) == 1
        delegate.given[0].set_result("in time")
        assert await future == "in time"

    in_loop(main())


def test_shutdown_that_cancels_passes_that_on() -> None:
    async def main() -> None:
        park = Parking("ran")
        executor = Executors.thread_pool(1).with_asyncio()
        futures = [executor.submit(park), executor.submit(int)]
        await asyncio.to_thread(park.wait_for_one)
        executor.shutdown(wait=False, cancel_futures=True)
        park.let_go()
        assert [await awaited(future) for future in futures] == ["ran", asyncio.CancelledError]

    in_loop(main())


def test_what_the_delegate_raises_at_submit_gets_to_the_caller() -> None:
    async def main() -> None:
        delegate = SyncExecutor()
        executor = AsyncioExecutor(delegate)
        delegate.shutdown()
        with pytest.raises(RuntimeError, match=REFUSED):
            executor.submit(int)

    in_loop(main())


def test_it_is_the_last_of_a_chain() -> None:
    executor = SyncExecutor(name="chained").with_asyncio(name="last")
    assert isinstance(executor, AsyncioExecutor)
    assert isinstance(executor, Executor)
    assert not any(hasattr(executor, f"with_{kind}") for kind in ("map", "poll", "retry", "asyncio"))
    assert not hasattr(executor, "bind")
    executor.shutdown()
    AsyncioExecutor(delegate=SyncExecutor(), loop=None, logger=None, name="n").shutdown()


@pytest.mark.parametrize("arguments", [(None,), (5,), (SyncExecutor(), 5), (SyncExecutor(), None, 5)])
def test_what_cannot_be_used_is_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match="must be"):
        AsyncioExecutor(*arguments)


def test_futures_of_no_library_of_ours_do_as_well() -> None:
    async def main() -> None:
        delegate = DuckDelegate(DuckFuture)
        executor = AsyncioExecutor(delegate)
        futures = [executor.submit(int) for _ in range(3)]
        delegate.given[0].end("a")
        InThread(delegate.given[1].end, None, error := SomeError()).outcome()
        assert await futures[0] == "a"
        assert await awaited(futures[1]) is type(error)
        assert futures[2].cancel()
        delegate.given[2].end("too late")
        await turns()
        assert futures[2].cancelled()

    in_loop(main())


def test_a_second_shutdown_does_nothing() -> None:
    class Noted(SyncExecutor):
        calls = 0

        def shutdown(self, *args: Any, **kwargs: Any) -> None:
            self.calls += 1
            super().shutdown(*args, **kwargs)

    executor = AsyncioExecutor(delegate := Noted())
    executor.shutdown(wait=False)
    executor.shutdown(wait=True)
    assert delegate.calls == 1
