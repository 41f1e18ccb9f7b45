"""Tallies: how many futures an executor made, how they ended, and how long that took in all."""

from __future__ import annotations

import gc
import logging
import queue
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest
from support import PATIENCE, ScriptedDelegate, SomeError, all_at_once, said

from more_executors import Executors, PollDescriptor, PollExecutor, SyncExecutor, _core

Counts = tuple[int, int, int, int]


def counts(executor: PollExecutor[Any, Any]) -> Counts:
    """Started, finished, failed, cancelled."""
    counters = executor._table.counters
    return counters.started, counters.finished, counters.failed, counters.cancelled


def finish(descriptors: list[PollDescriptor[Any, Any]]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result()


def fail(descriptors: list[PollDescriptor[Any, Any]]) -> None:
    for descriptor in descriptors:
        descriptor.yield_exception(SomeError)


def raise_error(descriptors: list[PollDescriptor[Any, Any]]) -> None:
    if descriptors:
        raise SomeError


def leave(descriptors: list[PollDescriptor[Any, Any]]) -> None:
    pass


def test_a_new_tally_is_all_zero() -> None:
    with Executors.sync().with_poll(finish) as executor:
        assert counts(executor) == (0, 0, 0, 0)
        assert executor._table.counters.seconds == 0.0
    assert counts(executor) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("poll", "expected"), [(finish, (3, 3, 0, 0)), (fail, (3, 0, 3, 0)), (raise_error, (3, 0, 3, 0))]
)
def test_what_polls_end_is_counted(
    poll: Callable[[list[Any]], None], expected: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    with Executors.sync().with_poll(poll) as executor:
        for _ in range(3):
            executor.submit(int)
    assert counts(executor) == expected
    caplog.clear()


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (lambda future, theirs: None, (1, 0, 0, 0)),
        (lambda future, theirs: theirs.set_running_or_notify_cancel(), (1, 0, 0, 0)),
        (lambda future, theirs: theirs.set_result("polled from now on"), (1, 0, 0, 0)),
        (lambda future, theirs: theirs.set_exception(SomeError()), (1, 0, 1, 0)),
        (lambda future, theirs: theirs.cancel(), (1, 0, 0, 1)),
        (lambda future, theirs: future.cancel(), (1, 0, 0, 1)),
        (lambda future, theirs: [future.cancel(), future.cancel()], (1, 0, 0, 1)),
        (lambda future, theirs: future.set_result("from outside"), (1, 1, 0, 0)),
        (lambda future, theirs: future.set_exception(SomeError()), (1, 0, 1, 0)),
        (lambda future, theirs: [theirs.set_result("polled"), future.cancel()], (1, 0, 0, 1)),
    ],
    ids=["submitted", "running", "polled", "failed", "delegate cancelled", "cancelled", "cancelled twice", "set_result",
         "set_exception", "cancelled while polled"],
)  # fmt: skip
def test_what_ends_without_a_poll_is_counted(
    step: Callable[[Future[Any], Future[Any]], object], expected: Counts
) -> None:
    delegate = ScriptedDelegate()
    executor: PollExecutor[Any, Any] = PollExecutor(delegate, leave)
    future = executor.submit(int)
    step(future, delegate.given[0])
    assert counts(executor) == expected
    if not future.done() and not future.cancel():
        future.set_result(None)
    executor.shutdown()


def test_a_refused_cancel_and_a_late_outcome_count_nothing() -> None:
    taken: queue.SimpleQueue[PollDescriptor[Any, Any]] = queue.SimpleQueue()

    def poll(descriptors: list[PollDescriptor[Any, Any]]) -> None:
        for descriptor in descriptors:
            taken.put(descriptor)

    executor = Executors.sync().with_poll(poll, lambda result: False)
    future = executor.submit(int)
    assert future.cancel() is False
    assert counts(executor) == (1, 0, 0, 0)
    descriptor = taken.get(timeout=PATIENCE)
    descriptor.yield_result("first")
    descriptor.yield_result("late")
    descriptor.yield_exception(SomeError())
    assert future.cancel() is False
    assert counts(executor) == (1, 1, 0, 0)
    executor.shutdown()


