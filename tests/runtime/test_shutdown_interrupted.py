"""A Ctrl-C in the midst of `shutdown`, at whichever line: the next call does the rest, or else the background."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any

import pytest
from interrupts_at_lines import Interrupt, Pool, assert_no_threads_but, at_each_line
from support import PATIENCE, said

from more_executors import Backoff, Executors

pytestmark = pytest.mark.long


def poll(descriptors: list[Any]) -> None:
    for descriptor in descriptors:
        descriptor.yield_result(descriptor.result)


async def async_poll(descriptors: list[Any]) -> None:
    poll(descriptors)


MAKERS: dict[str, Callable[[Executor], Any]] = {
    "map": lambda pool: Executors.with_map(pool, str),
    "flat_map": lambda pool: Executors.with_flat_map(pool, lambda result: Executors.sync().submit(str, result)),
    "poll": lambda pool: Executors.with_poll(pool, poll),
    "poll_due": lambda pool: Executors.with_poll(pool, poll, schedule=Backoff(0.01), min_interval=0),
    "poll_on_threads": lambda pool: Executors.with_poll(pool, poll, max_concurrency=2, min_interval=0),
    "poll_on_loop": lambda pool: Executors.with_poll(pool, async_poll, min_interval=0),
    "retry": lambda pool: Executors.with_retry(pool),
    "throttle": lambda pool: Executors.with_throttle(pool, 1),
    "timeout": lambda pool: Executors.with_timeout(pool, 60),
    "cancel_on_shutdown": lambda pool: Executors.with_cancel_on_shutdown(pool),
    "chain": lambda pool: Executors.with_poll(pool, poll).with_retry().with_throttle(2).with_map(str),
}


class Busy:
    """An executor of some kind with three futures that are not done, or may not be, and the call that is interrupted.

    Where that does not wait, the futures are held up until it is over.
    """

    def __init__(self, kind: str, interrupt: Interrupt, wait: bool, cancel_futures: bool) -> None:
        self.before = set(threading.enumerate())
        self.line = interrupt.line
        self.pool = Pool()
        self.executor = MAKERS[kind](self.pool)
        gate = threading.Event()
        if wait:
            gate.set()
        self.futures: list[Future[Any]] = [self.executor.submit(gate.wait) for _ in range(3)]
        interrupt.hits(lambda: self.executor.shutdown(wait, cancel_futures=cancel_futures))
        gate.set()

    def takes_work(self) -> bool:
        try:
            self.futures.append(self.executor.submit(int))
        except RuntimeError:
            return False
        return True

    def assert_over(self) -> None:
        for future in self.futures:
            said(future)
        assert self.pool.was_shut_down.wait(PATIENCE), self.line
        assert_no_threads_but(self.before, self.line)


both = [True, False]


@pytest.mark.parametrize("cancel_futures", both, ids=["cancelling", "seeing through"])
@pytest.mark.parametrize("wait", both, ids=["waiting", "in the background"])
@pytest.mark.parametrize("kind", MAKERS)
def test_the_rest_is_done_by_the_next_call(kind: str, wait: bool, cancel_futures: bool) -> None:
    for interrupt in at_each_line():
        busy = Busy(kind, interrupt, wait, cancel_futures)
        busy.executor.shutdown()
        if interrupt.came_out:
            assert all(future.done() for future in busy.futures), interrupt.line
        assert not busy.takes_work()
        busy.assert_over()


@pytest.mark.soak
@pytest.mark.parametrize("cancel_futures", both, ids=["cancelling", "seeing through"])
@pytest.mark.parametrize("wait", both, ids=["waiting", "in the background"])
@pytest.mark.parametrize("kind", MAKERS)
def test_without_a_next_call_the_rest_is_done_in_the_background(kind: str, wait: bool, cancel_futures: bool) -> None:
    for interrupt in at_each_line():
        busy = Busy(kind, interrupt, wait, cancel_futures)
        if busy.takes_work():  # nothing of it was done yet
            assert interrupt.came_out
            busy.executor.shutdown()
        del busy.executor
        busy.assert_over()


@pytest.mark.parametrize("kind", MAKERS)
def test_nothing_more_is_done_after_one_that_was_not_interrupted(kind: str) -> None:
    pool = Pool()
    executor = MAKERS[kind](pool)
    executor.shutdown()
    executor.shutdown(cancel_futures=True)
    assert pool.shutdowns == 1


def test_what_was_asked_for_first_holds_for_the_next_call() -> None:
    pool, gate = Pool(), threading.Event()
    executor = Executors.with_map(pool, str)
    futures = [executor.submit(gate.wait) for _ in range(3)]
    cancelling = executor._cancel_at_shutdown

    def interrupted(asked_for: bool) -> None:
        raise KeyboardInterrupt

    executor._cancel_at_shutdown = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        executor.shutdown(cancel_futures=True)
    executor._cancel_at_shutdown = cancelling  # type: ignore[method-assign]
    executor.shutdown(wait=False)
    assert [future.cancelled() for future in futures[1:]] == [True, True]
    gate.set()
    assert said(futures[0]) == "True"
    executor.shutdown()
    assert pool.was_shut_down.wait(PATIENCE)


@pytest.mark.parametrize("wait", both, ids=["waiting", "in the background"])
def test_the_same_of_an_asyncio_executor(wait: bool) -> None:
    loop = asyncio.new_event_loop()
    for interrupt in at_each_line():
        before = set(threading.enumerate())
        pool = Pool()
        executor = Executors.with_asyncio(pool, loop=loop)
        future = executor.submit(int)
        interrupt.hits(partial(executor.shutdown, wait))
        executor.shutdown()
        assert pool.shutdowns, interrupt.line
        assert loop.run_until_complete(future) == 0
        assert_no_threads_but(before, interrupt.line)
    loop.close()


def test_the_same_of_a_sync_executor() -> None:
    for line in (1, 2):
        executor = Executors.sync()
        Interrupt(line).hits(executor.shutdown)
        executor.shutdown()
        assert not executor._record.in_use
        with pytest.raises(RuntimeError, match="after shutdown"):
            executor.submit(int)
