"""Calls that do nothing, made by the two processes of a Dask cluster on this machine.

The references are what Dask has itself: its executor, a task for each call, of which there are fewer, as each takes a
thousand times as long; and `client.map` over chunks of a thousand, as bytes both ways, which is what one would write to
be fast. Processor time is that of all processes, scheduler and workers included, less what they take idle.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from typing import Any

import pytest

from more_executors import Executors

from .dask_calls import call_all, make_shard, started
from .measuring import Bench
from .rows import (
    DASK,
    DASK_CHUNKS,
    DASK_CPU,
    DASK_EXECUTOR,
    DASK_SINGLE,
    DASK_SUBMIT,
    ONE_POLL_EXECUTOR,
    OURS,
    SHARDED_CPU,
    Row,
)

distributed = pytest.importorskip("distributed")
psutil = pytest.importorskip("psutil")

CALLS = 200_000
CALLS_OF_DASK = 2_000
CALLS_OF_CHUNK = 1_000
AWAITED = 300
TASKS = 100_000
SECONDS_IDLE = 2.0
SECONDS_COUNTED = 0.01  # ticks of processor time

Run = Callable[[], object]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture(scope="module")
def executor(client: Any) -> Iterator[Any]:
    """One that knows the workers, and how long calls take."""
    with Executors.dask(client) as executor:
        through(executor, 20_000)
        yield executor


@pytest.fixture(scope="module")
def of_dask(client: Any) -> Iterator[Any]:
    with client.get_executor(pure=False) as executor:
        through(executor, 10)
        yield executor


def through(executor: Any, count: int) -> None:
    for future in [executor.submit(abs, number) for number in range(count)]:
        future.result()


def in_chunks(client: Any, count: int) -> None:
    size = min(CALLS_OF_CHUNK, count)
    chunks = [pickle.dumps(list(range(first, first + size))) for first in range(0, count, size)]
    for encoded in client.gather(client.map(call_all, chunks, pure=False)):
        pickle.loads(encoded)


def awaited(submit: Callable[..., Any], count: int) -> None:
    for number in range(count):
        submit(abs, number).result()


def processor_seconds() -> float:
    """What this process and those that it has started have used so far."""
    me = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in (me, *me.children(recursive=True)))


def used_by(run: Run, count: int, idle: float) -> float:
    """The processor time of one of `count`. For `idle` seconds it is seen what is used without them.

    It is no less than what it is counted in: a few that take less than the noise would take nothing, or time back.
    """
    before = processor_seconds()
    time.sleep(idle)
    each_second = (processor_seconds() - before) / idle
    before, began = processor_seconds(), time.perf_counter()
    run()
    used = processor_seconds() - before - each_second * (time.perf_counter() - began)
    return max(used, SECONDS_COUNTED) / count


def measure(bench: Bench, who: str, run: Callable[[int], object], nominal: int, row: Row = DASK_CPU) -> None:
    count = bench.size(nominal)
    idle = SECONDS_IDLE if count == nominal else 0.1
    bench.value(row, who, lambda: used_by(lambda: run(count), count, idle))


def test_executor(bench: Bench, executor: Any) -> None:
    count = bench.size(CALLS)
    bench.time(DASK, OURS, lambda _: through(executor, count), per=count)


def test_executor_of_dask(bench: Bench, of_dask: Any) -> None:
    count = bench.size(CALLS_OF_DASK)
    bench.time(DASK, DASK_EXECUTOR, lambda _: through(of_dask, count), per=count, rounds=1)


def test_chunks(bench: Bench, client: Any) -> None:
    count = bench.size(CALLS)
    bench.time(DASK, DASK_CHUNKS, lambda _: in_chunks(client, count), per=count)


def test_processor_time(bench: Bench, executor: Any) -> None:
    measure(bench, OURS, lambda count: through(executor, count), CALLS)


def test_processor_time_of_dask(bench: Bench, of_dask: Any) -> None:
    measure(bench, DASK_EXECUTOR, lambda count: through(of_dask, count), CALLS_OF_DASK)


def test_processor_time_of_chunks(bench: Bench, client: Any) -> None:
    measure(bench, DASK_CHUNKS, lambda count: in_chunks(client, count), CALLS)


def test_awaited(bench: Bench, executor: Any) -> None:
    count = bench.size(AWAITED)
    bench.time(DASK_SINGLE, OURS, lambda _: awaited(executor.submit, count), per=count)


def test_awaited_by_dask(bench: Bench, client: Any) -> None:
    count = bench.size(AWAITED)
    submit = lambda *call: client.submit(*call, pure=False)  # noqa: E731
    bench.time(DASK_SINGLE, DASK_SUBMIT, lambda _: awaited(submit, count), per=count)


def test_shards(bench: Bench, client: Any) -> None:
    from more_executors.dask import ShardedPollExecutor

    with ShardedPollExecutor(client, make_shard, shards=2) as executor:
        measure(bench, OURS, lambda count: through_poll(executor, count), TASKS, SHARDED_CPU)


def test_without_shards(bench: Bench) -> None:
    with make_shard() as executor:
        measure(bench, ONE_POLL_EXECUTOR, lambda count: through_poll(executor, count), TASKS, SHARDED_CPU)


def through_poll(executor: Any, count: int) -> None:
    wait([executor.submit(started, number) for number in range(count)])
