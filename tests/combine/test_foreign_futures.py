"""What is nearly a future: an asyncio future, which belongs to its loop, and what has only a part of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from support import PATIENCE, DuckDelegate, DuckFuture, InThread, ScriptedDelegate, in_words

from more_executors import (
    AsyncioExecutor,
    CancelOnShutdownExecutor,
    FlatMapExecutor,
    MapExecutor,
    PollExecutor,
    RetryExecutor,
    SyncExecutor,
    ThrottleExecutor,
    TimeoutExecutor,
)
from more_executors.futures import (
    f_and,
    f_apply,
    f_flat_map,
    f_map,
    f_nocancel,
    f_or,
    f_proxy,
    f_return,
    f_sequence,
    f_timeout,
    f_traverse,
    f_zip,
)
from more_executors.progress import progress

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "f_map": f_map,
    "f_flat_map": f_flat_map,
    "f_zip": lambda source: f_zip(f_return(), source),
    "f_sequence": lambda source: f_sequence([source]),
    "f_traverse": lambda source: f_traverse(lambda _: source, [1]),
    "f_apply": lambda source: f_apply(f_return(str), source),
    "f_or": f_or,
    "f_and": lambda source: f_and(f_return(), source),
    "f_nocancel": f_nocancel,
    "f_timeout": lambda source: f_timeout(source, 1),
    "f_proxy": f_proxy,
}

EXECUTORS: dict[str, Callable[[Any], Any]] = {
    "map": MapExecutor,
    "flat_map": FlatMapExecutor,
    "poll": lambda delegate: PollExecutor(delegate, len),
    "timeout": lambda delegate: TimeoutExecutor(delegate, 1),
    "cancel_on_shutdown": CancelOnShutdownExecutor,
    "asyncio": lambda delegate: AsyncioExecutor(delegate, asyncio.new_event_loop()),
}
DEFERRING: dict[str, Callable[[Any], Any]] = {
    "retry": lambda delegate: RetryExecutor(delegate, max_attempts=1),
    "throttle": lambda delegate: ThrottleExecutor(delegate, 1),
}

functions = pytest.mark.parametrize("function", FUNCTIONS)


class OwnFuture(asyncio.Future):
    """A subclass of somebody's."""


def of_asyncio(kind: str, loop: asyncio.AbstractEventLoop) -> Any:
    if kind == "task":
        return loop.create_task(asyncio.sleep(0))
    if kind == "done":
        future = loop.create_future()
        future.set_result(1)
        return future
    return OwnFuture(loop=loop) if kind == "own" else loop.create_future()


@pytest.fixture(params=["future", "done", "task", "own"])
def of_loop(request: pytest.FixtureRequest) -> Any:
    loop = asyncio.new_event_loop()
    made = of_asyncio(request.param, loop)
    yield made
    if not made.done():
        made.cancel()
        loop.run_until_complete(asyncio.wait([made]))
    loop.close()


class Partly:
    """Like the poller of a client library: a callback gets something else, and much of a future is not there."""

    def add_done_callback(self, fn: Callable[[Any], object]) -> None:
        raise AssertionError("nobody is to be called back")

    def result(self) -> int:
        return 1

    def done(self) -> bool:
        return True


class Delegate(ScriptedDelegate):
    """Gives one thing."""

    def __init__(self, made: Any) -> None:
        super().__init__()
        self.made = made

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        return self.made


LOOP = "belongs to an event loop.* asyncio.run_coroutine_threadsafe"
PARTS = "Partly object at .*: it has no cancel, cancelled, exception$"


@functions
@pytest.mark.parametrize("thread", ["here", "elsewhere"])
def test_a_function_refuses_an_asyncio_future(function: str, of_loop: Any, thread: str) -> None:
    with pytest.raises(TypeError, match=LOOP) as raised:
        FUNCTIONS[function](of_loop) if thread == "here" else InThread(FUNCTIONS[function], of_loop).outcome()
    assert function in str(raised.value)
    assert "pending" in str(raised.value) or "finished" in str(raised.value)
    del raised


