"""Done callbacks: each runs once, in order, on the thread that ended the future, and what it raises stays with it."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from support import (
    EVERY_KIND,
    OUR_KINDS,
    PATIENCE,
    FutureKind,
    Hostile,
    InThread,
    SomeError,
    all_at_once,
    every_end,
    kind_fixture,
)

from more_executors import _core

kind = kind_fixture(EVERY_KIND)
our_kind = kind_fixture(OUR_KINDS)


def raising(error: BaseException) -> Callable[[Future[Any]], None]:
    def callback(future: Future[Any]) -> None:
        raise error

    return callback


@every_end
@pytest.mark.parametrize("count", [1, 2, 5])
def test_callbacks_run_once_each_in_order_with_the_done_future(kind: FutureKind, how: str, count: int) -> None:
    calls: list[tuple[int, Future[Any], bool]] = []
    future = kind.pending()
    for number in range(count):
        future.add_done_callback(lambda future, number=number: calls.append((number, future, future.done())))
    assert not calls
    kind.end(future, how)
    assert calls == [(number, future, True) for number in range(count)]
    future.cancel()
    assert len(calls) == count


@every_end
def test_callbacks_run_on_the_thread_that_ends_the_future(kind: FutureKind, how: str) -> None:
    threads: list[threading.Thread] = []
    future = kind.pending()
    future.add_done_callback(lambda _: threads.append(threading.current_thread()))
    ender = InThread(kind.end, future, how)
    ender.outcome()
    assert threads == [ender]


@every_end
def test_a_callback_of_a_done_future_runs_at_once_on_the_adding_thread(kind: FutureKind, how: str) -> None:
    future = kind.pending()
    InThread(kind.end, future, how).outcome()
    calls: list[tuple[Future[Any], threading.Thread]] = []
    future.add_done_callback(lambda future: calls.append((future, threading.current_thread())))
    assert calls == [(future, threading.current_thread())]


def test_a_callback_added_twice_runs_twice(kind: FutureKind) -> None:
    calls: list[Future[Any]] = []
    future = kind.pending()
    future.add_done_callback(calls.append)
    future.add_done_callback(calls.append)
    kind.finish(future, None)
    assert calls == [future, future]


def test_running_futures_take_callbacks_too(kind: FutureKind) -> None:
    calls: list[Future[Any]] = []
    future = kind.pending()
    kind.start(future)
    future.add_done_callback(calls.append)
    kind.finish(future, None)
    assert calls == [future]


def test_a_callback_added_by_a_callback_runs_at_once(kind: FutureKind) -> None:
    calls: list[str] = []

    def first(future: Future[Any]) -> None:
        calls.append("first begins")
        future.add_done_callback(lambda _: calls.append("added"))
        calls.append("first ends")

    future = kind.pending()
    future.add_done_callback(first)
    future.add_done_callback(lambda _: calls.append("second"))
    kind.finish(future, None)
    assert calls == ["first begins", "added", "first ends", "second"]


def test_a_callback_may_use_the_future_in_every_way(kind: FutureKind) -> None:
    answers: list[Any] = []

    def callback(future: Future[Any]) -> None:
        answers.extend([future.result(), future.exception(), future.cancel(), future.running()])
        with pytest.raises(InvalidStateError):
            future.set_result("another")

    future = kind.pending()
    future.add_done_callback(callback)
    kind.finish(future, "result")
    assert answers == ["result", None, False, False]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_what_a_callback_raises_is_logged_and_disturbs_nothing(
    kind: FutureKind, position: int, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[Future[Any]] = []
    error = SomeError()
    future = kind.pending()
    for number in range(3):
        future.add_done_callback(raising(error) if number == position else calls.append)
    kind.finish(future, "result")
    assert calls == [future, future]
    assert future.result() == "result"
    assert_logged(caplog, error, future)


def test_what_a_callback_of_a_done_future_raises_is_logged(kind: FutureKind, caplog: pytest.LogCaptureFixture) -> None:
    error = SomeError()
    future = kind.pending()
    kind.finish(future, "result")
    future.add_done_callback(raising(error))
    assert_logged(caplog, error, future)


def assert_logged(caplog: pytest.LogCaptureFixture, error: BaseException, future: Future[Any]) -> None:
    """One error was logged, as the standard library does it. What was logged is let go of."""
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("concurrent.futures", logging.ERROR)
    assert record.getMessage() == f"exception calling callback for {future!r}"
    assert record.exc_info
    assert record.exc_info[1] is error
    caplog.clear()


@pytest.mark.parametrize("error_type", [SystemExit, GeneratorExit, KeyboardInterrupt, BaseException])
def test_no_exception_of_a_callback_reaches_the_thread_that_ends_the_future(
    our_kind: FutureKind, error_type: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[Future[Any]] = []
    error = error_type()
    future = our_kind.pending()
    future.add_done_callback(raising(error))
    future.add_done_callback(calls.append)
    InThread(our_kind.finish, future, "result").outcome()
    assert calls == [future]
    assert_logged(caplog, error, future)


@contextmanager
def interrupts_as_usual() -> Iterator[None]:
    """Have an interrupt raise KeyboardInterrupt, also where the tests were started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def finish_and_look_for_signals(kind: FutureKind, future: Future[Any]) -> None:
    kind.finish(future, "result")
    # The interpreter looks for signals here and there, at the latest when a loop goes round.
    for _ in range(1000):
        pass


