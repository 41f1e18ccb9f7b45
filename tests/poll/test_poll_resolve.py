"""Descriptors and their futures: what resolves one, with what, and what comes too late."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from math import inf
from typing import Any

import pytest
from support import (
    PATIENCE,
    InThread,
    RecordingPoll,
    ScriptedDelegate,
    SteppedPoll,
    listening_to,
    polling,
)

from more_executors import Executors, PollExecutor, SyncExecutor


@pytest.mark.parametrize(
    ("resolve", "result"),
    [
        (lambda d: d.yield_result("done"), "done"),
        (lambda d: d.yield_result(result="done"), "done"),
        (lambda d: d.yield_result(d.result), "key"),
        (lambda d: d.yield_result(), None),
    ],
)
@pytest.mark.parametrize("where", ["in the poll", "after it", "on another thread"])
def test_yield_result_resolves_the_future(resolve: Callable[[Any], object], result: object, where: str) -> None:
    poll = SteppedPoll()

    def poll_fn(descriptors: list[Any]) -> Any:
        outcome = poll(descriptors)
        if where == "in the poll":
            for descriptor in descriptors:
                resolve(descriptor)
        return outcome

    with PollExecutor(SyncExecutor(), poll_fn) as executor:
        poll.next().end()
        future = executor.submit(str, "key")
        call = poll.next()
        if where == "on another thread":
            InThread(resolve, call.descriptors[0]).outcome()
            assert future.done()
        call.end()
        if where == "after it":
            executor.notify()
            poll.next().end()
            resolve(call.descriptors[0])
        assert future.result(PATIENCE) is result or future.result(0) == result


def test_yield_exception_fails_the_future_with_that_very_exception() -> None:
    poll = RecordingPoll()
    with polling(poll) as executor:
        future = executor.submit(str, "a")
        error = ValueError("of the task")
        poll.next_of(1)[0].yield_exception(exception=error)
        assert future.exception(0) is error
        assert error.__traceback__ is None


def test_yield_exception_takes_a_traceback() -> None:
    poll = RecordingPoll()
    with polling(poll) as executor:
        future = executor.submit(str, "a")
        error = ValueError("of the task")
        try:
            _ = 1 / 0
        except ZeroDivisionError as other:
            trace = other.__traceback__
        poll.next_of(1)[0].yield_exception(error, traceback=trace)
        assert future.exception(0) is error
        assert error.__traceback__ is trace


def test_yield_exception_makes_an_instance_of_a_class() -> None:
    poll = RecordingPoll()
    with polling(poll) as executor:
        future = executor.submit(str, "a")
        poll.next_of(1)[0].yield_exception(KeyError)
        assert type(future.exception(0)) is KeyError


class MakesNoError(Exception):
    def __new__(cls) -> Any:
        return 42


@pytest.mark.parametrize("value", [None, 42, "text", object, int, MakesNoError, UnicodeDecodeError], ids=repr)
def test_yield_exception_refuses_what_is_no_exception(value: Any) -> None:
    poll = RecordingPoll()
    with polling(poll) as executor:
        future = executor.submit(str, "a")
        (descriptor,) = poll.next_of(1)
        with pytest.raises(TypeError):
            descriptor.yield_exception(value)
        with pytest.raises(TypeError):
            descriptor.yield_exception(ValueError(), "no traceback")  # type: ignore[arg-type]
        assert not future.done()


@pytest.mark.parametrize("first", ["result", "error", "cancelled"])
def test_what_is_yielded_to_a_done_future_does_nothing(caplog: pytest.LogCaptureFixture, first: str) -> None:
    poll = RecordingPoll()
    with polling(poll) as executor:
        caplog.set_level(logging.DEBUG)
        future = executor.submit(str, "a")
        (descriptor,) = poll.next_of(1)
        calls: list[Any] = []
        future.add_done_callback(calls.append)
        error = ValueError("first")
        if first == "result":
            descriptor.yield_result(first)
        elif first == "error":
            descriptor.yield_exception(error)
        else:
            assert future.cancel()
        descriptor.yield_result("late")
        descriptor.yield_result()
        descriptor.yield_exception(KeyError)
        descriptor.yield_exception(KeyError("late"))
        assert future.cancelled() == (first == "cancelled")
        if first == "result":
            assert future.result(0) == first
        elif first == "error":
            assert future.exception(0) is error
        assert calls == [future]
        calls.clear()
        assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


def test_an_exception_that_comes_too_late_is_left_as_it_is() -> None:
    poll = RecordingPoll()
    with polling(poll) as executor:
        executor.submit(str, "a")
        (descriptor,) = poll.next_of(1)
        descriptor.yield_result()
        late = KeyError("late")
        try:
            _ = 1 / 0
        except ZeroDivisionError as other:
            descriptor.yield_exception(late, other.__traceback__)
        assert late.__traceback__ is None


def test_a_polled_future_is_not_running_and_one_with_the_delegate_runs_as_that_says() -> None:
    poll = RecordingPoll()
    delegate = ScriptedDelegate()
    with PollExecutor(delegate, poll) as executor:
        future = executor.submit(int)
        assert not future.running()
        assert "pending" in repr(future)
        delegate.given[0].set_running_or_notify_cancel()
        assert future.running()
        assert "running" in repr(future)
        delegate.given[0].set_result(1)
        assert not future.running()
        assert "pending" in repr(future)
        poll.next_of(1)[0].yield_result()
        assert not future.running()


def test_callbacks_run_once_on_the_thread_that_resolves_and_their_errors_disturb_nothing() -> None:
    poll = RecordingPoll()
    with polling(poll) as executor:
        calls: list[tuple[str, threading.Thread]] = []

        def note(name: str) -> Callable[[Any], None]:
            return lambda future: calls.append((name, threading.current_thread()))

        def fail(future: Any) -> None:
            raise SystemExit("of a callback")

        future = executor.submit(str, "a")
        with listening_to("concurrent.futures") as heard:
            for callback in (note("first"), fail, note("second")):
                future.add_done_callback(callback)
            thread = InThread(poll.next_of(1)[0].yield_result, 1)
            thread.outcome()
            future.add_done_callback(note("late"))
        assert calls == [("first", thread), ("second", thread), ("late", threading.current_thread())]
        assert [type(error) for _, _, error in heard.lines] == [SystemExit]
        assert heard.lines[0][0] == "ERROR"


def test_map_gives_what_is_yielded() -> None:
    def poll_fn(descriptors: list[Any]) -> float:
        for descriptor in descriptors:
            descriptor.yield_result(descriptor.result * 10)
        return inf

    with Executors.thread_pool(max_workers=2).with_poll(poll_fn) as executor:
        assert list(executor.map(abs, [-1, 2, -3], timeout=PATIENCE)) == [10, 20, 30]
