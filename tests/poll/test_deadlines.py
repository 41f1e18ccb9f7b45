"""`timeout`: what has been polled for too long fails, and is cancelled elsewhere, in the background."""

from __future__ import annotations

import builtins
import gc
import queue
import random
import re
import sys
import threading
import weakref
from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest
from support import (
    PATIENCE,
    DuckDelegate,
    HeardLogger,
    InThread,
    Parking,
    RecordingPoll,
    SomeError,
    SteppedPoll,
    all_at_once,
    is_gone,
    said,
)

from more_executors import PollExecutor, SyncExecutor, _core
from more_executors.poll import _engine
from more_executors.rate_limit import RateLimit, Throttled

NEVER = 3600.0
TEXT = r"^%s is not done after \d+\.\d s$"

# In either way of polling.
MODES: dict[str, dict[str, Any]] = {
    "whole list": {},
    "what is due": {"batch_size": 10},
    "on threads": {"max_concurrency": 2},
}
every_mode = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


def wait_for_nothing(descriptors: list[Any]) -> float:
    return NEVER


class Told:
    """A function that is called with what is late: `next()` gives it; `threads` has who called."""

    def __init__(self) -> None:
        self._results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.threads: list[threading.Thread] = []

    def __call__(self, result: Any) -> None:
        self.threads.append(threading.current_thread())
        self._results.put(result)

    def next(self) -> Any:
        return self._results.get(timeout=PATIENCE)


@every_mode
def test_a_late_task_fails_and_says_how_long_it_waited_and_is_then_cancelled_on_a_thread_of_its_own(mode: Any) -> None:
    cancel, order = Told(), []
    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel, name="it", timeout=0.01, **mode) as executor:
        future = executor.submit(str, "key")
        future.add_done_callback(lambda _: order.append(len(cancel.threads)))
        error = future.exception(PATIENCE)
        assert type(error) is builtins.TimeoutError
        assert re.match(TEXT % "'key'", str(error))
        assert cancel.next() == "key"
        assert [thread.name for thread in cancel.threads] == ["PollExecutor-it-cancel-1"]
        assert order == [0]  # it had failed before
        assert executor.outstanding() == []


@every_mode
@pytest.mark.parametrize("own", [0, 0.01])
def test_a_task_that_is_adopted_may_have_a_timeout_of_its_own(mode: Any, own: float) -> None:
    with PollExecutor(SyncExecutor(), wait_for_nothing, timeout=NEVER, **mode) as executor:
        patient, late = executor.adopt("patient"), executor.adopt("late", timeout=own)
        several = executor.adopt_many(range(3), timeout=own)
        for future in (late, *several):
            assert said(future) is builtins.TimeoutError
        assert not patient.done()
        assert executor.cancel_all() == 1


def test_an_infinite_timeout_of_its_own_is_none() -> None:
    poll = RecordingPoll()
    with PollExecutor(SyncExecutor(), poll, timeout=0) as executor:
        for_ever, late = executor.adopt("for ever", timeout=inf), executor.adopt("late")
        assert said(late) is builtins.TimeoutError
        assert [task.result for task in executor.outstanding()] == ["for ever"]
        for_ever.cancel()


def test_the_time_with_the_delegate_does_not_count() -> None:
    delegate: Any = DuckDelegate()
    with PollExecutor(delegate, wait_for_nothing, timeout=0) as executor:
        future = executor.submit(str)
        other = executor.adopt("other")
        assert said(other) is builtins.TimeoutError
        assert not future.done()
        delegate.given[0].end("key")
        assert re.match(TEXT % "'key'", str(future.exception(PATIENCE)))


class Unspeakable:
    def __repr__(self) -> str:
        raise SomeError


def test_a_result_that_cannot_be_told_is_named_after_its_class_in_the_message() -> None:
    with PollExecutor(SyncExecutor(), wait_for_nothing) as executor:
        error = executor.adopt(Unspeakable(), timeout=0).exception(PATIENCE)
        assert re.match(TEXT % r"<Unspeakable instance at 0x\w+>", str(error))


@pytest.mark.parametrize(("timeout", "error"), [("1", TypeError), ([], TypeError), (-1, ValueError), (nan, ValueError)])
def test_what_is_no_timeout_is_refused(timeout: Any, error: type[Exception]) -> None:
    with PollExecutor(SyncExecutor(), wait_for_nothing) as executor:
        with pytest.raises(error, match="timeout"):
            executor.adopt("key", timeout=timeout)
        with pytest.raises(error, match="timeout"):
            executor.adopt_many(["key"], timeout=timeout)
        assert executor.stats().outstanding == 0


# -- the cancel function changes nothing ---------------------------------------------------------------------------


@pytest.mark.parametrize("error", [SomeError(), SystemExit()], ids=repr)
def test_what_the_cancel_function_raises_is_logged_and_changes_nothing(error: BaseException) -> None:
    logger, told = HeardLogger(), Told()

    def cancel(result: Any) -> None:
        told(result)
        if result == "first":
            raise error

    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel, logger=logger) as executor:
        futures = executor.adopt_many(["first", "second"], timeout=0)
        assert [said(future) for future in futures] == [builtins.TimeoutError] * 2
        assert (told.next(), told.next()) == ("first", "second")
    assert [level for level, _, _ in logger.lines] == ["ERROR"]
    error.__traceback__ = None


