"""Calls that fail while others go on: each for itself, and all of a row with one line in the log."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import pytest
from paced_support import begin, end, new_table, paced, results
from support import PATIENCE, HeardLogger, Parking, PollCall, SomeError, SteppedPoll

from more_executors import _core
from more_executors.poll import _call, _gate, _scheduler
from more_executors.poll._bursts import Bursts
from more_executors.poll._gate import CallGate
from more_executors.poll._scheduler import DueScheduler
from more_executors.rate_limit import RateLimit


def test_errors_stay_in_their_batch() -> None:
    stepped = SteppedPoll()
    with paced(stepped, batch_size=1, max_concurrency=3, logger=HeardLogger()) as executor:
        futures = executor.adopt_many(range(3))
        calls = begin(stepped, 3)
        (bad,) = results(calls[:1])
        calls[0].end(raising=SomeError())
        assert isinstance(futures[bad].exception(PATIENCE), SomeError)
        end(calls[1:])
        assert [future.result(PATIENCE) for i, future in enumerate(futures) if i != bad] == [
            i for i in range(3) if i != bad
        ]
        calls[0].descriptors.clear()
        del futures


def test_a_row_of_failures_is_logged_once_although_calls_overlap() -> None:
    logger = HeardLogger()
    stepped = SteppedPoll()
    with paced(stepped, batch_size=1, max_concurrency=3, logger=logger) as executor:
        futures = executor.adopt_many(range(30))
        for _ in range(10):
            for call in begin(stepped, 3):
                call.end(raising=SomeError())
                call.descriptors.clear()
        assert all(isinstance(future.exception(PATIENCE), SomeError) for future in futures)
        del futures
    assert [level for level, _, _ in logger.lines] == ["WARNING"]
    logger.lines.clear()


class ParkedLogger(HeardLogger):
    """Holds up who logs."""

    def __init__(self) -> None:
        super().__init__()
        self.parking = Parking()

    def handle(self, record: logging.LogRecord) -> None:
        super().handle(record)
        self.parking()


def test_a_failure_while_the_first_of_a_row_is_being_logged_is_not_logged() -> None:
    # 1. A call fails, and its thread is held up as it logs that. 2. Another fails: that is not logged, but goes on.
    logger = ParkedLogger()
    stepped = SteppedPoll()
    with paced(stepped, batch_size=1, max_concurrency=2, logger=logger) as executor:
        futures = executor.adopt_many(range(2))
        first, second = begin(stepped, 2)
        (held_up,) = results([first])
        first.end(raising=SomeError())
        logger.parking.wait_for_one()
        second.end(raising=SomeError())
        assert isinstance(futures[1 - held_up].exception(PATIENCE), SomeError)
        logger.parking.let_go()
        assert isinstance(futures[held_up].exception(PATIENCE), SomeError)
        for call in (first, second):
            call.descriptors.clear()
        del futures
    assert len(logger.lines) == 1
    logger.lines.clear()


class FailingClock:
    """A clock of a rate limit: it fails when it is asked from within a call of the poll function, the first time."""

    def __init__(self) -> None:
        self.failed = False

    def __call__(self) -> float:
        caller = sys._getframe(2)  # of the gate, which asks the clock
        if caller.f_code.co_filename == _call.__file__ and not self.failed:
            self.failed = True
            raise MemoryError
        return time.monotonic()


def test_tasks_of_a_call_on_a_thread_that_cannot_begin_are_polled_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_call, "SECONDS_AFTER_ERROR", 0.0)
    clock = FailingClock()
    limit = RateLimit(1e6, clock=clock)

    def poll(descriptors: list[Any]) -> None:
        for descriptor in descriptors:
            descriptor.yield_result("done")

    with paced(poll, max_concurrency=2, rate_limit=limit) as executor:
        futures = executor.adopt_many(range(3))
        assert [future.result(PATIENCE) for future in futures] == ["done"] * 3
    assert executor.stats().in_calls == 0
    assert clock.failed
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    caplog.clear()


def test_a_failure_is_logged_again_when_as_many_calls_have_succeeded_as_went_on() -> None:
    # A call that ends without a result is followed by another of the same task: then the first is counted.
    logger = HeardLogger()
    stepped = SteppedPoll()

    def succeed(call: PollCall, times: int) -> PollCall:
        for _ in range(times):
            call.end(0.0)
            call.descriptors.clear()
            call = stepped.next()
        return call

    def fail(call: PollCall) -> None:
        [number] = results([call])
        call.end(raising=SomeError())
        assert isinstance(futures[number].exception(PATIENCE), SomeError)
        call.descriptors.clear()

    with paced(stepped, batch_size=1, max_concurrency=3, logger=logger) as executor:
        futures = executor.adopt_many(range(3))
        first, second, third = begin(stepped, 3)
        fail(first)  # two others go on: these may fail for the same reason, and one success proves nothing
        assert len(logger.lines) == 1
        second, third = succeed(second, 1), succeed(third, 1)
        second = succeed(second, 1)
        fail(third)
        assert len(logger.lines) == 2
        second = succeed(second, 2)
        fail(second)
        assert len(logger.lines) == 3
        futures += executor.adopt_many([3, 4])
        first, second = begin(stepped, 2)
        first = succeed(first, 1)
        fail(second)  # the first of a row, and the other goes on
        assert len(logger.lines) == 4
        first = succeed(first, 1)
        fail(first)
        assert len(logger.lines) == 4
    logger.lines.clear()


class BeginsNothingAtFirst:
    """A runner: calls are begun from the second time on."""

    def __init__(self) -> None:
        self.begun: list[list[Any]] = []
        self.fails = True

    def has_room(self) -> bool:
        return True

    def start(self, tasks: list[Any], late: float) -> bool:
        if self.fails:
            self.fails = False
            raise MemoryError
        self.begun.append([task.result for task in tasks])
        return False


def test_tasks_of_a_call_that_cannot_begin_are_in_one_a_second_later(monkeypatch: pytest.MonkeyPatch) -> None:
    now, runner = 1000.0, BeginsNothingAtFirst()
    for module in (_core, _gate, _scheduler):
        monkeypatch.setattr(module, "monotonic", lambda: now)
    table: Any = new_table()
    bursts: Any = Bursts(table, None, 0.0)  # type: ignore[arg-type]
    rounds = DueScheduler(table, runner, CallGate(None), bursts, spacing=_core.RoundSpacing(0.0, 0.0), batch_size=10)
    table.adopt_many(table, ["a", "b"])
    with pytest.raises(MemoryError):
        rounds.turn()
    assert rounds.turn() == 1.0
    now += 1
    rounds.turn()
    assert runner.begun == [["a", "b"]]
    table.cancel_all()


def test_an_async_call_whose_clock_fails_leaves_its_tasks_to_be_polled_again(caplog: pytest.LogCaptureFixture) -> None:
    async def poll(descriptors: list[Any]) -> None:
        polls.append([descriptor.result for descriptor in descriptors])
        if len(polls) > 1:
            for descriptor in descriptors:
                descriptor.yield_result("done")

    class FailsOnce(RateLimit):
        def succeeded(self, began: float) -> None:
            if len(polls) == 1:
                raise SomeError
            super().succeeded(began)

    polls: list[Any] = []
    with paced(poll, rate_limit=FailsOnce(1e6)) as executor:
        future = executor.adopt("a")
        assert future.result(PATIENCE) == "done"
    assert executor.stats().in_calls == 0
    assert polls == [["a"], ["a"]]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    caplog.clear()
