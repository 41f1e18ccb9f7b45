"""Tasks that are started by an `async def`, on an event loop: what becomes of a call, and when calls begin."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from typing import Any
from unittest import mock

import pytest
from async_support import AsyncStepped
from support import PATIENCE, HeardLogger, InThread, SomeError, Thing, assert_ends, is_gone, said

from more_executors import EventLoopExecutor, Executors, SyncExecutor, event_loop
from more_executors._runtime import loop_thread

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")


@pytest.fixture
def executor() -> Iterator[EventLoopExecutor]:
    with Executors.event_loop(name="it") as executor:
        yield weakref.proxy(executor)  # pytest keeps it for longer than the test that looks what is left


async def give(value: Any) -> Any:
    return value


async def name_of_thread() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


def loop_threads(name: str = "it") -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"EventLoopExecutor-{name}"]


# -- what becomes of a call ------------------------------------------------------------------------------------------


def test_a_coroutine_runs_on_a_thread_of_its_own_and_its_future_has_the_result(executor: EventLoopExecutor) -> None:
    assert not loop_threads()
    assert executor.submit(name_of_thread).result(PATIENCE) == "EventLoopExecutor-it"
    (thread,) = loop_threads()
    assert thread.daemon
    assert [executor.submit(give, n).result(PATIENCE) for n in range(5)] == [*range(5)]
    assert loop_threads() == [thread]


def test_what_it_raises_its_future_raises_and_the_traceback_begins_in_it(executor: EventLoopExecutor) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise error

    error = SomeError()
    assert executor.submit(fail).exception(PATIENCE) is error
    assert error.__traceback__ is not None
    assert error.__traceback__.tb_frame.f_code is fail.__code__
    assert error.__traceback__.tb_next is None


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException, asyncio.TimeoutError])
@pytest.mark.parametrize("awaits", [False, True])
def test_whatever_it_raises_is_in_the_future_and_the_loop_goes_on(
    kind: type[BaseException], awaits: bool, executor: EventLoopExecutor
) -> None:
    async def fail() -> None:
        if awaits:
            await asyncio.sleep(0)
        raise kind

    assert type(executor.submit(fail).exception(PATIENCE)) is kind
    assert executor.submit(give, 1).result(PATIENCE) == 1


def test_a_stop_iteration_out_of_it_is_a_runtime_error_as_always(executor: EventLoopExecutor) -> None:
    async def fail() -> None:
        raise StopIteration

    assert said(executor.submit(fail)) is RuntimeError


def test_one_that_is_cancelled_from_within_ends_cancelled(executor: EventLoopExecutor) -> None:
    async def cancel_itself() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    async def raise_it() -> None:
        raise asyncio.CancelledError

    for fn in (cancel_itself, raise_it):
        assert said(executor.submit(fn)) is CancelledError


def test_wrong_arguments_are_an_error_of_the_future(executor: EventLoopExecutor) -> None:
    assert said(executor.submit(give)) is TypeError  # type: ignore[call-arg]
    assert said(executor.submit(give, 1, 2)) is TypeError  # type: ignore[call-arg]
    assert said(executor.submit(give, other=1)) is TypeError  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["self", "fn", "args", "kwargs", "executor", "loop", "context", "name"])
def test_every_keyword_gets_to_the_function(name: str, executor: EventLoopExecutor) -> None:
    async def keywords(**kwargs: int) -> dict[str, int]:
        return kwargs

    assert executor.submit(keywords, **{name: 1}).result(PATIENCE) == {name: 1}


class Called:
    async def __call__(self, value: Any) -> Any:
        return value

    async def method(self, value: Any) -> Any:
        return value


@pytest.mark.parametrize(
    "fn", [give, Called(), Called().method, functools.partial(give), functools.partial(Called())], ids=range(5)
)
def test_all_that_is_an_async_def_is_taken(fn: Any, executor: EventLoopExecutor) -> None:
    assert executor.submit(fn, 5).result(PATIENCE) == 5


def test_what_it_gives_need_not_be_a_coroutine(executor: EventLoopExecutor) -> None:
    class Awaitable:
        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            return 7

    class Marked:
        """As what some tool makes of an `async def`."""

        async def __call__(self) -> Any:
            raise AssertionError

    Marked.__call__ = mock.Mock(return_value=Awaitable())  # type: ignore[method-assign]
    with mock.patch.object(event_loop, "is_async", return_value=True):
        assert executor.submit(Marked()).result(PATIENCE) == 7


@pytest.mark.parametrize("fn", [int, len, lambda: give(1), functools.partial(len), Thing(), None, 5], ids=range(7))
def test_a_plain_function_is_refused_and_told_where_to_go(fn: Any, executor: EventLoopExecutor) -> None:
    with pytest.raises(TypeError, match=r"^submit: fn must be an async def.*Executors\.thread_pool\(\)"):
        executor.submit(fn)
    with executor.with_retry() as upper:
        assert isinstance(upper.submit(fn).exception(PATIENCE), TypeError)


def test_a_thread_pool_refuses_an_async_def_and_says_where_it_belongs() -> None:
    with Executors.thread_pool(1) as pool:
        with pytest.raises(TypeError, match=r"^submit: fn must not be async.*Executors\.event_loop\(\)"):
            pool.submit(give, 1)
        with pool.with_poll(lambda descriptors: None) as upper, pytest.raises(TypeError, match=r"event_loop\(\)"):
            upper.submit(give, 1)


def test_with_asyncio_on_a_thread_pool_refuses_it_too() -> None:
    async def main() -> None:
        with pytest.raises(TypeError, match=r"event_loop\(\)"):
            executor.submit(give, 1)
        assert await executor.submit(int, 1) == 1

    executor = Executors.thread_pool(1).with_retry().with_asyncio()
    asyncio.run(main())
    executor.shutdown()


def test_a_layer_that_makes_something_of_coroutines_may_stand_on_a_thread_pool() -> None:
    with Executors.thread_pool(1).with_map(asyncio.run) as executor:
        assert executor.submit(give, 5).result(PATIENCE) == 5


def test_it_runs_in_a_copy_of_the_context_of_who_submits(executor: EventLoopExecutor) -> None:
    async def change(value: str) -> tuple[str, str]:
        before = variable.get()
        variable.set(value)
        await asyncio.sleep(0)
        return before, variable.get()

    variable.set("of the caller")
    futures = [executor.submit(change, "a"), executor.submit(change, "b")]
    assert [future.result(PATIENCE) for future in futures] == [("of the caller", "a"), ("of the caller", "b")]
    assert variable.get() == "of the caller"


def test_it_is_the_current_task_and_shows_what_it_is_at(executor: EventLoopExecutor) -> None:
    async def look() -> tuple[str, list[Any]]:
        task = asyncio.current_task()
        assert task is not None
        assert task in asyncio.all_tasks()
        return repr(task), task.get_stack()

    shown, stack = executor.submit(look).result(PATIENCE)
    assert "look" in shown
    assert stack[-1].f_code is look.__code__


def test_timeouts_and_groups_of_asyncio_work_in_it(executor: EventLoopExecutor) -> None:
    async def give_up() -> None:
        await asyncio.wait_for(asyncio.Event().wait(), 0.01)

    async def several() -> list[int]:
        return await asyncio.gather(*(give(n) for n in range(3)))

    assert isinstance(executor.submit(give_up).exception(PATIENCE), (TimeoutError, asyncio.TimeoutError))
    assert executor.submit(several).result(PATIENCE) == [0, 1, 2]


def test_its_task_ends_as_it_does_but_for_an_error_which_nobody_would_retrieve(executor: EventLoopExecutor) -> None:
    async def fail(how: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(ended.append)
        raise how

    ended: list[Any] = []
    futures = [executor.submit(fail, how) for how in (SomeError(), asyncio.CancelledError())]
    for future in futures:
        said(future)
    executor.submit(asyncio.sleep, 0).result(PATIENCE)
    assert [task.cancelled() for task in ended] == [False, True]
    assert ended[0].exception() is None


# -- when it runs ----------------------------------------------------------------------------------------------------


def test_so_many_go_on_at_a_time_and_the_others_begin_in_order() -> None:
    steps = AsyncStepped()
    with Executors.event_loop(max_concurrency=3) as executor:
        futures = [executor.submit(steps, n) for n in range(6)]
        calls = [steps.next() for _ in range(3)]
        assert [call.argument for call in calls] == [0, 1, 2]
        assert [future.running() for future in futures] == [True] * 3 + [False] * 3
        executor.submit(give, 1)  # which waits as well
        assert (executor._calls.running, executor._calls.waiting, steps.unasked()) == (3, 4, 0)
        for n in (1, 0, 2):
            calls[n].end(n)
            calls.append(steps.next())
            assert futures[n].result(PATIENCE) == n
        assert [call.argument for call in calls[3:]] == [3, 4, 5]
        for call in calls[3:]:
            call.end(call.argument)


def test_many_more_than_may_go_on_all_end_and_never_are_there_too_many() -> None:
    async def count() -> int:
        going_on.append(1)
        most = len(going_on)
        await asyncio.sleep(0)
        going_on.pop()
        return most

    going_on: list[int] = []
    with Executors.event_loop(max_concurrency=7) as executor:
        futures = [executor.submit(count) for _ in range(1000)]
        assert max(future.result(PATIENCE) for future in futures) <= 7


def test_many_that_begin_at_once_let_the_loop_do_other_things() -> None:
    """Among 1,000 that are submitted while the loop is busy, one that has begun goes on before all have."""

    async def hold() -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    async def first() -> int:
        await asyncio.sleep(0)
        return len(seen)

    async def note() -> None:
        seen.append(1)

    seen: list[int] = []
    begun, go_on = threading.Event(), threading.Event()
    with Executors.event_loop(10_000, HeardLogger()) as executor:
        executor.submit(hold)
        assert begun.wait(PATIENCE)
        one = executor.submit(first)
        others = [executor.submit(note) for _ in range(1000)]
        go_on.set()
        assert one.result(PATIENCE) < 1000
        for other in others:
            other.result(PATIENCE)


def test_however_many_are_submitted_the_loop_is_woken_once(executor: EventLoopExecutor) -> None:
    woken: list[Any] = []

    async def watch() -> Any:
        loop = asyncio.get_running_loop()
        wake = loop.call_soon_threadsafe

        def counted(*args: Any) -> Any:
            woken.append(args)
            return wake(*args)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign,assignment]
        begun.set()
        assert go_on.wait(PATIENCE)

    begun, go_on = threading.Event(), threading.Event()
    executor.submit(watch)
    assert begun.wait(PATIENCE)
    futures = [executor.submit(give, n) for n in range(100)]
    assert len(woken) == 1
    go_on.set()
    assert [future.result(PATIENCE) for future in futures] == [*range(100)]


def test_callbacks_run_on_the_loops_thread_and_may_submit(executor: EventLoopExecutor) -> None:
    def submit_more(future: Any) -> None:
        threads.append(threading.current_thread().name)
        more.set_result(executor.submit(give, future.result() + 1))

    threads: list[str] = []
    more: Any = Future()
    steps = AsyncStepped()
    future = executor.submit(steps, 1)
    future.add_done_callback(submit_more)
    steps.next().end(1)
    assert future.result(PATIENCE) == 1
    executor.submit(asyncio.sleep, 0).result(PATIENCE)
    assert more.result(PATIENCE).result(PATIENCE) == 2
    assert threads == ["EventLoopExecutor-it"]


def test_a_call_that_blocks_the_loop_is_reported_by_name() -> None:
    async def block() -> None:
        threading.Event().wait(0.15)

    async def block_in_a_task() -> None:
        await asyncio.create_task(block())

    for fn in (block, block_in_a_task):
        logger = HeardLogger()
        with Executors.event_loop(logger=logger, name="slow") as executor:
            executor.submit(fn).result(PATIENCE)
        ((level, message, _),) = logger.lines
        assert level == "WARNING"
        assert "block" in message
        assert "blocked the event loop of EventLoopExecutor-slow for" in message


# -- what is kept ----------------------------------------------------------------------------------------------------


def test_a_future_that_is_done_keeps_nothing_of_its_call(executor: EventLoopExecutor) -> None:
    argument = Thing()
    gone = weakref.ref(argument)
    future = executor.submit(give, argument)
    assert future.result(PATIENCE) is argument
    del argument, future
    executor.submit(asyncio.sleep, 0).result(PATIENCE)
    assert is_gone(gone)


def test_a_coroutine_goes_on_although_nobody_has_its_future_or_what_it_waits_for() -> None:
    async def wait() -> None:
        kept.append(weakref.ref(asyncio.current_task()))  # type: ignore[arg-type]
        begun.set()
        await asyncio.get_running_loop().create_future()

    kept: list[Any] = []
    begun = threading.Event()
    executor = Executors.event_loop()
    future = executor.submit(wait)
    assert begun.wait(PATIENCE)
    gc.collect()
    assert kept[0]() is not None
    assert future.cancel()
    executor.shutdown()


def test_an_executor_that_is_dropped_ends_its_thread_and_one_with_futures_does_so_after_them() -> None:
    steps = AsyncStepped()
    executor = Executors.event_loop(name="dropped")
    gone, future = weakref.ref(executor), executor.submit(steps, 1)
    call = steps.next()
    del executor
    gc.collect()
    assert gone() is not None
    (thread,) = loop_threads("dropped")
    call.end("result")
    assert future.result(PATIENCE) == "result"
    assert is_gone(gone)
    assert_ends(thread)


def test_one_in_a_cycle_is_collected_with_its_functions() -> None:
    class Service:
        def __init__(self) -> None:
            self.executor = Executors.event_loop(name="cycle", open_fn=self.open, close_fn=self.close)

        async def open(self) -> None:
            happened.append("open")

        async def close(self) -> None:
            happened.append("close")

    happened: list[str] = []
    service = Service()
    service.executor.submit(give, service).result(PATIENCE)
    (thread,) = loop_threads("cycle")
    gone = weakref.ref(service)
    del service
    assert is_gone(gone)
    assert_ends(thread)
    assert happened == ["open", "close"]


# -- when there can be no loop ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["the thread", "the loop"])
def test_if_the_loop_cannot_be_had_submit_says_so_and_can_be_tried_again(
    what: str, executor: EventLoopExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no more of those")

    with monkeypatch.context() as patches:
        if what == "the thread":
            patches.setattr(threading.Thread, "start", refuse)
        else:
            patches.setattr(asyncio, "new_event_loop", refuse)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="no more of those"):
                executor.submit(give, 1)
    assert len(executor._calls) == 0
    assert executor._calls.counters.pending == 0
    assert executor.submit(give, 1).result(PATIENCE) == 1


def test_a_ctrl_c_while_the_thread_starts_leaves_no_future_behind(
    executor: EventLoopExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(threading.Thread):
        def start(self) -> None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patches:
        patches.setattr(loop_thread, "Thread", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            executor.submit(give, 1)
    assert len(executor._calls) == 0
    assert executor.submit(give, 1).result(PATIENCE) == 1


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"max_concurrency": 0}, "max_concurrency must be 1 or more"),
        ({"max_concurrency": "many"}, "max_concurrency must be an int"),
        ({"name": 5}, "name must be a str"),
        ({"logger": 5}, r"logger must be a logging\.Logger"),
        ({"open_fn": int}, "open_fn must be an async def"),
        ({"close_fn": 5}, "close_fn must be callable"),
    ],
)
def test_what_cannot_be_used_is_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Executors.event_loop(**keywords)


# -- a delegate like any other ---------------------------------------------------------------------------------------


def test_layers_stand_on_it() -> None:
    async def flaky() -> int:
        attempts.append(1)
        if len(attempts) < 3:
            raise SomeError
        return len(attempts)

    attempts: list[int] = []
    executor = Executors.event_loop().with_retry(max_attempts=3, sleep=0.0).with_throttle(2).with_timeout(PATIENCE)
    with executor.with_map(str) as upper:
        assert upper.submit(flaky).result(PATIENCE) == "3"
        assert list(upper.map(give, [1, 2])) == ["1", "2"]
        assert upper.bind(give)(5).result(PATIENCE) == "5"


def test_a_poll_executor_polls_what_it_starts() -> None:
    def poll(descriptors: list[Any]) -> None:
        for descriptor in descriptors:
            descriptor.yield_result(f"{descriptor.result} is done")

    with Executors.event_loop().with_poll(poll) as executor:
        assert [f.result(PATIENCE) for f in [executor.submit(give, n) for n in "ab"]] == ["a is done", "b is done"]


def test_it_can_be_awaited_in_asyncio() -> None:
    async def main() -> list[int]:
        return await asyncio.gather(*(executor.submit(give, n) for n in range(100)))

    executor = Executors.event_loop().with_asyncio()
    assert asyncio.run(main()) == [*range(100)]
    executor.shutdown()


def test_submit_can_be_mocked_and_overridden() -> None:
    class Mine(EventLoopExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            submitted.append(fn)
            return super().submit(fn, *args, **kwargs)

    submitted: list[Any] = []
    with Mine() as executor, executor.with_map(str) as upper:
        assert upper.submit(give, 5).result(PATIENCE) == "5"
        executor.submit = SyncExecutor().submit  # type: ignore[method-assign]
        assert upper.submit(int, 6).result(PATIENCE) == "6"
        del executor.submit
    assert submitted == [give]


def test_many_threads_submit_at_a_time(executor: EventLoopExecutor) -> None:
    def submit_some(start: int) -> list[Any]:
        return [executor.submit(give, n).result(PATIENCE) for n in range(start, start + 20)]

    threads = [InThread(submit_some, 20 * n) for n in range(4)]
    assert [thread.outcome() for thread in threads] == [[*range(20 * n, 20 * n + 20)] for n in range(4)]
