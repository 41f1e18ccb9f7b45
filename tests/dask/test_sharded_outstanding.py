"""What `outstanding()` of an executor with shards says of each task: its shard is asked."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("distributed")

from dask_support import wait_until
from shard_support import Books, FakeWorkers, sharded_executor, start_task, the_books
from support import PATIENCE

from more_executors import Backoff, Executors, RetryPolicy
from more_executors.dask.sharded import _on_worker, _service
from more_executors.poll import PollExecutor

FOR_EVER = 20 * PATIENCE  # seconds: so long a shard waits for its client, and a call at it for what is to say


class OnceMore(RetryPolicy):
    def should_retry(self, attempt: int, future: Any) -> bool:
        return True

    def sleep_time(self, attempt: int, future: Any) -> float:
        return FOR_EVER


def poll_and_fail(descriptors: list[Any]) -> None:
    raise KeyError("the service is ill")


def make_scheduled() -> PollExecutor[Any, Any, Any]:
    often = Backoff(0.01, factor=1.0)
    return Executors.thread_pool(2).with_poll(the_books().poll, schedule=often, default_interval=0.01)


def make_failing() -> PollExecutor[Any, Any, Any]:
    return Executors.thread_pool(2).with_poll(poll_and_fail, retry_policy=OnceMore(), default_interval=0.0)


def looks(workers: FakeWorkers) -> int:
    return sum(name == "look_at" for _, name in workers.calls)


def test_states_are_those_that_the_shards_have_heard(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once, books.state = False, "queued"
    with sharded_executor(shards=2) as executor:
        futures = executor.submit_many(start_task, range(20))
        adopted = executor.adopt("adopted")
        wait_until(lambda: [task.state for task in executor.outstanding()] == ["queued"] * 21)
        rows = executor.outstanding()
        assert {row.future for row in rows} == {*futures, adopted}
        assert {row.result for row in rows} == {*books.polled}
        assert {(row.polls, row.failures, row.progress) for row in rows} == {(None, 0, None)}  # it has whole lists
        books.ends_at_once = True
    assert executor.outstanding() == []


def test_polls_are_counted_where_the_shard_counts_them(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=2, make=make_scheduled) as executor:
        executor.submit_many(start_task, range(4))
        wait_until(
            lambda: all((task.polls or 0) > 2 for task in executor.outstanding()) and executor.stats().polled == 4
        )
        books.ends_at_once = True


def test_failures_are_those_of_the_shard(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor(shards=1, make=make_failing) as executor:
        future = executor.submit(start_task, "a")
        wait_until(lambda: [(task.polls, task.failures) for task in executor.outstanding()] == [(None, 1)])
        future.cancel()


def test_what_no_shard_tells_of_is_not_known(
    workers: FakeWorkers, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.ends_at_once, books.state = False, "queued"
    with sharded_executor(shards=2) as executor:
        executor.submit_many(start_task, range(4))
        wait_until(lambda: [task.state for task in executor.outstanding()] == ["queued"] * 4)
        gone = next(iter(_on_worker._hosts))

        async def look_at(name: str, numbers: bytes) -> bytes:
            return await _on_worker.look_at("nobody" if name == gone else name, numbers)

        monkeypatch.setattr(_service, "look_at", look_at)
        states = [task.state for task in executor.outstanding(timeout=FOR_EVER)]  # nobody waits for that one
        books.ends_at_once = True
    assert sorted(states, key=str) == [None, None, "queued", "queued"]


def test_a_shard_that_does_not_answer_holds_nobody_up(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once, books.state = False, "queued"
    with sharded_executor(shards=2) as executor:
        executor.submit_many(start_task, range(4))
        wait_until(lambda: [task.state for task in executor.outstanding()] == ["queued"] * 4)
        workers.frozen.update(workers.addresses)
        assert [task.state for task in executor.outstanding(timeout=0.001)] == [None] * 4
        workers.frozen.clear()
        books.ends_at_once = True


def test_nobody_is_asked_if_there_is_no_time(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once, books.state = False, "queued"
    with sharded_executor(shards=2) as executor:
        assert executor.outstanding() == []
        executor.submit_many(start_task, range(4))
        wait_until(lambda: executor.stats().polled == 4)
        assert [(task.state, task.polls, task.failures) for task in executor.outstanding(0)] == [(None, None, 0)] * 4
        assert looks(workers) == 0
        assert len(executor.outstanding(float("inf"))) == 4
        assert looks(workers) == 2  # one for each shard
        with pytest.raises(ValueError, match="timeout must be 0 s or more, not -1"):
            executor.outstanding(-1)
        books.ends_at_once = True


def test_it_is_the_same_through_a_layer(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once, books.state = False, "queued"
    with sharded_executor(shards=1).with_map(str) as executor:
        executor.submit(start_task, "a")
        wait_until(lambda: [task.state for task in executor.outstanding()] == ["queued"])
        books.ends_at_once = True