@every_mode
def test_a_cancel_function_that_hangs_holds_up_neither_polls_nor_deadlines(mode: Any) -> None:
    cancel, poll = Parking(), RecordingPoll()
    with PollExecutor(SyncExecutor(), poll, cancel, **mode) as executor:
        first = executor.adopt("first", timeout=0)
        assert said(first) is builtins.TimeoutError
        cancel.wait_for_one()
        second = executor.adopt("second", timeout=0)
        assert said(second) is builtins.TimeoutError
        third = executor.adopt("third")
        poll.next_with(["third"])[0].yield_result("polled")
        assert third.result(PATIENCE) == "polled"
        assert first.cancel() is False
        cancel.let_go()


def test_the_cancel_function_may_use_the_executor_as_nothing_is_held() -> None:
    answers: list[Any] = []
    done = threading.Event()

    def cancel(result: Any) -> bool:
        if result == "late":
            answers.append((executor.outstanding(), executor.stats().failed, executor.adopt("new").cancel()))
            executor.shutdown()  # does not wait here: it would be for itself
            done.set()
        return True

    executor = PollExecutor(SyncExecutor(), wait_for_nothing, cancel)
    executor.adopt("late", timeout=0)
    assert done.wait(PATIENCE)
    assert answers == [([], 1, True)]


def test_late_tasks_are_cancelled_many_at_once_where_there_is_a_function_for_it() -> None:
    asked: list[list[Any]] = []

    def cancel_many(results: list[Any]) -> list[bool]:
        asked.append(results)
        return [True for _ in results]

    poll = SteppedPoll()
    executor = PollExecutor(SyncExecutor(), poll, cancel_many_fn=cancel_many, batch_size=2)
    executor.adopt("first")
    call = poll.next()  # while this goes on, deadlines pass
    executor.adopt_many(range(5), timeout=0)
    call.descriptors[0].yield_result()
    call.end()
    for _ in range(3):
        poll.next().end()  # the last look at them
    executor.shutdown()
    assert sorted(len(results) for results in asked)[-1] <= 2
    assert sorted(result for results in asked for result in results) == list(range(5))


def test_a_late_task_whose_cancel_is_throttled_stays_failed() -> None:
    told = Told()

    def cancel(result: Any) -> None:
        told(result)
        raise Throttled(0)

    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel, rate_limit=RateLimit(1000)) as executor:
        future = executor.adopt("late", timeout=0)
        assert said(future) is builtins.TimeoutError
        assert told.next() == "late"


# -- at the same time ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["finish", "cancel"])
def test_what_ends_just_when_its_time_is_over_ends_once(end: str) -> None:
    table = _core.FullListTable(HeardLogger())
    executor = object()
    for _ in range(200):
        future = table.adopt(executor, "key", 0.0)
        (descriptor,) = table.take_all()
        ends: list[str] = []
        future.add_done_callback(lambda _, ends=ends: ends.append("once"))  # type: ignore[misc]
        finish: Callable[[], Any] = future.cancel if end == "cancel" else partial_yield(descriptor)
        (late, next_late), _ = all_at_once(table.fail_late, finish)
        if not future.done():
            late, next_late = table.fail_late()
        assert ends == ["once"]
        assert next_late == inf
        assert late == (["key"] if said(future, 0) is builtins.TimeoutError else [])
        del descriptor, future, finish
    assert len(table) == 0


def partial_yield(descriptor: Any) -> Callable[[], Any]:
    return lambda: descriptor.yield_result("in time")


def test_a_hundred_thousand_different_deadlines_come_in_order_and_leave_nothing_when_the_futures_end() -> None:
    count = 100_000
    table = _core.FullListTable(HeardLogger())
    seconds = [n / 1000 + 100 for n in range(count)]
    random.Random(1).shuffle(seconds)
    futures = [table.adopt(table, n, at) for n, at in enumerate(seconds)]
    late, first = table.fail_late()
    assert (late, first < inf) == ([], True)
    before = sys.getallocatedblocks()
    for future in futures:
        future.cancel()
    assert table.fail_late() == ([], inf)
    assert before - sys.getallocatedblocks() > 3 * count  # a timer, a task and more for each
    assert len(table) == 0


def test_deadlines_that_have_passed_are_seen_to_some_at_a_time() -> None:
    table = _core.FullListTable(HeardLogger())
    futures = [table.adopt(table, n, 0.0) for n in range(10_000)]
    found: list[Any] = []
    while len(found) < len(futures):
        late, _ = table.fail_late()
        assert 0 < len(late) <= 4096
        found += late
    assert found == list(range(10_000))
    assert {type(future.exception(0)) for future in futures} == {builtins.TimeoutError}


def test_a_deadline_that_is_sooner_than_the_others_wakes_the_executor() -> None:
    with PollExecutor(SyncExecutor(), RecordingPoll(), name="it") as executor:
        far = executor.adopt("far", timeout=NEVER)
        near = InThread(lambda: said(executor.adopt("near", timeout=0.01)))
        assert near.outcome() is builtins.TimeoutError
        far.cancel()


def test_while_late_tasks_are_cancelled_the_executor_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_engine.PollEngine, "seconds_for_a_last_look", 0.01)
    cancelling = Parking()
    executor = PollExecutor(SyncExecutor(), wait_for_nothing, cancelling, timeout=0.0)
    assert isinstance(executor.adopt("a").exception(PATIENCE), TimeoutError)
    cancelling.wait_for_one()
    reference = weakref.ref(executor)
    del executor
    gc.collect()
    kept = reference() is not None
    cancelling.let_go()
    assert kept
    assert is_gone(reference)
