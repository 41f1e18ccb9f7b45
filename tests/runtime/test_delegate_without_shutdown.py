"""Delegates that cannot be shut down, or not as executors are; and blocks whose own exception is not hidden by that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from typing import Any

import pytest
from support import PATIENCE, HeardLogger, InThread, SomeError, said

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


def poll_at_once(descriptors: list[Any]) -> float:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)
    return inf


def returned(result: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


LAYERS: dict[str, Callable[..., Any]] = {
    "map": MapExecutor,
    "flat map": lambda delegate, **options: FlatMapExecutor(delegate, returned, **options),
    "poll": lambda delegate, **options: PollExecutor(delegate, poll_at_once, **options),
    "timeout": lambda delegate, **options: TimeoutExecutor(delegate, 3600.0, **options),
    "cancel on shutdown": CancelOnShutdownExecutor,
    "retry": RetryExecutor,
    "throttle": lambda delegate, **options: ThrottleExecutor(delegate, 10, **options),
    "asyncio": AsyncioExecutor,
}
every_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
with_futures = pytest.mark.parametrize(
    "layer", [layer for name, layer in LAYERS.items() if name not in ("asyncio", "cancel on shutdown")]
)


class OnlySubmits:
    """Calls on a thread of its own, when it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)
        self.threads: list[InThread] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.threads.append(InThread(self._call, future, lambda: fn(*args, **kwargs)))
        self.begun.release()
        return future

    def _call(self, future: Future[Any], call: Callable[[], Any]) -> None:
        assert self.go.wait(PATIENCE)
        future.set_result(call())


class KnowsNoWait(OnlySubmits):
    def __init__(self) -> None:
        super().__init__()
        self.down = threading.Event()

    def shutdown(self) -> None:
        assert all(not thread.is_alive() for thread in self.threads) or self.go.is_set()
        self.down.set()


@with_futures
@pytest.mark.parametrize("kind", [OnlySubmits, KnowsNoWait])
def test_it_is_waited_for_at_the_end_of_the_block(layer: Callable[..., Any], kind: type[OnlySubmits]) -> None:
    delegate = kind()

    def use() -> Future[Any]:
        with layer(delegate) as executor:
            future: Future[Any] = executor.submit(int, "5")
            assert delegate.begun.acquire(timeout=PATIENCE)
            delegate.go.set()
        return future

    future = InThread(use).outcome()
    assert future.result(0) == 5
    if isinstance(delegate, KnowsNoWait):
        assert delegate.down.is_set()


@with_futures
@pytest.mark.parametrize("kind", [OnlySubmits, KnowsNoWait])
def test_without_waiting_it_is_shut_down_in_the_background(layer: Callable[..., Any], kind: type[OnlySubmits]) -> None:
    delegate = kind()
    executor = layer(delegate)
    future = executor.submit(int, "5")
    assert delegate.begun.acquire(timeout=PATIENCE)
    executor.shutdown(wait=False, cancel_futures=False)
    delegate.go.set()
    assert said(future) == 5
    if isinstance(delegate, KnowsNoWait):
        assert delegate.down.wait(PATIENCE)


@pytest.mark.parametrize("layer", [layer for name, layer in LAYERS.items() if name != "asyncio"])
def test_one_that_may_block_in_shutdown_is_not_shut_down_on_the_thread_that_does_not_wait(
    layer: Callable[..., Any],
) -> None:
    threads: list[threading.Thread] = []
    called = threading.Event()

    class Blocking(OnlySubmits):
        def shutdown(self) -> None:
            threads.append(threading.current_thread())
            called.set()

    layer(Blocking()).shutdown(wait=False)
    assert called.wait(PATIENCE)
    assert threads[0] is not threading.current_thread()


@every_layer
@pytest.mark.parametrize("kind", [OnlySubmits, KnowsNoWait])
def test_the_error_of_the_block_comes_out(layer: Callable[..., Any], kind: type[OnlySubmits]) -> None:
    with pytest.raises(SomeError), layer(kind()):
        raise SomeError


class FailsToEnd(SyncExecutor):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        raise self.error


@every_layer
def test_what_shutdown_raises_is_logged_where_it_would_hide_the_error_of_the_block(layer: Callable[..., Any]) -> None:
    logger, error, own = HeardLogger(), OSError("of the delegate"), SomeError()
    with pytest.raises(SomeError) as raised, layer(FailsToEnd(error), logger=logger):
        raise own
    assert raised.value is own
    assert [(level, logged) for level, _, logged in logger.lines] == [("ERROR", error)]
    own.__traceback__ = error.__traceback__ = None


@every_layer
def test_what_shutdown_raises_comes_out_of_a_block_that_went_well(layer: Callable[..., Any]) -> None:
    error = OSError("of the delegate")
    with pytest.raises(OSError, match="of the delegate") as raised, layer(FailsToEnd(error)):
        pass
    assert raised.value is error
    error.__traceback__ = None


class InterruptedOnce(SyncExecutor):
    interrupted = False

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if not self.interrupted:
            self.interrupted = True
            raise KeyboardInterrupt
        super().shutdown(wait, cancel_futures=cancel_futures)


@every_layer
def test_a_ctrl_c_while_the_end_of_a_block_waits_comes_out(layer: Callable[..., Any]) -> None:
    with pytest.raises(KeyboardInterrupt), layer(InterruptedOnce()):
        raise SomeError


async def never_awaited(self: Any, wait: bool = True) -> None: ...


@every_layer
@pytest.mark.parametrize(
    ("shutdown", "words"),
    [
        ("down", "must be a method, not 'down'"),
        (never_awaited, "async def"),
        (lambda self, when, wait=True: None, "missing a required argument: 'when'"),
        (lambda self, when: None, "must take `wait`, or nothing"),
    ],
    ids=["no method", "async def", "one more argument", "another argument"],
)
def test_a_shutdown_that_cannot_be_called_is_noticed_where_the_executor_is_made(
    layer: Callable[..., Any], shutdown: Any, words: str
) -> None:
    kind = type("Odd", (OnlySubmits,), {"shutdown": shutdown})
    with pytest.raises(TypeError, match=r"delegate\.shutdown") as raised:
        layer(kind())
    assert words in str(raised.value)
