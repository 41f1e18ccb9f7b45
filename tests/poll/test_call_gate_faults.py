"""What must not block the gate of polls and cancels for good: odd errors, an interrupt, a lack of memory."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections import deque
from concurrent.futures import Future
from math import inf, nan
from typing import Any

import pytest
from interrupts_at_lines import at_each_line
from paced_support import NotedPoll, PacedClock, clock_fixture, failing, in_both_modes, paced, poll_fixture
from support import PATIENCE, HeardLogger, InThread, listening_to

from more_executors import PollExecutor, SyncExecutor
from more_executors.poll import _cancel_line
from more_executors.poll._cancel_line import CancelLine
from more_executors.rate_limit import RateLimit, Throttled

clock = clock_fixture()
poll = poll_fixture()

THREAD_LOGGER = "more_executors._runtime.executor_thread"

no_time = pytest.mark.parametrize("retry_after", [inf, nan, -1.0, "soon"], ids=str)


def throttled_for(retry_after: Any) -> Throttled:
    """Says something that its class would not have let in."""
    error = Throttled()
    error.retry_after = retry_after
    return error


def wait_for_nothing(descriptors: list[Any]) -> float:
    return inf


@no_time
@in_both_modes
def test_a_pause_that_is_no_time_is_a_fault_and_polling_goes_on_a_second_later(
    clock: PacedClock, poll: NotedPoll, mode: dict[str, Any], retry_after: Any
) -> None:
    with listening_to(THREAD_LOGGER) as heard, paced(poll, default_interval=inf, **mode) as executor:
        clock.run()
        failing(poll, len(poll.calls) + 1, error=lambda: throttled_for(retry_after))
        executor.adopt("a")
        clock.run(100)
        assert poll.times("a") == [0, 1]
        assert len(heard.of_level("ERROR")) == 1
    heard.lines.clear()


@no_time
def test_in_a_cancel_it_is_logged_and_the_next_cancel_asks_at_once(retry_after: Any) -> None:
    errors, logger = [throttled_for(retry_after)], HeardLogger()

    def cancel(result: Any) -> bool:
        if errors:
            raise errors.pop()
        return True

    with PollExecutor(SyncExecutor(), wait_for_nothing, cancel, logger=logger) as executor:
        future = executor.adopt("a")
        answers = [future.cancel(), future.cancel()]
        if not future.done():
            future.set_result(None)
    assert answers == [False, True]
    assert [type(error) in (TypeError, ValueError) for _, _, error in logger.lines] == [True]
    logger.lines.clear()


def test_an_interrupt_while_a_throttled_cancel_begins_a_pause_comes_out() -> None:
    def cancel(result: Any) -> bool:
        raise error

    error = Throttled(0)
    for interrupt in at_each_line():
        with PollExecutor(SyncExecutor(), wait_for_nothing, cancel) as executor:
            future = executor.adopt("a")
            hit = interrupt.hits(future.cancel)
            future.set_result(None)
        assert interrupt.came_out is hit, interrupt.line
    error.__traceback__ = None


# -- the line ----------------------------------------------------------------------------------------------------------


def test_who_is_interrupted_in_line_leaves_it_also_when_its_wait_has_failed() -> None:
    def fail() -> None:
        raise TimeoutError

    def in_turn() -> None:
        with pytest.raises(TimeoutError):
            line.run_in_turn(fail)

    for interrupt in at_each_line():
        line = CancelLine()
        interrupt.hits(in_turn)
        assert (len(line._line), len(line._threads)) == (0, 0), interrupt.line


class Starved(deque[Any]):
    """A line out of which nothing can be taken at first, for a lack of memory."""

    failures = 2

    def remove(self, value: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise MemoryError
        super().remove(value)


def test_who_has_no_memory_to_leave_the_line_leaves_it_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cancel_line, "SECONDS_WITHOUT_MEMORY", 0.0)
    line, order = CancelLine(), list[int]()
    line._line = Starved()
    line.run_in_turn(lambda: order.append(1))
    InThread(line.run_in_turn, lambda: order.append(2)).outcome()
    assert order == [1, 2]


# -- what is kept ------------------------------------------------------------------------------------------------------


class Refuses(RateLimit):
    """Refuses whoever does not wait, and nobody else."""

    def take(self, timeout: float | None = None) -> bool:
        return timeout != 0


def test_a_cancel_in_the_background_keeps_nothing_when_it_is_over() -> None:
    async def cancel(future: Future[Any]) -> bool:
        return future.cancel()

    ended = threading.Event()
    gc.disable()
    try:
        with PollExecutor(SyncExecutor(), wait_for_nothing, lambda result: True, rate_limit=Refuses(1.0)) as executor:
            future = executor.adopt("a")
            future_is = weakref.ref(future)
            future.add_done_callback(lambda _: ended.set())
            assert asyncio.run(cancel(future)) is False
            assert ended.wait(PATIENCE)
        del future
        assert future_is() is None
    finally:
        gc.enable()
