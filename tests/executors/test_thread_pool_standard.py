"""The thread pool of ours as one of the standard library's: what programs look at, set, override and replace."""

from __future__ import annotations

import concurrent.futures
import inspect
import queue
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.thread import BrokenThreadPool
from typing import Any

import pytest
from pool_support import Gate
from support import PATIENCE, InThread, SomeError, listening_to

from more_executors import Executors, _core, pools


def test_a_subclass_may_override_submit() -> None:
    class Doubling(type(Executors.thread_pool(1))):  # type: ignore[misc]
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return super().submit(lambda: 2 * fn(*args, **kwargs))

    with Doubling(1) as pool:
        assert list(pool.map(int, ["1", "2"])) == [2, 4]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="there are no worker contexts before 3.14")
def test_a_subclass_with_a_context_of_its_own_has_the_calls_of_the_standard_library() -> None:
    class Context(concurrent.futures.thread.WorkerContext):  # type: ignore[name-defined,misc]
        def run(self, task: Any) -> Any:
            return "ran", super().run(task)

    class Pool(pools.ThreadPoolExecutor):
        @classmethod
        def prepare_context(cls, initializer: Any, initargs: Any) -> Any:
            return Context.prepare(initializer, initargs)

    with Pool(1) as pool:
        assert pool.submit(int).result(PATIENCE) == ("ran", 0)  # type: ignore[comparison-overlap]


def test_its_signatures_are_those_of_the_standard_library() -> None:
    for method in ("submit", "shutdown"):
        ours, theirs = (
            inspect.signature(getattr(kind, method)) for kind in (pools.ThreadPoolExecutor, ThreadPoolExecutor)
        )
        assert list(ours.parameters) == list(theirs.parameters)


def test_a_subclass_that_makes_its_own_threads_has_the_calls_of_the_standard_library() -> None:
    class Pool(pools.ThreadPoolExecutor):
        adjusted = 0

        def _adjust_thread_count(self) -> None:
            self.adjusted += 1
            super()._adjust_thread_count()  # type: ignore[misc]

    with Pool(1) as pool:
        assert type(pool.submit(int)) is Future
        assert pool.adjusted == 1


def test_what_programs_look_at_is_there() -> None:
    gate = Gate()
    with Executors.thread_pool(3, "prefix") as pool:
        assert (pool._max_workers, pool._broken, pool._shutdown, pool._work_queue.qsize()) == (3, False, False, 0)
        assert (pool._idle_semaphore._value, pool._thread_name_prefix, pool._threads) == (0, "prefix", set())
        first = pool.submit(gate)
        gate.wait()
        assert pool._idle_semaphore._value == 0
        assert [thread.name for thread in pool._threads] == ["prefix_0"]
        gate.open()
        assert first.exception(PATIENCE) is None
        while pool._call_queue.unfinished:
            pass
        assert pool._idle_semaphore._value == 1
        assert not pool._idle_semaphore.acquire(timeout=0)
    assert pool._shutdown
    assert pool._threads


@pytest.mark.parametrize(("number", "most"), [(1, 1), (2, 2), (1.5, 2), (float("inf"), 5), (10**30, 5)])
def test_the_number_of_workers_is_any_and_can_be_changed(number: Any, most: int) -> None:
    for given in (number, 1):
        gate = Gate()
        with Executors.thread_pool(given) as pool:
            pool._max_workers = number
            assert pool._max_workers == number
            futures = [pool.submit(gate) for _ in range(5)]
            gate.wait(most)
            assert len(pool._threads) == most
            gate.open()
            concurrent.futures.wait(futures, PATIENCE)


def test_another_queue_may_be_put_in_place_of_its_own() -> None:
    """As programs do that want `submit` to wait while there is too much in it."""
    gate = Gate()
    with Executors.thread_pool(1) as pool:
        pool._work_queue = queue.Queue(maxsize=1)
        futures = [pool.submit(gate, 0)]
        gate.wait()
        futures.append(pool.submit(gate, 1))
        assert pool._work_queue.full()
        adding = InThread(pool.submit, gate, 2)
        gate.open()
        futures.append(adding.outcome())
        assert [future.result(PATIENCE) for future in futures] == [0, 1, 2]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is submitted through the `submit` of the standard library: a program has put one of its own in its place."""
    submitted: list[Any] = []
    submit = ThreadPoolExecutor.submit

    def traced(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        submitted.append(fn)
        return submit(self, fn, *args, **kwargs)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", traced)
    return submitted


def test_a_submit_that_a_program_has_replaced_is_called(seen: list[Any]) -> None:
    gate = Gate()
    with Executors.thread_pool(2) as pool:
        futures = [pool.submit(gate, n) for n in range(3)]
        gate.wait(2)
        assert seen == [gate] * 3
        assert len(pool._threads) == 2
        assert futures[2].cancel()
        gate.open()
        assert [future.result(PATIENCE) for future in futures[:2]] == [0, 1]
        assert type(pool.submit(int, "x").exception(PATIENCE)) is ValueError
    assert pool._call_queue.unfinished == 0


@pytest.mark.parametrize("end", ["shutdown", "initializer", "by hand"])
def test_whatever_ends_the_calls_of_a_replaced_submit_ends_those(end: str, seen: list[Any]) -> None:
    gate = Gate()

    def initialize() -> None:
        gate()
        if end == "initializer":
            raise SomeError

    with listening_to("concurrent.futures"), Executors.thread_pool(1, initializer=initialize) as pool:
        first, second = pool.submit(int), pool.submit(int)
        gate.wait()
        if end == "by hand":
            first.set_result(1)
        elif end == "shutdown":
            pool.shutdown(wait=False, cancel_futures=True)
        gate.open()
        if end == "by hand":
            assert second.result(PATIENCE) == 0
        elif end == "shutdown":
            assert first.cancelled()
            assert second.cancelled()
        else:
            assert type(first.exception(PATIENCE)) is type(second.exception(PATIENCE)) is BrokenThreadPool


def test_a_pool_that_was_made_before_takes_both_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    original: Any = ThreadPoolExecutor.submit
    with Executors.thread_pool(1) as pool:
        before = pool.submit(abs, -1)
        with monkeypatch.context() as patches:
            patches.setattr(ThreadPoolExecutor, "submit", lambda self, fn, *args: original(self, fn, *args))
            meanwhile = pool.submit(abs, -2)
        after = pool.submit(abs, -3)
        assert [future.result(PATIENCE) for future in (before, meanwhile, after)] == [1, 2, 3]
        assert [isinstance(future, _core.FutureBase) for future in (before, meanwhile, after)] == [True, False, True]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="there is no buffersize before 3.14")
def test_map_takes_no_more_than_the_buffersize_ahead() -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for n in range(10):
            taken.append(n)
            yield n

    with Executors.thread_pool(2) as pool:
        results = pool.map(abs, numbers(), buffersize=3)
        assert len(taken) == 3
        assert next(results) == 0
        assert len(taken) == 4
        assert list(results) == list(range(1, 10))
