"""Cancelling on top of a chain, or anything below it: every future ends exactly once."""

from __future__ import annotations

import asyncio
import queue
import random
import threading
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest
from chains import (
    ON_A_POOL,
    Counted,
    FlakyError,
    Giving,
    ReadyToCancel,
    all_ended,
    cancel_once_begun,
    ended,
    every_chain,
    every_stack,
    make,
    on_a_pool,
    until_running,
)
from support import PATIENCE, Parking, RecordingPoll, SomeError, all_at_once

from more_executors import Executors, PollExecutor, SyncExecutor


def kept(future: Future[Any], where: queue.SimpleQueue[Future[Any]]) -> Future[Any]:
    where.put(future)
    return future


# -- one at a time ------------------------------------------------------------------------------------------------


@on_a_pool
def test_what_has_not_begun_is_cancelled_and_never_called(chain: str) -> None:
    busy, calls = Parking(), []
    with Executors.thread_pool(max_workers=1) as base:
        base.submit(busy)
        busy.wait_for_one()
        with make(chain, base) as executor:
            future = executor.submit(calls.append, 1)
            cancel_once_begun(future)
            assert future.cancelled()
            assert future.cancel() is True
            with pytest.raises(CancelledError):
                future.result(0)
            busy.let_go()
        assert calls == []


@on_a_pool
def test_a_task_that_runs_refuses_and_goes_on(chain: str) -> None:
    task = Parking("went on")
    with make(chain) as executor:
        future = executor.submit(task)
        task.wait_for_one()
        assert future.cancel() is False
        task.let_go()
        if "cancel_on_shutdown" not in chain:
            assert future.result(PATIENCE) == "went on"
        assert ended(future) in ("result", "cancelled")


@on_a_pool
def test_after_a_refused_cancel_there_are_no_more_attempts(chain: str) -> None:
    task = Parking(raising=FlakyError())
    with make(chain) as executor:
        future = executor.submit(task)
        task.wait_for_one()
        until_running(future)
        assert future.cancel() is False
        task.let_go()
        assert future.exception(PATIENCE) is task.raising
    assert len(task.calls) == 1


@on_a_pool
def test_a_task_can_try_to_cancel_itself(chain: str) -> None:
    its_future: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()

    def task() -> bool:
        return its_future.get(timeout=PATIENCE).cancel()

    with make(chain) as executor:
        future = executor.submit(task)
        its_future.put(future)
        assert future.result(PATIENCE) is False


@on_a_pool
def test_a_callback_can_cancel_all_others(chain: str) -> None:
    go, counted = threading.Event(), Counted()
    with make(chain) as executor:
        first = counted.watch(executor.submit(go.wait, PATIENCE))
        others = [counted.watch(executor.submit(go.wait, PATIENCE)) for _ in range(20)]
        first.add_done_callback(lambda future: [other.cancel() for other in others])
        go.set()
        assert ended(first) == "result"
        assert set(all_ended(others)) <= {"result", "cancelled"}
        counted.assert_each_ended_once()


@every_stack
def test_cancelling_the_asyncio_future_on_top_cancels_all_the_way_down(stack: str) -> None:
    futures: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()

    async def main() -> None:
        future = executor.submit(int)
        below, given = futures.get(timeout=PATIENCE), base.next()
        until_running(below)
        assert future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await future
        assert below.cancelled()
        assert given.cancelled()

    base = Giving(ReadyToCancel)
    top = make(f"base {stack}", base)
    top.submit = lambda fn: kept(type(top).submit(top, fn), futures)
    with top.with_asyncio() as executor:
        asyncio.run(main())
    del top.submit


# -- at random moments --------------------------------------------------------------------------------------------


@every_chain
@pytest.mark.parametrize("seed", range(2))
def test_each_future_ends_once_whenever_it_is_cancelled(chain: str, seed: int) -> None:
    counted, error, submitted = Counted(), SomeError(), threading.Event()

    def task(number: int) -> int:
        if number % 5 == 1:
            raise error
        if number % 5 == 2:
            raise FlakyError
        return number

    def submit() -> None:
        for number in range(50):
            counted.watch(executor.submit(task, number))
        submitted.set()

    def cancel(seed: int) -> None:
        chosen = random.Random(seed)
        while not submitted.is_set() or not all(future.done() for future in counted.futures):
            futures = counted.futures[-8:] if chosen.random() < 0.7 else counted.futures[:]
            if futures:
                future = chosen.choice(futures)
                if future.cancel():
                    assert future.cancelled()

    with make(chain) as executor:
        all_at_once(submit, lambda: cancel(seed), lambda: cancel(100 + seed))
        counted.assert_each_ended_once()
    for number, future in enumerate(counted.futures):
        if future.cancelled():
            continue
        if number % 5 == 1:
            assert future.exception(0) is error
        elif number % 5 == 2:
            assert isinstance(future.exception(0), FlakyError)
        else:
            assert future.result(0) == number


@pytest.mark.parametrize("chain", ON_A_POOL)
def test_of_many_cancels_at_a_time_all_have_the_same_answer_in_the_end(chain: str) -> None:
    busy = Parking()
    with Executors.thread_pool(max_workers=1) as base:
        base.submit(busy)
        busy.wait_for_one()
        with make(chain, base) as executor:
            counted = Counted()
            future = counted.watch(executor.submit(int))
            all_at_once(*[lambda: cancel_once_begun(future)] * 5)
            assert future.cancelled()
            busy.let_go()
            counted.assert_each_ended_once()


def test_after_a_refused_cancel_of_many_there_are_no_more_attempts() -> None:
    polled = RecordingPoll()
    executor = PollExecutor(SyncExecutor(), polled, cancel_many_fn=lambda results: [False] * len(results))
    with executor.with_retry(max_attempts=5, sleep=0) as retrying:
        future = retrying.submit(str, "a")
        (task,) = polled.next_of(1)
        assert executor.cancel_many([future]) == 0
        task.yield_exception(error := SomeError())
        assert future.exception(PATIENCE) is error
    del task, error
