"""A rate limit that all shards have together, with workers that are all in this process."""

from __future__ import annotations

import asyncio
import pickle
import random
import threading
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

pytest.importorskip("distributed")

from dask_support import wait_until
from shard_support import (
    REPLY_LOST,
    REQUEST_LOST,
    TWICE,
    Books,
    FakeWorkers,
    fake_workers,
    sharded_executor,
    start_task,
    the_books,
)
from support import PATIENCE

from more_executors import Executors
from more_executors.dask import Shard
from more_executors.dask.sharded import _on_worker
from more_executors.dask.sharded._host import ShardHost
from more_executors.dask.sharded._share import Share
from more_executors.dask.sharded._share_limit import ShareLimit
from more_executors.poll import PollExecutor
from more_executors.rate_limit import RateLimit, Throttled

_limits: list[RateLimit] = []  # of shards, the last one last


def make_limited(limit: RateLimit) -> PollExecutor[Any, Any, Any]:
    books = the_books()
    _limits.append(limit)
    return Executors.thread_pool(2).with_poll(books.poll, books.cancel, default_interval=0.01, rate_limit=limit)


def make_limited_on_loop(limit: RateLimit) -> PollExecutor[Any, Any, Any]:
    _limits.append(limit)
    return Executors.event_loop().with_poll(the_books().poll, rate_limit=limit)


def make_limited_that_starts_many(limit: RateLimit) -> Shard:
    def start_many(items: list[Any]) -> Any:
        take()
        return the_books().start_many(items)

    return Shard(make_limited(limit), start_many)


@pytest.fixture(autouse=True)
def limits() -> Iterator[None]:
    _limits.clear()
    yield
    _limits.clear()


def hosts() -> list[Any]:
    return list(_on_worker._hosts.values())


def shared_out(executor: Any) -> float:
    return sum(shard.share for shard in executor.shards())


