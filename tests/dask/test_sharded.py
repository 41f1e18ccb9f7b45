"""Polling by shards, on workers that are all in this process: what users get."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import CancelledError, wait
from functools import partial
from math import inf
from typing import Any

import pytest

pytest.importorskip("distributed")

from shard_support import (
    Books,
    FakeWorkers,
    Gate,
    fake_workers,
    make_shard_that_starts_many,
    sharded_executor,
    start_slowly,
    start_task,
)
from support import PATIENCE

from more_executors import Executors, Journal
from more_executors._core import ShardTask, TaskRegister
from more_executors.dask import ClusterLost, RemoteError, ShardedPollExecutor, ShardLost
from more_executors.dask.sharded._coordinator import Coordinator


def test_what_is_submitted_is_started_and_polled_on_workers(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor() as executor:
        futures = executor.submit_many(start_task, range(500))
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == list(range(500))
        assert {future.result() for future in futures} == {f"{ident} done" for ident in books.polled}
        assert len({shard.worker for shard in executor.shards()}) == 2


def test_all_shards_get_as_many(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=4) as executor:
        futures = executor.submit_many(start_task, range(400))
        until(lambda: executor.stats().polled == 400)
        assert {shard.tasks for shard in executor.shards()} == {100}
        books.ends_at_once = True
        executor.notify()
        assert not wait(futures, PATIENCE).not_done


def test_calls_of_a_group_go_to_one_shard(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=4, group_by=lambda what: what % 3) as executor:
        futures = executor.submit_many(start_task, range(300))
        until(lambda: executor.stats().polled == 300)
        assert all(shard.tasks % 100 == 0 for shard in executor.shards())
        books.ends_at_once = True
        executor.notify()
        assert not wait(futures, PATIENCE).not_done


def test_errors_of_starting_and_of_tasks_arrive_as_they_are(workers: FakeWorkers, books: Books) -> None:
    def refuse(what: Any) -> str:
        raise KeyError(what)

    with sharded_executor() as executor:
        assert repr(executor.submit(refuse, "a").exception(PATIENCE)) == "KeyError('a')"
        assert isinstance(executor.submit(lambda: threading.Lock()).exception(PATIENCE), TypeError)  # no id to be sent
        with pytest.raises(Exception, match="pickle"):
            executor.submit(start_task, threading.Lock()).result(PATIENCE)
        books.outcomes["task-b-1"] = threading.Lock()
        assert isinstance(executor.submit(start_task, "b").exception(PATIENCE), TypeError | RemoteError)


def test_adopted_tasks_are_polled(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor() as executor:
        assert executor.adopt("a").result(PATIENCE) == "a done"
        # Equal ints are one and the same object, here and there.
        assert [future.result(PATIENCE) for future in executor.adopt_many([1, 1, 2])] == ["1 done", "1 done", "2 done"]
        assert isinstance(executor.adopt(threading.Lock()).exception(PATIENCE), TypeError)


def test_cancelling_asks_the_service(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor() as executor:
        futures = executor.submit_many(start_task, range(10))
        until(lambda: executor.stats().polled == 10)
        assert futures[0].cancel()
        assert len(books.cancelled) == 1
        assert executor.cancel_all() == 9
        assert len(books.cancelled) == 10
        adopted = executor.adopt("just now")
        assert adopted.cancel()
        assert "just now" in books.cancelled


def test_what_tasks_are_known_by_is_let_go_of_with_nothing_held() -> None:
    register = TaskRegister()
    found: list[Any] = []

    class Known:
        def __del__(self) -> None:
            found.append(register.of("another"))  # which waits for ever if the lock is held

    task = ShardTask(1, None, b"")
    task.result = Known()
    register.add_all([task])
    del task
    thread = threading.Thread(target=register.clear, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert found == [None]


def test_a_service_may_refuse_to_cancel(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    books.cancel = lambda ident: False  # type: ignore[method-assign]
    with sharded_executor() as executor:
        future = executor.submit(start_task, "a")
        until(lambda: executor.stats().polled == 1)
        assert not future.cancel()
        books.ends_at_once = True
        assert future.result(PATIENCE) == "task-a-1 done"


def test_released_tasks_are_polled_no_more_and_not_cancelled(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor() as executor:
        futures = executor.submit_many(start_task, range(10))
        until(lambda: executor.stats().polled == 10)
        assert len(executor.release(futures[:4])) == 4
        until(lambda: sum(shard.tasks for shard in executor.shards()) == 6)
        until(lambda: sum(shard.polls.outstanding for shard in executor.shards() if shard.polls) == 6)
        assert len(executor.leave()) == 6
    assert books.cancelled == []


def test_what_was_cancelled_before_it_was_sent_is_not_started(workers: FakeWorkers, books: Books) -> None:
    workers.fault = lambda address, function: "request lost" if function.__name__ == "exchange" else None
    with sharded_executor(lease=2.0) as executor:
        first = executor.submit(start_task, "sent")
        until(lambda: first.running() or ("worker-0", "exchange") in workers.calls)
        workers.frozen.update(workers.addresses)  # nothing more can be sent
        waiting = executor.submit_many(start_task, range(3000))
        assert sum(future.cancel() for future in waiting) > 0
        cancelled = {number for number, future in enumerate(waiting) if future.cancelled()}
        workers.frozen.clear()
        workers.fault = lambda address, function: None
        wait(waiting, PATIENCE)
        assert not cancelled & set(books.created)


def test_an_error_in_making_a_shard_is_raised_where_it_was_asked_for(workers: FakeWorkers, books: Books) -> None:
    def fail() -> Any:
        raise KeyError("no such service")

    with pytest.raises(KeyError, match="no such service"):
        ShardedPollExecutor("fake", fail)
    with pytest.raises(TypeError, match="make must return a PollExecutor, or a Shard with one, not 5"):
        ShardedPollExecutor("fake", lambda: 5)  # type: ignore[arg-type, return-value]
    lock = threading.Lock()
    with pytest.raises(TypeError, match="make cannot be sent to a worker"):
        ShardedPollExecutor("fake", lambda: lock)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("shards", 0, "shards"),
        ("shards", "2", "shards"),
        ("lease", -1, "lease must be 0 s or more, not -1"),
        ("lease", 0, "lease must be more than 0 s, not 0"),
        ("lease", inf, "lease must be finite, not inf"),
        ("timeout", "soon", "timeout"),
        ("timeout", 0, "timeout must be more than 0 s, not 0"),
        ("timeout", inf, "timeout must be finite, not inf"),
        ("patience", None, "patience"),
        ("group_by", 5, "group_by"),
        ("make", None, "make"),
        ("name", 5, "name"),
    ],
)
def test_bad_arguments_are_named(option: str, value: Any, error: str) -> None:
    options = {"make": make_nothing, option: value}
    with pytest.raises((TypeError, ValueError), match=error):
        ShardedPollExecutor("nowhere", **options)


def make_nothing() -> Any:
    raise NotImplementedError


def test_it_cannot_be_sent_elsewhere(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor() as executor, pytest.raises(TypeError, match="cannot be copied or pickled"):
        pickle.dumps(executor)


def test_errors_and_records_can_be_sent_elsewhere(workers: FakeWorkers, books: Books) -> None:
    again = pickle.loads(pickle.dumps(ShardLost("a")))
    assert (type(again), again.key, str(again)) == (ShardLost, "a", str(ShardLost("a")))
    with sharded_executor() as executor:
        assert pickle.loads(pickle.dumps(executor.shards()))[0].shard == 0


def test_it_tells_of_its_shards(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    with sharded_executor(shards=2, name="told") as executor:
        futures = executor.submit_many(start_task, range(10))
        until(lambda: executor.stats().polled == 10)
        assert [(shard.shard, shard.generation, shard.is_open, shard.tasks) for shard in executor.shards()] == [
            (0, 1, True, 5),
            (1, 1, True, 5),
        ]
        html = executor._repr_html_()
        assert ">worker-0<" in html
        assert ">worker-1<" in html
        gauges = executor._gauges()
        assert (gauges["outstanding"], gauges["shards_open"]) == (10.0, 2.0)
        until(lambda: executor.stats().calls > 0)  # of the shards
        books.ends_at_once = True
        executor.notify()
        assert not wait(futures, PATIENCE).not_done


def test_after_shutdown_nothing_is_taken(workers: FakeWorkers, books: Books) -> None:
    executor = sharded_executor()
    future = executor.submit(start_task, "a")
    executor.shutdown()
    assert future.result(0) == "task-a-1 done"
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(start_task, "b")


def test_shutdown_may_cancel(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    executor = sharded_executor()
    futures = executor.submit_many(start_task, range(5))
    until(lambda: executor.stats().polled == 5)
    executor.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in futures)
    assert len(books.cancelled) == 5


def test_layers_stand_on_it(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor().with_map(str.upper) as executor:
        assert executor.submit(start_task, "a").result(PATIENCE) == "TASK-A-1 DONE"


def test_many_are_started_by_one_call(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor(shards=2, make=make_shard_that_starts_many) as executor:
        futures = executor.start_many(range(2000))
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == list(range(2000))
        assert all(future.result().startswith(f"task-{number}-") for number, future in enumerate(futures))
        assert sum(books.sizes) == 2000
        assert len(books.sizes) <= 10


def test_what_starts_many_may_fail(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor(shards=1, make=make_shard_that_starts_many) as executor:
        assert [repr(future.exception(PATIENCE)) for future in executor.start_many(["refused", 1])] == [
            "KeyError('refused')",
            "KeyError('refused')",
        ]
        error = executor.start_many([2, "left out"])[0].exception(PATIENCE)
        assert "start_many_fn must return as many ids as it got items, 2, not ['task-2-1']" in str(error)
    with sharded_executor(shards=1) as executor:
        error = executor.start_many([3])[0].exception(PATIENCE)
        assert "what makes a shard must return a Shard with a start_many_fn" in str(error)


def test_an_async_start_runs_on_the_loop_of_a_shard(workers: FakeWorkers, books: Books) -> None:
    def make() -> Any:
        return Executors.event_loop().with_poll(books.poll, default_interval=0.01)

    async def start(what: str) -> str:
        return books.start(what)

    with ShardedPollExecutor("fake", make) as executor:
        assert executor.submit(start, "a").result(PATIENCE) == "task-a-1 done"


def test_a_journal_has_what_is_polled(workers: FakeWorkers, books: Books, tmp_path: Any) -> None:
    books.ends_at_once = False
    with Journal(tmp_path / "tasks.db") as journal, sharded_executor(journal=journal) as executor:
        executor.submit_many(start_task, range(5))
        until(lambda: executor.stats().polled == 5)
        assert executor.flush_journal(PATIENCE)
        executor.leave()
    books.ends_at_once = True
    with Journal(tmp_path / "tasks.db") as journal, sharded_executor(journal=journal) as executor:
        resumed = executor.resume()
        assert {future.result(PATIENCE) for _, future in resumed} == {f"{ident} done" for ident in books.polled}
        assert len(resumed) == 5
    assert len(books.created) == 5


def test_keys_start_once(workers: FakeWorkers, books: Books, tmp_path: Any) -> None:
    for _ in range(2):
        with Journal(tmp_path / "tasks.db") as journal, sharded_executor(journal=journal) as executor:
            futures = executor.submit_many_once(start_task, [f"key-{number}" for number in range(50)])
            assert len({future.result(PATIENCE) for future in futures}) == 50
    assert len(books.created) == 50


def test_no_workers_is_an_error_within_the_timeout(books: Books) -> None:
    with fake_workers(0), pytest.raises(ClusterLost, match=r"within 0\.3 s: there is no worker"):
        sharded_executor(timeout=0.3)


# 1. A worker is in `make`, which does not return. 2. The time for it is over.
def test_a_make_that_does_not_return_is_named_with_its_worker(
    workers: FakeWorkers, books: Books, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until_open = Coordinator.wait_until_open

    def wait_until_made(self: Coordinator, seconds: float) -> None:
        assert gate.came.acquire(timeout=PATIENCE)  # 1
        wait_until_open(self, 0.0)  # 2

    monkeypatch.setattr(Coordinator, "wait_until_open", wait_until_made)
    with pytest.raises(ClusterLost, match="make has not returned, or the worker does not answer, at worker-0"):
        sharded_executor(make=partial(start_slowly, "no executor"), shards=1)
    gate.go.set()


def test_what_a_poll_cancels_itself_fails(workers: FakeWorkers, books: Books) -> None:
    def make() -> Any:
        made: list[Any] = []

        def poll(descriptors: list[Any]) -> None:
            if descriptors:
                made[0].cancel_all()

        made.append(Executors.thread_pool(1).with_poll(poll, default_interval=0.01))
        return made[0]

    with ShardedPollExecutor("fake", make) as executor, pytest.raises(CancelledError):
        executor.submit(start_task, "a").result(PATIENCE)


def until(holds: Any) -> None:
    from dask_support import wait_until

    wait_until(holds)


def test_states_that_shards_report_are_added_up(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    books.state = "running"
    with sharded_executor(shards=4) as executor:
        futures = executor.submit_many(start_task, range(40))
        until(lambda: executor.stats().states == {"running": 40})
        assert executor._states() == {"running": 40}
        assert "<th" in executor._repr_html_()
        assert "state: running" in executor._repr_html_()
        assert not any(task.state for task in executor.outstanding(0))  # a client knows the numbers only
        books.ends_at_once = True
        executor.notify()
        assert not wait(futures, PATIENCE).not_done
        until(lambda: executor.stats().states == {})