@functions
def test_a_function_refuses_a_part_of_a_future(function: str) -> None:
    with pytest.raises(TypeError, match=PARTS) as raised:
        FUNCTIONS[function](Partly())
    assert function in str(raised.value)


@functions
@pytest.mark.parametrize("value", [5, None, "text", object()], ids=in_words)
def test_of_what_is_nothing_like_a_future_nothing_more_is_said(function: str, value: Any) -> None:
    with pytest.raises(TypeError) as raised:
        FUNCTIONS[function](value)
    assert str(raised.value) == f"{function} takes futures, not {value!r}"


@functions
def test_what_has_all_the_parts_is_a_future(function: str) -> None:
    source = DuckFuture()
    source.end("1")
    assert FUNCTIONS[function](source) is not None


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_submit_refuses_what_its_delegate_returns(executor: str, of_loop: Any) -> None:
    for made, message in (
        (of_loop, LOOP),
        (Partly(), PARTS),
        (5, "^the delegate's submit must return a future, not 5$"),
    ):
        refusing = EXECUTORS[executor](Delegate(made))
        with pytest.raises(TypeError, match=message):
            refusing.submit(int)
        refusing.shutdown()
        if executor == "asyncio":
            refusing._loop.close()


@pytest.mark.parametrize("executor", DEFERRING)
def test_what_is_submitted_later_fails(executor: str, of_loop: Any) -> None:
    for made, message in ((of_loop, LOOP), (Partly(), PARTS)):
        with DEFERRING[executor](Delegate(made)) as refusing:
            future = refusing.submit(int)
            with pytest.raises(TypeError, match=message):
                future.result(PATIENCE)
            del future


def test_a_flat_map_refuses_what_its_function_returns(of_loop: Any) -> None:
    def flat(value: Any) -> Any:
        return made

    for made, message in ((of_loop, LOOP), (Partly(), PARTS)):  # `flat` returns it
        for future in (
            f_flat_map(f_return(1), flat),
            FlatMapExecutor(SyncExecutor(), flat).submit(int),
            SyncExecutor().flat_bind(lambda made=made: made)(),
        ):
            with pytest.raises(TypeError, match=f"must return a future for a flat map, not .*{message}"):
                future.result(0)
        del future


def test_progress_refuses_them(of_loop: Any) -> None:
    for made, message in ((of_loop, LOOP), (Partly(), PARTS)):
        with pytest.raises(TypeError, match=message), progress([made]):
            pass


def test_what_the_message_says_works() -> None:
    async def double(value: int) -> int:
        await asyncio.sleep(0)
        return 2 * value

    loop = asyncio.new_event_loop()
    thread = InThread(loop.run_forever)
    future = f_map(asyncio.run_coroutine_threadsafe(double(2), loop), str)
    assert future.result(PATIENCE) == "4"
    waiting = f_map(asyncio.run_coroutine_threadsafe(asyncio.Event().wait(), loop))
    assert waiting.cancel()
    loop.call_soon_threadsafe(loop.stop)
    thread.outcome()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


class CallsNobody(DuckFuture):
    """Its `add_done_callback` raises a TypeError, and keeps the callback in no frame."""

    add_done_callback: Any = staticmethod(int)


@pytest.mark.parametrize("kind", [ThrottleExecutor, RetryExecutor], ids=lambda kind: kind.__name__)
def test_one_that_takes_no_callback_fails_what_is_submitted_later_with_that(kind: Any) -> None:
    options = {"count": 1} if kind is ThrottleExecutor else {"max_attempts": 1}
    with kind(DuckDelegate(CallsNobody), **options) as executor:
        future = executor.submit(int)
        assert isinstance(future.exception(PATIENCE), TypeError)


def test_one_that_takes_no_callback_makes_submit_raise_and_counts_for_nothing() -> None:
    with MapExecutor(DuckDelegate(CallsNobody), str) as executor:
        with pytest.raises(TypeError, match="int"):
            executor.submit(int)
        counters = executor._table.counters
        assert (counters.started, counters.failed, counters.cancelled) == (0, 0, 0)
