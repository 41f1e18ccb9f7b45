"""Calls of pools, and of what stands on them, that interrupt one another on the same thread, at any line of theirs.

The lines of the standard library's pools count too, and those of its threads: there the locks are held.
"""

from __future__ import annotations

import concurrent.futures.process
import concurrent.futures.thread
import logging
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from nested_calls import HERE, REFUSALS, Watched, interrupted
from support import PATIENCE

from more_executors import Executors, pools
from more_executors._runtime.nested_calls import NESTED

pytestmark = pytest.mark.long

POOLS = concurrent.futures.thread.__file__
OURS = pools.__file__
OF_PROCESSES = concurrent.futures.process.__file__
WHERE = (HERE, POOLS, OF_PROCESSES, threading.__file__)


def poll(descriptors: list[Any]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(None)


LAYERS: dict[str, Callable[[Executor], Any]] = {
    "map": Executors.with_map,
    "flat_map": lambda pool: Executors.with_flat_map(pool, done),
    "poll": lambda pool: Executors.with_poll(pool, poll),
    "retry": Executors.with_retry,
    "throttle": lambda pool: Executors.with_throttle(pool, 1),
    "timeout": lambda pool: Executors.with_timeout(pool, 3600),
    "cancel_on_shutdown": Executors.with_cancel_on_shutdown,
}


def done(_: object) -> Future[None]:
    future: Future[None] = Future()
    future.set_result(None)
    return future


class World:
    """A pool, another one, and a layer upon each that is made of `layer`; it knows the futures that they gave."""

    def __init__(self, make: Callable[[], Executor], layer: Callable[[Executor], Any]) -> None:
        self.pools = [make(), make()]
        self.pool, self.other = (layer(pool) for pool in self.pools)
        self.futures: list[Future[Any]] = []
        self.refusals: list[BaseException] = []

    def submit(self) -> None:
        self.keep(self.pool)

    def submit_to_other(self) -> None:
        self.keep(self.other)

    def map(self) -> None:
        self.pool.map(abs, [1, 2])

    def cancel(self) -> None:
        if self.futures:
            self.futures[-1].cancel()

    def ask(self) -> None:
        repr(self.pool)

    def shutdown(self) -> None:
        self.pool.shutdown()

    def shutdown_of_other(self) -> None:
        self.other.shutdown(False)

    def shutdown_without_wait(self) -> None:
        self.pool.shutdown(wait=False)

    def shutdown_and_cancel(self) -> None:
        self.pool.shutdown(False, cancel_futures=True)

    def keep(self, executor: Any) -> None:
        try:
            self.futures.append(executor.submit(int))
        except REFUSALS as refusal:
            self.refusals.append(refusal.with_traceback(None))

    def close(self) -> None:
        """All futures end, and no thread is left."""
        for executor in (self.pool, self.other):
            executor.shutdown()
        for future in self.futures:
            assert future.cancelled() or future.exception(PATIENCE) is None
        for pool in self.pools:
            pool.shutdown()


CALLS = [name for name in vars(World) if name[0] != "_" and name not in ("keep", "close")]

WORLDS: dict[str, tuple[Callable[[], Executor], Callable[[Executor], Any]]] = {
    "thread_pool": (lambda: Executors.thread_pool(1), lambda pool: pool),
    **{f"{name} on thread_pool": (lambda: Executors.thread_pool(1), layer) for name, layer in LAYERS.items()},
    **{f"{name} on a pool of others": (lambda: ThreadPoolExecutor(1), layer) for name, layer in LAYERS.items()},
}
SOME_WORLDS = ("thread_pool", "retry on thread_pool", "poll on a pool of others")


@pytest.mark.parametrize(
    "kind", [kind if kind in SOME_WORLDS else pytest.param(kind, marks=pytest.mark.soak) for kind in WORLDS]
)
@pytest.mark.parametrize("name", CALLS)
def test_a_call_can_be_interrupted_by_any_other(name: str, kind: str) -> None:
    logging.disable()  # of what is refused

    def steps() -> Iterator[str]:
        for other in CALLS:
            lines, step = 2, 1
            while step < lines:
                yield f"{name}, interrupted at line {step} by {other}"
                world = World(*WORLDS[kind])
                if step % 2:
                    world.pool.submit(int)  # there is a thread then
                call, by = getattr(world, name), getattr(world, other)
                lines = interrupted(call, by, step.__eq__, WHERE)
                world.close()
                step += 1

    try:
        Watched(steps())
    finally:
        logging.disable(logging.NOTSET)


def raised_by(call: Callable[[], object], by: Callable[[], object], where: str) -> list[str]:
    """What `by` raised at the lines of `where` that `call` runs."""
    raised: list[str] = []

    def noted() -> None:
        try:
            by()
        except RuntimeError as error:
            raised.append(str(error))

    interrupted(call, noted, lambda _: True, (where,))
    return raised


def test_a_submit_in_the_midst_of_another_to_a_pool_of_others_says_what_to_do_instead() -> None:
    with ThreadPoolExecutor(1) as foreign:
        mapped = Executors.with_map(foreign, str)
        bound = Executors.bind(foreign, int)
        for submit in (mapped.submit, foreign.submit):
            for nested in (mapped.submit, lambda _: bound()):
                raised = raised_by(lambda submit=submit: submit(int), lambda nested=nested: nested(int), POOLS)  # type: ignore[misc]
                assert set(raised) == {NESTED}


@pytest.mark.parametrize("max_workers", [1, 3])
def test_a_thread_pool_of_ours_takes_a_submit_in_the_midst_of_any_call(max_workers: int) -> None:
    futures: list[Future[int]] = []
    of_ours = [Executors.thread_pool(max_workers) for _ in range(3)]

    def submit(to: int = 0) -> None:
        futures.append(of_ours[to].submit(abs, -1))

    for nested in (submit, partial(submit, 1)):
        assert raised_by(submit, nested, OURS) == []
    assert raised_by(of_ours[2].shutdown, submit, OURS) == []
    for pool in of_ours:
        pool.shutdown()
    assert [future.result(0) for future in futures] == [1] * len(futures)
    assert len(futures) > 6


def test_a_process_pool_is_left_alone_in_the_midst_of_a_submit_or_a_shutdown() -> None:
    futures: list[Future[int]] = []
    pool = Executors.process_pool(1, multiprocessing.get_context("spawn"))
    threads = Executors.thread_pool(1)
    mapped = Executors.with_map(pool, int)

    def submit() -> None:
        futures.append(pool.submit(abs, -1))

    def steps() -> Iterator[str]:
        for nested in (submit, lambda: mapped.submit(abs, 1), lambda: threads.submit(int)):
            yield "submit"
            assert set(raised_by(submit, nested, OF_PROCESSES)) <= {NESTED}
        yield "shutdown"
        interrupted(submit, pool.shutdown, (7).__eq__, (OF_PROCESSES,))
        interrupted(pool.shutdown, pool.shutdown, lambda _: True, (OF_PROCESSES,))
        threads.shutdown()
        mapped.shutdown()
        yield "what was taken"
        assert {future.cancelled() or future.result(PATIENCE) for future in futures} <= {1}

    Watched(steps())


@pytest.mark.parametrize(
    ("kind", "where"), [("thread_pool", OURS), ("map on thread_pool", OURS), ("map on a pool of others", POOLS)]
)
def test_a_shutdown_in_the_midst_of_a_submit_comes_before_or_after_it(kind: str, where: str) -> None:
    taken = []
    line = lines = 0
    while line == lines:
        line += 1
        world = World(*WORLDS[kind])
        lines = min(line, interrupted(world.submit, world.shutdown, line.__eq__, (where,)))
        taken.append(len(world.futures))
        assert len(world.futures) + len(world.refusals) == 1
        if lines == line:
            while not world.refusals:  # where locks are held, it comes the moment they are let go
                world.submit()
            assert "after shutdown" in str(world.refusals)
        world.close()
    assert 1 in taken[:-1]  # after it, where it was taken already