class Refusing(SyncExecutor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        raise SomeError


class ReturningNone(SyncExecutor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return None


@pytest.mark.parametrize(("delegate", "error"), [(Refusing, SomeError), (ReturningNone, TypeError)])
def test_what_was_never_handed_out_is_not_counted(delegate: Callable[[], Any], error: type[Exception]) -> None:
    with PollExecutor(delegate(), finish) as executor:
        with pytest.raises(error):
            executor.submit(int)
        assert counts(executor) == (0, 0, 0, 0)
    with pytest.raises(RuntimeError):
        executor.submit(int)
    assert counts(executor) == (0, 0, 0, 0)


def test_what_a_shutdown_cancels_is_counted() -> None:
    executor = Executors.sync().with_poll(leave)
    kept = [executor.submit(int) for _ in range(5)]
    executor.shutdown(cancel_futures=True)
    assert counts(executor) == (5, 0, 0, 5)
    assert all(future.cancelled() for future in kept)


def test_each_executor_has_a_tally_of_its_own() -> None:
    with Executors.sync().with_poll(finish) as inner, inner.with_poll(fail) as outer:
        inner.submit(int)
        outer.submit(int)
    assert counts(inner) == (2, 2, 0, 0)
    assert counts(outer) == (1, 0, 1, 0)


# 1. The futures join the polled list, and wake the poll thread each time.
# 2. Of the first two polls that see them all, one may be due to that. The next one comes after the delay.
# 3. That one resolves them: each has taken 50 ms, or more than 30 by a clock that counts in steps of up to 16.
@pytest.mark.parametrize("number", [1, 20])
def test_seconds_sum_up_how_long_futures_took(number: int) -> None:
    polls: list[int] = []

    def poll(descriptors: list[PollDescriptor[Any, Any]]) -> float:
        polls.append(len(descriptors))
        if polls.count(number) == 3:
            finish(descriptors)
        return 0.05

    before = time.monotonic()
    with Executors.sync().with_poll(poll) as executor:
        for _ in range(number):
            executor.submit(int)
    elapsed = time.monotonic() - before
    assert 0.03 * number < executor._table.counters.seconds < (elapsed + 0.03) * number


def test_a_tally_is_read_only_and_prints_its_counts() -> None:
    with Executors.sync().with_poll(finish) as executor:
        executor.submit(int)
    counters = executor._table.counters
    for name in ["started", "finished", "failed", "cancelled", "seconds"]:
        with pytest.raises(AttributeError):
            setattr(counters, name, 0)
    assert repr(counters).startswith("<Counters started=1 finished=1 failed=0 cancelled=0 seconds=")


def test_among_threads_every_future_is_counted_once() -> None:
    """Some are resolved by the poll thread, some cancelled, some set from outside, all at the same time."""
    executor: PollExecutor[Any, Any] = Executors.sync().with_poll(finish)
    rounds = 300

    def submit_and_end(number: int) -> list[str]:
        ends = []
        for turn in range(rounds):
            future = executor.submit(int)
            if (turn + number) % 3 == 1:
                future.cancel()
            elif (turn + number) % 3 == 2:
                executor.notify()
            outcome = said(future)
            ends.append("finished" if outcome is None else outcome.__name__)
        return ends

    by_thread = all_at_once(*(partial(submit_and_end, number) for number in range(4)))
    ends = [end for ends in by_thread for end in ends]
    executor.shutdown()
    finished, cancelled = ends.count("finished"), ends.count("CancelledError")
    assert finished + cancelled == len(ends) == 4 * rounds
    assert counts(executor) == (4 * rounds, finished, 0, cancelled)


def test_a_future_of_somebody_elses_that_is_lost_counts_as_cancelled() -> None:
    future_source = _core.FutureSource(logging.getLogger("tests"))
    _core.counted(future_source, Future[Any]())
    gc.collect()
    counters = future_source.counters
    assert (counters.started, counters.cancelled, counters.pending) == (1, 1, 0)