def test_a_ctrl_c_in_a_callback_is_raised_again_once_all_callbacks_have_run(
    our_kind: FutureKind, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[Future[Any]] = []
    future = our_kind.pending()
    future.add_done_callback(raising(KeyboardInterrupt()))
    future.add_done_callback(calls.append)
    with interrupts_as_usual(), pytest.raises(KeyboardInterrupt):
        finish_and_look_for_signals(our_kind, future)
    assert calls == [future]
    assert future.result() == "result"
    caplog.clear()


def test_a_logger_that_raises_disturbs_nothing(
    our_kind: FutureKind, monkeypatch: pytest.MonkeyPatch, nothing_left_behind: list[BaseException | None]
) -> None:
    failure = SomeError()
    calls: list[Future[Any]] = []
    future = our_kind.pending()
    future.add_done_callback(raising(ValueError()))
    future.add_done_callback(calls.append)
    with monkeypatch.context() as patches:
        patches.setattr(_core.futures_logger, "handle", raising(failure))
        our_kind.finish(future, "result")
    assert calls == [future]
    assert nothing_left_behind == [failure]
    nothing_left_behind.clear()


@pytest.mark.parametrize("callback", [None, 1, "callback", Hostile()], ids=["None", "int", "str", "object"])
def test_what_is_not_callable_is_refused_at_once(our_kind: FutureKind, callback: Any) -> None:
    future = our_kind.pending()
    with pytest.raises(TypeError, match="add_done_callback"):
        future.add_done_callback(callback)
    our_kind.finish(future, None)
    with pytest.raises(TypeError, match="add_done_callback"):
        future.add_done_callback(callback)


class HostileCallable(Hostile):
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, future: Future[Any]) -> None:
        self.calls += 1


def test_callbacks_are_called_and_nothing_else(kind: FutureKind) -> None:
    callbacks = [HostileCallable(), HostileCallable()]
    future = kind.pending()
    for callback in callbacks:
        future.add_done_callback(callback)
    kind.finish(future, Hostile())
    assert [callback.calls for callback in callbacks] == [1, 1]


# A slow callback.
#
# 1. A thread ends the first future, whose callback parks.
# 2. InlineRunner, `result` of that future returns, and a second one of the same executor is ended, callback and all.
# 3. The callback goes on.
def test_a_slow_callback_delays_neither_those_who_wait_nor_other_futures(kind: FutureKind) -> None:
    parked, go_on = threading.Event(), threading.Event()

    def slow(_: Future[Any]) -> None:
        parked.set()
        assert go_on.wait(PATIENCE)

    first, second = kind.pending(), kind.pending()
    first.add_done_callback(slow)
    ender = InThread(kind.finish, first, "first")
    try:
        assert parked.wait(PATIENCE)
        assert first.result(PATIENCE) == "first"
        calls: list[Future[Any]] = []
        second.add_done_callback(calls.append)
        kind.finish(second, "second")
        assert calls == [second]
        late: list[Future[Any]] = []
        first.add_done_callback(late.append)
        assert late == [first]
    finally:
        go_on.set()
        ender.outcome()


def test_callbacks_added_while_the_future_ends_run_once_each(kind: FutureKind) -> None:
    for _ in range(20):
        future = kind.pending()
        calls: list[int] = []

        def add(start: int, future: Future[Any] = future, calls: list[int] = calls) -> None:
            for number in range(start, start + 25):
                future.add_done_callback(lambda _, number=number: calls.append(number))

        all_at_once(partial(add, 0), partial(add, 25), partial(add, 50), partial(kind.finish, future, None))
        assert sorted(calls) == list(range(75))