def test_all_shards_together_have_the_limit(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor(make=make_limited, shards=4, rate_limit=RateLimit(1000)) as executor:
        wait_until(lambda: all(host._limit.limit == pytest.approx(250.0) for host in hosts()))
        assert [shard.share for shard in executor.shards()] == pytest.approx([250.0] * 4)
        futures = executor.submit_many(start_task, range(100))
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == list(range(100))


def test_without_a_limit_there_are_no_shares(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor() as executor:
        assert executor.submit(start_task, "a").result(PATIENCE) == "task-a-1 done"
        assert {shard.share for shard in executor.shards()} == {None}


def test_what_has_tasks_has_most_of_it(workers: FakeWorkers, books: Books) -> None:
    books.ends_at_once = False
    limit = RateLimit(1000)
    with sharded_executor(make=make_limited, shards=2, group_by=lambda what: 1, rate_limit=limit) as executor:
        executor.submit_many(start_task, range(50))
        wait_until(lambda: executor.stats().polled == 50)
        wait_until(lambda: sorted(shard.share for shard in executor.shards()) == pytest.approx([25.0, 975.0]))
        books.ends_at_once = True


def test_another_limit_is_shared_out(workers: FakeWorkers, books: Books) -> None:
    limit = RateLimit(1000)
    with sharded_executor(make=make_limited, shards=2, rate_limit=limit, lease=20 * PATIENCE) as executor:
        wait_until(lambda: shared_out(executor) == pytest.approx(1000.0))
        limit.change(10)
        wait_until(lambda: sum(host._limit.limit for host in hosts()) == pytest.approx(10.0))


def test_throttling_lowers_the_limit(workers: FakeWorkers, books: Books) -> None:
    throttles = iter([Throttled(0.05)])
    poll_books = books.poll

    def poll(descriptors: Any) -> None:
        for error in throttles:
            raise error
        poll_books(descriptors)

    limit = RateLimit(1000)
    with (
        mock.patch.object(books, "poll", poll),
        sharded_executor(make=make_limited, shards=2, rate_limit=limit) as executor,
    ):
        wait_until(lambda: shared_out(executor) == pytest.approx(1000.0))
        future = executor.submit(start_task, "a")
        wait_until(lambda: limit.rate < 1000.0)
        wait_until(lambda: sum(host._limit.limit for host in hosts()) < 910.0)
        assert future.result(PATIENCE) == "task-a-1 done"


def test_the_share_of_a_lost_worker_is_kept_for_three_leases(workers: FakeWorkers, books: Books) -> None:
    with sharded_executor(make=make_limited, shards=2, rate_limit=RateLimit(1000), lease=50.0) as executor:
        wait_until(lambda: shared_out(executor) == pytest.approx(1000.0))
        workers.kill("worker-0")
        wait_until(lambda: {shard.worker for shard in executor.shards()} == {"worker-1"})
        wait_until(lambda: [shard.share for shard in executor.shards()] == pytest.approx([250.0, 250.0]))
        workers.pass_seconds(executor, 100.0)
        assert shared_out(executor) == pytest.approx(500.0)
        workers.pass_seconds(executor, 50.0)
        wait_until(lambda: shared_out(executor) == pytest.approx(1000.0))


def take() -> None:
    _limits[-1].take()


def start_and_take(what: Any) -> str:
    the_came().release()
    take()
    return start_task(what)


_came: list[threading.Semaphore] = []


def the_came() -> threading.Semaphore:
    return _came[0]


@pytest.fixture
def came() -> threading.Semaphore:
    """Released by each start that is about to take a call."""
    _came[:] = [threading.Semaphore(0)]
    return _came[0]


def test_a_start_that_waits_for_a_call_as_the_lease_ends_is_made_by_another_shard(
    workers: FakeWorkers, books: Books, came: threading.Semaphore
) -> None:
    limit = RateLimit(1, per=1000.0)
    with sharded_executor(make=make_limited, shards=1, rate_limit=limit) as executor:
        wait_until(lambda: hosts()[0]._limit._has_share)
        _limits[-1].take()
        first = hosts()[0]
        futures = executor.submit_many(start_and_take, ["a", "b"])
        for _ in futures:
            assert came.acquire(timeout=PATIENCE)
        wait_until(lambda: len(first._limit._line) == 2)
        with mock.patch.object(first._limit, "apply"):  # it hears of no other share
            limit.change(1000)
            workers.clock.ahead += 31.0
            wait_until(lambda: executor.shards()[0].generation == 2)
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == ["a", "b"]
        assert executor.shards()[0].lost == 0


def test_items_that_wait_for_a_call_as_the_lease_ends_are_started_by_another_shard(
    workers: FakeWorkers, books: Books
) -> None:
    limit = RateLimit(1, per=1000.0)
    with sharded_executor(make=make_limited_that_starts_many, shards=1, rate_limit=limit) as executor:
        wait_until(lambda: hosts()[0]._limit._has_share)
        _limits[-1].take()
        first = hosts()[0]
        futures = executor.start_many(["a", "b"])
        wait_until(lambda: len(first._limit._line) >= 1)
        with mock.patch.object(first._limit, "apply"):
            limit.change(1000)
            workers.clock.ahead += 31.0
            wait_until(lambda: executor.shards()[0].generation == 2)
        assert not wait(futures, PATIENCE).not_done
        assert sorted(books.created) == ["a", "b"]


async def start_on_loop(what: Any) -> str:
    the_came().release()
    while (seconds := _limits[-1].try_take()) > 0.0:
        await asyncio.sleep(min(seconds, 0.01))
    return start_task(what)


def test_a_coroutine_that_waits_for_a_call_as_the_lease_ends_is_begun_by_another_shard(
    workers: FakeWorkers, books: Books, came: threading.Semaphore
) -> None:
    limit = RateLimit(1, per=1000.0)
    with sharded_executor(make=make_limited_on_loop, shards=1, rate_limit=limit) as executor:
        wait_until(lambda: hosts()[0]._limit._has_share)
        assert _limits[-1].try_take() == 0.0
        first = hosts()[0]
        future = executor.submit(start_on_loop, "a")
        assert came.acquire(timeout=PATIENCE)
        with mock.patch.object(first._limit, "apply"):
            limit.change(1000)
            workers.clock.ahead += 31.0
            wait_until(lambda: executor.shards()[0].generation == 2)
        assert future.result(PATIENCE) == "task-a-1 done"
        assert books.created == ["a"]


def limit_after_its_lease() -> ShareLimit:
    from more_executors.dask.sharded._host_events import LeaseOver

    def check() -> None:
        raise LeaseOver("its client was not heard")

    limit = ShareLimit()
    limit.check_lease = check
    return limit


def test_nothing_is_called_after_the_lease() -> None:
    limit = limit_after_its_lease()
    assert limit.try_take() > 0.0
    assert not limit.take(0)
    assert not limit.take(5.0)
    with pytest.raises(Throttled):
        limit.take()


def test_nothing_is_called_while_a_shard_is_made() -> None:
    limit = ShareLimit()
    assert limit.try_take() > 0.0
    with pytest.raises(RuntimeError, match="lets no calls through before the shard is made"):
        limit.take()


def make_without_arguments() -> PollExecutor[Any, Any, Any]:
    return make_limited(RateLimit(5))


def test_what_makes_a_shard_gets_its_limit(workers: FakeWorkers, books: Books) -> None:
    with pytest.raises(TypeError, match="takes 0 positional arguments but 1 was given"):
        sharded_executor(make=make_without_arguments, rate_limit=RateLimit(5))
    with pytest.raises(TypeError, match="rate_limit must be a RateLimit or None, not 5"):
        sharded_executor(make=make_limited, rate_limit=5)


class Watch:
    """Looks at all shares as one changes: they are in this process."""

    def __init__(self, workers: FakeWorkers) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self._hosts: list[Any] = []
        self.most = 0.0

    @contextmanager
    def watching(self) -> Iterator[None]:
        init, apply = _on_worker.ShardHost, ShareLimit._apply

        def made(*args: Any, **options: Any) -> Any:
            host = init(*args, **options)
            with self._lock:
                self._hosts.append(host)
            return host

        def applied(limit: Any, share: Any, now: float) -> None:
            with self._lock:
                apply(limit, share, now)
                self.most = max(self.most, sum(map(self._may_call, self._hosts)))

        with mock.patch.object(_on_worker, "ShardHost", made), mock.patch.object(ShareLimit, "_apply", applied):
            yield

    def _may_call(self, host: Any) -> float:
        is_over = host._why_stopped or self._workers.clock() > host._expires
        return 0.0 if is_over or not host._limit._has_share else host._limit.limit


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_shards_have_no_more_than_the_limit_and_every_future_ends(seed: int, books: Books) -> None:
    chance = random.Random(seed)
    with fake_workers(3) as workers:
        workers.fault = lambda address, function: (
            chance.choice((REQUEST_LOST, REPLY_LOST, TWICE))
            if function.__name__ == "exchange" and chance.random() < 0.1
            else None
        )
        watch = Watch(workers)
        with (
            watch.watching(),
            sharded_executor(make=make_limited, lease=2.0, shards=4, rate_limit=RateLimit(2000)) as executor,
        ):
            futures = executor.submit_many(start_task, range(300))
            for step in range(6):
                wait(futures, chance.random() * 0.2)
                what = chance.choice(("kill", "add", "late"))
                if what == "kill" and len(workers.addresses) > 1:
                    workers.kill(chance.choice(workers.addresses))
                elif what == "late":
                    workers.clock.ahead += 2.3  # longer than the lease
                else:
                    workers.add(f"new-{step}")
                futures += executor.submit_many(start_task, range(300 + 50 * step, 350 + 50 * step))
            assert not wait(futures, PATIENCE).not_done
            workers.fault = lambda address, function: None
        assert 1000.0 < watch.most <= 2000.0


@pytest.mark.parametrize("is_before", [True, False])
def test_a_call_that_waits_at_the_shard_ends_when_one_is_throttled(is_before: bool, books: Books) -> None:
    limit = ShareLimit()
    host = ShardHost("it", Shard(make_limited(limit)), 1000.0, lambda name: None, limit)

    def request(call: int, hold: float) -> bytes:
        return pickle.dumps((call, hold, True, 0, 0, 1, [], Share(1, 5.0, 1, 0, 0.0)))

    async def throttled() -> Any:
        await host.exchange(request(1, 0.0))
        if is_before:
            limit.throttled(limit.clock())
        waiting = asyncio.ensure_future(host.exchange(request(2, 4 * PATIENCE)))
        await asyncio.sleep(0)
        if not is_before:
            assert not waiting.done()
            limit.throttled(limit.clock())
        return pickle.loads(await asyncio.wait_for(waiting, PATIENCE))[-1]

    try:
        assert asyncio.run(throttled()).is_throttled
    finally:
        host.stop("it was closed")
        host.close()
