"""StatusPoll as the poll function of executors that poll what is due: in batches, several at a time, on a loop."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from math import inf
from typing import Any

import pytest
from status_poll_support import key, resolve, status
from support import PATIENCE, HeardLogger, SomeError

from more_executors import ExceptionRetryPolicy, PollExecutor, SyncExecutor
from more_executors.rate_limit import Throttled
from more_executors.status_poll import StatusPoll, TaskMissing
from more_executors.status_poll._missing_tasks import MANY_MISSING


@contextmanager
def polling(poll: Any, **options: Any) -> Iterator[PollExecutor[Any, Any]]:
    """An executor that polls what is due; what is left at the end is cancelled."""
    options = {"default_interval": 0.001, "logger": HeardLogger(), "batch_size": 1000, **options}
    executor: PollExecutor[Any, Any] = PollExecutor(SyncExecutor(), poll, **options)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def results(futures: list[Any]) -> list[Any]:
    return [future.result(PATIENCE) for future in futures]


def test_it_asks_about_a_batch_at_a_time() -> None:
    asked: list[list[int]] = []

    def fetch(ids: list[int]) -> list[Any]:
        asked.append(ids)
        return [status(each) for each in ids]

    with polling(StatusPoll(fetch, key, resolve), batch_size=10) as executor:
        assert results(executor.adopt_many(range(95))) == list(range(95))
    assert max(map(len, asked)) == 10
    assert sorted(chain(*asked)) == list(range(95))


def test_a_batch_is_of_one_group_by_which_fetch_can_choose_whom_to_ask() -> None:
    def fetch(ids: list[tuple[str, int]]) -> list[Any]:
        ((region),) = {region for region, _ in ids}
        return [status((region, number)) for _, number in ids]

    tasks = [(region, number) for number in range(20) for region in ("here", "there")]
    with polling(StatusPoll(fetch, key, resolve), group_by=lambda task: task[0]) as executor:
        assert results(executor.adopt_many(tasks)) == tasks


def test_several_calls_at_a_time_ask_about_different_tasks() -> None:
    calls = 4
    asked: list[list[int]] = []
    all_there = threading.Event()

    def fetch(ids: list[int]) -> list[Any]:
        asked.append(ids)
        if len(asked) >= calls:
            all_there.set()
        assert all_there.wait(PATIENCE), "no other calls"
        return [status(each) for each in ids]

    with polling(StatusPoll(fetch, key, resolve), batch_size=5, max_concurrency=calls) as executor:
        assert results(executor.adopt_many(range(5 * calls))) == list(range(5 * calls))
    assert sorted(chain(*asked)) == list(range(5 * calls))


def test_an_async_fetch_is_called_on_the_loop_of_the_executor() -> None:
    calls, threads = 20, set()

    async def main_of_fetch(ids: list[int]) -> list[Any]:
        threads.add(threading.current_thread().name)
        while len(running) < calls:
            running.add(asyncio.current_task())
            await asyncio.sleep(0)
        return [status(each) for each in ids]

    running: set[Any] = set()
    with polling(StatusPoll(main_of_fetch, key, resolve), batch_size=1, max_concurrency=calls, name="x") as executor:
        assert results(executor.adopt_many(range(calls))) == list(range(calls))
    assert threads == {"PollExecutor-x-loop"}
    running.clear()


@pytest.mark.parametrize("bad", [None, SomeError()], ids=["of the wrong type", "that is an error"])
def test_a_retry_policy_decides_on_a_reply(bad: Any) -> None:
    replies: list[Any] = [bad, bad, [status(1)]]

    def fetch(ids: list[int]) -> Any:
        reply = replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    policy = ExceptionRetryPolicy(max_attempts=3, sleep=0)
    with polling(StatusPoll(fetch, key, resolve, missing_after=0), retry_policy=policy) as executor:
        assert executor.adopt(1).result(PATIENCE) == 1
    assert replies == []


def test_a_task_whose_resolve_was_throttled_is_polled_again() -> None:
    refused: list[int] = []

    def resolve(descriptor: Any, status: dict[str, Any]) -> None:
        if descriptor.result not in refused:
            refused.append(descriptor.result)
            raise Throttled(0)
        descriptor.yield_result(status["id"])

    poll = StatusPoll(lambda ids: [status(each) for each in ids], key, resolve, missing_after=0)
    with polling(poll) as executor:
        assert results(executor.adopt_many([1, 2, 3])) == [1, 2, 3]
        assert executor.stats().throttled == 3
    assert sorted(refused) == [1, 2, 3]


def test_a_missing_task_fails_while_others_go_on() -> None:
    poll = StatusPoll(lambda ids: [status(1, "running")], key, resolve, missing_after=0.01)
    with polling(poll) as executor:
        there, gone = executor.adopt_many([1, 2])
        error = gone.exception(PATIENCE)
        assert isinstance(error, TaskMissing)
        assert error.task_id == 2
        assert error.seconds >= 0.01
        assert not there.done()


def test_tasks_that_are_cancelled_while_missing_are_forgotten() -> None:
    asked: queue.SimpleQueue[int] = queue.SimpleQueue()

    def fetch(ids: list[int]) -> list[Any]:
        for each in ids:
            asked.put(each)
        return []

    def adopt(results: range) -> None:
        """Adopt them, and wait until a call that asked about the last of them is over: there is one at a time."""
        executor.adopt_many(results)
        assert sorted(asked.get(timeout=PATIENCE) for _ in results) == list(results)
        executor.adopt(-1)
        assert asked.get(timeout=PATIENCE) == -1

    poll = StatusPoll(fetch, key, resolve, missing_after=60)
    with polling(poll, default_interval=inf, min_interval=0) as executor:
        first, second = range(2 * MANY_MISSING), range(5000, 5000 + 4 * MANY_MISSING)
        adopt(first)
        assert {descriptor.result for descriptor in list(poll._missing.since)}.issuperset(first)
        assert executor.cancel_all() == len(first) + 1
        adopt(second)
        remembered = {descriptor.result for descriptor in list(poll._missing.since)}
        assert remembered.issuperset(second)
        assert remembered.isdisjoint(first)
    poll._missing.since.clear()
